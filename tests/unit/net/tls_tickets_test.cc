#include "net/tls_tickets.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>

namespace weir::net {

namespace {

/// One that counts as resumable: it has an identity.
OwnedTicket ticket(int version, unsigned char number) {
    OwnedTicket made(SSL_SESSION_new());
    SSL_SESSION_set_protocol_version(made.get(), version);
    REQUIRE(SSL_SESSION_set1_id(made.get(), &number, 1) == 1);
    return made;
}

int number_of(const OwnedTicket& ticket) {
    unsigned length = 0;
    const unsigned char* id = SSL_SESSION_get_id(ticket.get(), &length);
    return length == 1 ? *id : -1;
}

}  // namespace

TEST_CASE("the newest ticket is handed out first, and one of TLS 1.3 once") {
    TlsTickets tickets;
    CHECK(tickets.take() == nullptr);
    tickets.keep(ticket(TLS1_3_VERSION, 1));
    tickets.keep(ticket(TLS1_3_VERSION, 2));
    CHECK(number_of(tickets.take()) == 2);
    CHECK(number_of(tickets.take()) == 1);
    CHECK(tickets.take() == nullptr);
}

TEST_CASE("a ticket of TLS 1.2 is handed out as often as it is asked for") {
    TlsTickets tickets;
    tickets.keep(ticket(TLS1_2_VERSION, 7));
    CHECK(number_of(tickets.take()) == 7);
    CHECK(number_of(tickets.take()) == 7);
    CHECK(tickets.size() == 1);
}

TEST_CASE("a bounded number of tickets is kept, the newest") {
    TlsTickets tickets;
    for (unsigned char number = 0; number < TlsTickets::kMost + 5; ++number)
        tickets.keep(ticket(TLS1_3_VERSION, number));
    CHECK(tickets.size() == TlsTickets::kMost);
    for (size_t left = TlsTickets::kMost; left > 0; --left)
        CHECK(number_of(tickets.take()) == static_cast<int>(left) + 4);
    CHECK(tickets.take() == nullptr);
}

TEST_CASE("a ticket that cannot be used is passed over") {
    TlsTickets tickets;
    tickets.keep(ticket(TLS1_3_VERSION, 1));
    tickets.keep(OwnedTicket(SSL_SESSION_new()));
    CHECK(number_of(tickets.take()) == 1);
}

}  // namespace weir::net
