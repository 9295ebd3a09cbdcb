#include "proxy/identity.h"

#include <span>

#include "base/log.h"
#include "http/authority.h"
#include "http/forwarded.h"

namespace weir::proxy {

namespace {

constexpr Duration kNoticePeriod = std::chrono::minutes(1);

/// "" where the field is not there, or there twice: what then counts depends on the reader.
std::string_view only_value(std::span<const http::Field> fields, http::FieldId id) {
    std::string_view value;
    for (size_t seen = 0; const http::Field& field : fields)
        if (field.id == id) value = ++seen == 1 ? field.value : std::string_view();
    return value;
}

/// Nothing else than the two is believed: the app may build addresses of it.
void believe_scheme(std::string_view said, ClientFacts& facts) {
    for (std::string_view scheme : {"http", "https"})
        if (http::equals_ignoring_case(said, scheme)) facts.scheme = scheme;
}

}  // namespace

void Identity::settle(const http::RequestHead& head, AddressText& text, ClientFacts& facts, Time now) const {
    const auto is_trusted = [this](const http::IpBytes& address) { return trusted_.contains(address); };
    const http::ForwardedClient found = http::forwarded_client(facts.ip.bytes, head.fields, is_trusted);
    if (!found.peer_is_trusted) return;
    believe_scheme(only_value(head.fields, http::FieldId::x_forwarded_proto), facts);
    const std::string_view host = only_value(head.fields, http::FieldId::x_forwarded_host);
    if (http::is_valid_authority(host)) facts.host = host;
    if (found.is_disputed) return notice_dispute(facts, now);
    facts.proxy = facts.address;
    facts.ip.bytes = found.address;
    facts.address = {text, facts.ip.write(text)};
}

void Identity::notice_dispute(const ClientFacts& peer, Time now) const {
    Time due = next_notice_.load(std::memory_order_relaxed);
    if (now < due || !next_notice_.compare_exchange_strong(due, now + kNoticePeriod)) return;
    log::warning(
        "the trusted proxy {} names one client in X-Forwarded-For and another in Forwarded: neither is "
        "believed, and such requests count for the proxy; let it drop the one that it does not write",
        peer.address);
}

}  // namespace weir::proxy
