// Request heads: what weir accepts, it must understand as any other reader does, and pass on in a form that
// leaves nothing to guess.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "head_checks.h"
#include "http/head_parser.h"
#include "http/head_scan.h"
#include "http/head_writer.h"
#include "input.h"
#include "llhttp_oracle.h"

namespace weir::fuzz {
namespace {

using http::Body;
using http::FieldId;
using http::Framing;
using http::HeadLimits;
using http::Method;
using http::RequestFacts;
using http::RequestHead;

constexpr HeadLimits kLimits{};
/// For heads that weir wrote: they are longer than those they came from.
constexpr HeadLimits kWideLimits{.head_bytes = 1 << 20, .fields = 1000, .uri_bytes = 1 << 20};

bool same_head(const RequestHead& a, const RequestHead& b) {
    return a.method == b.method && a.method_name == b.method_name && a.target == b.target &&
           a.path == b.path && a.query == b.query && a.has_query == b.has_query &&
           a.authority == b.authority && a.path_and_query == b.path_and_query && a.version == b.version &&
           a.body.framing == b.body.framing && a.body.length == b.body.length &&
           a.keep_alive == b.keep_alive && a.expect_continue == b.expect_continue &&
           a.te_trailers == b.te_trailers && a.upgrade == b.upgrade && same_fields(a.fields, b.fields);
}

/// A target without a path has one all the same, and that cannot be a view.
bool is_view_or_implied(std::string_view part, std::string_view head) {
    return lies_in(part, head) || part == "/" || part == "*";
}

void require_sound(const RequestHead& head, std::string_view bytes) {
    require_sound_fields(head.fields, bytes);
    for (const auto part : {head.method_name, head.target, head.query, head.authority, head.upgrade}) {
        require(lies_in(part, bytes), "what was read is a view into the head");
    }
    require(is_view_or_implied(head.path, bytes), "the path is a view into the head");
    require(is_view_or_implied(head.path_and_query, bytes), "what is sent on is a view into the head");
    require(head.path.starts_with('/') || head.path == "*", "a path starts with a slash");
    require(!head.path_and_query.empty(), "something is always sent on");
    require(head.method == http::method_of(head.method_name), "the method is that of its name");
    require(head.method != Method::connect, "CONNECT is refused");
    require(head.has_query || head.query.empty(), "no query without a question mark");
    require(head.body.framing != Framing::until_close, "no request lasts until the end of the connection");
    const std::string joined =
        std::string(head.path) + (head.has_query ? "?" + std::string(head.query) : std::string());
    require(head.path_and_query == joined, "path and query make up what is sent on");
}

/// The rules against smuggling, checked from the fields alone.
void require_plain_framing(const RequestHead& head) {
    const auto lengths = values_of(head.fields, FieldId::content_length);
    const auto codings = values_of(head.fields, FieldId::transfer_encoding);
    const auto hosts = values_of(head.fields, FieldId::host);
    require(lengths.size() + codings.size() <= 1, "a body is framed in one way, and that once");
    require(lengths.empty() == (head.body.framing != Framing::length), "a Content-Length is heeded");
    require(codings.empty() == (head.body.framing != Framing::chunked), "a Transfer-Encoding is heeded");
    if (!lengths.empty()) {
        const auto digits = lengths.front();
        require(!digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos,
                "a Content-Length is all digits");
    }
    if (!codings.empty()) {
        require(http::equals_ignoring_case(codings.front(), "chunked"), "no coding but chunked");
        require(head.version == http::Version::http11, "HTTP/1.0 knows no chunks");
    }
    require(hosts.size() <= 1, "there are no two Hosts");
    require(hosts.size() == 1 || head.version == http::Version::http10, "HTTP/1.1 has a Host");
    const bool is_absolute = !head.target.starts_with('/') && head.target != "*";
    if (is_absolute)
        require(lies_in(head.authority, head.target), "the target's authority beats that of Host");
    if (!is_absolute)
        require(hosts.empty() || head.authority == hosts.front(), "the authority is that of Host");
}

void require_every_start_is_welcome(std::string_view head, Choices& choices) {
    for (const size_t length : {head.size() - 1, choices.below(head.size()), choices.below(head.size())}) {
        require(!http::check_partial_request(head.substr(0, length), kLimits),
                "no start of a sound head is refused");
    }
}

/// Parses into a head that was used before, as a connection does, and into a fresh one.
std::optional<RequestHead> parse(std::string_view bytes, const HeadLimits& limits) {
    static RequestHead used;
    RequestHead fresh;
    const auto fault = http::parse_request_head(bytes, limits, fresh);
    const auto fault_again = http::parse_request_head(bytes, limits, used);
    require(fault.has_value() == fault_again.has_value(), "a head is judged alike in a reused object");
    if (fault) {
        require(fault->offset <= bytes.size(), "a fault lies in the head");
        require(!std::string_view(fault->detail).empty(), "a fault says what is wrong");
        return std::nullopt;
    }
    require(same_head(fresh, used), "nothing is left over from an earlier head");
    return fresh;
}

/// Without any authority (HTTP/1.0) the Host written would be empty: RFC 9112, 3.2, asks for that, weir's own
/// parser refuses it.
RequestFacts choose_facts(const RequestHead& head, Choices& choices) {
    return {.client_address = choices.coin() ? "192.0.2.7" : "2001:db8::7",
            .request_id = "0123456789abcdef0123456789abcdef",
            .scheme = choices.coin() ? "http" : "https",
            .host = !head.authority.empty() && choices.coin() ? "" : "app.internal:8000",
            .forwarded_host = choices.coin() ? "" : "shop.example",
            .proxy_address = choices.coin() ? "" : "10.0.0.1",
            .drop_request_start = choices.coin(),
            .drop_deadline = choices.coin()};
}

std::string write(const RequestHead& head, const RequestFacts& facts) {
    const size_t bound = http::request_head_bound(head, facts);
    const auto out = std::make_unique<char[]>(bound);
    size_t length = http::write_request_head(head, facts, out.get());
    require(length <= bound, "a written head keeps within its bound");
    length += http::write_request_framing(head.method, head.body, out.get() + length);
    require(length <= bound, "a written head keeps within its bound, framing included");
    return {out.get(), length};
}

bool same_body(Body a, Body b) {
    const bool both_empty = a.framing != Framing::chunked && b.framing != Framing::chunked;
    return (both_empty || a.framing == b.framing) && a.length == b.length;
}

void require_value(const RequestHead& head, FieldId id, std::string_view value) {
    const auto at =
        std::find_if(head.fields.begin(), head.fields.end(), [id](const auto& f) { return f.id == id; });
    require(at != head.fields.end() && at->value == value, "weir's own fields say what weir knows");
}

/// A proxy's address goes behind all that the proxy has received; without one nothing is left of that.
std::string forwarded_for(const RequestHead& head, const RequestFacts& facts) {
    if (facts.proxy_address.empty()) return std::string(facts.client_address);
    std::string chain;
    for (std::string_view line : values_of(head.fields, FieldId::x_forwarded_for))
        if (!line.empty()) chain.append(line).append(", ");
    if (chain.empty()) chain.append(facts.client_address).append(", ");
    return chain.append(facts.proxy_address);
}

void require_weirs_own_fields(const RequestHead& head, const RequestHead& written,
                              const RequestFacts& facts) {
    require_value(written, FieldId::x_forwarded_for, forwarded_for(head, facts));
    require_value(written, FieldId::x_real_ip, facts.client_address);
    require_value(written, FieldId::x_forwarded_proto, facts.scheme);
    require_value(written, FieldId::x_request_id, facts.request_id);
    constexpr std::array kAtMostOnce{FieldId::host,
                                     FieldId::x_forwarded_for,
                                     FieldId::x_forwarded_proto,
                                     FieldId::x_forwarded_host,
                                     FieldId::x_real_ip,
                                     FieldId::x_request_id,
                                     FieldId::content_length,
                                     FieldId::transfer_encoding,
                                     FieldId::connection,
                                     FieldId::te,
                                     FieldId::upgrade};
    for (const FieldId id : kAtMostOnce) {
        require(count_folded(written.fields, id) <= 1, "no field can pass for one of weir's own");
    }
    for (const FieldId id : {FieldId::forwarded, FieldId::expect, FieldId::keep_alive}) {
        require(count_folded(written.fields, id) == 0, "what concerns weir alone is not sent on");
    }
    const bool has_start = count_folded(written.fields, FieldId::x_request_start) != 0;
    const bool has_deadline = count_folded(written.fields, FieldId::x_request_deadline) != 0;
    require(!(has_start && facts.drop_request_start) && !(has_deadline && facts.drop_deadline),
            "no client can pass for the clock of weir");
}

/// llhttp must read every accepted head just so.
void require_llhttp_agrees(const RequestHead& head, std::string_view bytes) {
    if (!llhttp_knows_method(head.method_name)) return;
    const auto heard = hear(MessageKind::request, bytes);
    if (!heard) return;
    // A refusal is no second opinion.
    if (!heard->error.empty() && has_padded_framing(head.fields)) return;
    if (!heard->error.empty()) std::fprintf(stderr, "llhttp: %s\n", heard->error.c_str());
    require(heard->error.empty(), "llhttp accepts the head");
    require(heard->head == Ending::with_last_byte, "the head ends where llhttp sees its end");
    require(heard->method == head.method_name, "llhttp reads the same method");
    require(heard->target == head.target, "llhttp reads the same target");
    require((heard->minor_version == 1) == (head.version == http::Version::http11),
            "llhttp reads the same version");
    require(heard->chunked == (head.body.framing == Framing::chunked), "llhttp sees the same chunked body");
    require(heard->has_length == (head.body.framing == Framing::length),
            "llhttp sees the same Content-Length");
    if (heard->has_length) require(heard->length == head.body.length, "llhttp reads the same length");
    require_same_fields(head.fields, heard->fields);
    // llhttp takes Proxy-Connection for Connection; weir drops it unread.
    if (count_folded(head.fields, FieldId::proxy_connection) != 0) return;
    require(heard->keep_alive || !head.keep_alive, "llhttp does not expect a close that weir does not");
    // RFC 9110, 7.8: HTTP/1.0 has no upgrades; llhttp does not look at the version.
    const bool may_upgrade = head.version == http::Version::http11;
    require((heard->upgrade && may_upgrade) == !head.upgrade.empty(), "llhttp sees the same upgrade");
}

void require_passed_on_well(const RequestHead& head, Choices& choices) {
    const RequestFacts facts = choose_facts(head, choices);
    const ExactCopy written(write(head, facts));
    const auto found = find_head(written.view());
    require(found && found->size() == written.view().size(), "a written head is exactly one head");
    const auto again = parse(*found, kWideLimits);
    require(again.has_value(), "a written head passes weir's own checks");
    require_sound(*again, *found);
    require_plain_framing(*again);

    require(again->method_name == head.method_name, "the method is passed on");
    require(again->target == head.path_and_query, "path and query are passed on as they came");
    require(again->version == http::Version::http11, "weir speaks HTTP/1.1 to the app");
    require(same_body(again->body, head.body), "the body's framing is passed on");
    require(again->authority == (facts.host.empty() ? head.authority : facts.host), "Host is the chosen one");
    require(again->upgrade == head.upgrade, "the upgrade is passed on");
    require(again->te_trailers == head.te_trailers, "TE: trailers is passed on");
    require(again->keep_alive, "the client's wish to close is not the app's concern");
    require(same_fields(end_to_end(again->fields), end_to_end(head.fields)),
            "end-to-end fields are passed on in order");
    require_weirs_own_fields(head, *again, facts);
    require_llhttp_agrees(*again, *found);
}

void run(std::string_view input) {
    const auto found = find_head(input);
    if (!found) {
        http::check_partial_request(input, kLimits);
        return;
    }
    const ExactCopy bytes(*found);
    const auto head = parse(bytes.view(), kLimits);
    if (!head) return;
    Choices choices(input);
    require_sound(*head, bytes.view());
    require_plain_framing(*head);
    require_every_start_is_welcome(bytes.view(), choices);
    require_llhttp_agrees(*head, bytes.view());
    require_passed_on_well(*head, choices);
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    weir::fuzz::run(weir::fuzz::bytes_of(data, size));
    return 0;
}
