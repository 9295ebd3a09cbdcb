#include "proxy/identity.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "config/identity.h"
#include "net/quiet_log.h"

namespace weir::proxy {

namespace {

/// One worker's identity that trusts 10.0.0.0/8, and what it makes of requests.
class Settled {
  public:
    ClientFacts operator()(const char* peer,
                           const std::vector<std::pair<std::string_view, std::string_view>>& fields) {
        http::RequestHead head;
        for (const auto& [name, value] : fields)
            head.fields.push_back({.name = name, .value = value, .id = http::field_id_of(name)});
        ClientFacts facts{.address = peer, .ip = {config::parse_cidr(peer)->address}};
        identity.settle(head, text, facts, Time());
        return facts;
    }

    Identity identity{[] {
        config::Clients clients;
        clients.trusted_proxies = {*config::parse_cidr("10.0.0.0/8")};
        return clients;
    }()};
    Identity::AddressText text;
};

}  // namespace

TEST_CASE("nobody is trusted where nobody is named") {
    CHECK_FALSE(Identity(config::Clients()).trusts_anyone());
    CHECK(Settled().identity.trusts_anyone());
}

TEST_CASE("a stranger is who it is, whatever it says") {
    Settled settled;
    const ClientFacts facts = settled("192.0.2.1", {{"X-Forwarded-For", "203.0.113.9"},
                                                    {"X-Forwarded-Proto", "https"},
                                                    {"X-Forwarded-Host", "shop.example"}});
    CHECK(facts.address == "192.0.2.1");
    CHECK(facts.ip.bytes == config::parse_cidr("192.0.2.1")->address);
    CHECK(facts.scheme == "http");
    CHECK(facts.host.empty());
    CHECK(facts.proxy.empty());
}

TEST_CASE("a trusted proxy says who the client is, how it came and what it asked for") {
    Settled settled;
    const ClientFacts facts = settled("10.0.0.1", {{"X-Forwarded-For", "198.51.100.3, 203.0.113.9, 10.0.0.2"},
                                                   {"X-Forwarded-Proto", "HTTPS"},
                                                   {"X-Forwarded-Host", "shop.example:8443"}});
    CHECK(facts.address == "203.0.113.9");
    CHECK(facts.ip.bytes == config::parse_cidr("203.0.113.9")->address);
    CHECK(facts.scheme == "https");
    CHECK(facts.host == "shop.example:8443");
    CHECK(facts.proxy == "10.0.0.1");
}

TEST_CASE("a proxy that says nothing, or asks for itself, is the client") {
    Settled settled;
    const ClientFacts facts = settled("10.0.0.1", {});
    CHECK(facts.address == "10.0.0.1");
    CHECK(facts.scheme == "http");
}

TEST_CASE("a scheme or host that is not sound, or there twice, is not believed") {
    Settled settled;
    for (const char* scheme : {"gopher", "", "https,http", "http s", "httpss"})
        CHECK(settled("10.0.0.1", {{"X-Forwarded-Proto", scheme}}).scheme == "http");
    for (const char* host : {"", "a b", "a,b", "user@a", "a:99999", "<script>"})
        CHECK(settled("10.0.0.1", {{"X-Forwarded-Host", host}}).host.empty());
    CHECK(settled("10.0.0.1", {{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "https"}}).scheme ==
          "http");
    CHECK(settled("10.0.0.1", {{"X-Forwarded-Host", "a"}, {"X-Forwarded-Host", "b"}}).host.empty());
}

TEST_CASE("a proxy that contradicts itself is the client") {
    QuietLog quiet;
    Settled settled;
    const ClientFacts facts =
        settled("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}, {"Forwarded", "for=203.0.113.8"}});
    CHECK(facts.address == "10.0.0.1");
    CHECK(facts.ip.bytes == config::parse_cidr("10.0.0.1")->address);
    CHECK(facts.proxy.empty());
}

}  // namespace weir::proxy
