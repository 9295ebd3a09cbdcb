#include "http/h2_fields.h"

#include <algorithm>

#include "http/char_class.h"
#include "http/chunk_decoder.h"
#include "http/out.h"

namespace weir::http {
namespace {

constexpr std::string_view kVersionEnd = " HTTP/1.1\r\n";
constexpr std::string_view kCookie = "cookie";
constexpr std::string_view kCrumbJoint = "; ";
/// What strings keep between sections: enough for what most clients send.
constexpr size_t kKeptBytes = 1024;

bool is_lower_case(std::string_view name) {
    return std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_white(char c) { return c == ' ' || c == '\t'; }

/// RFC 9113, 8.2.1.
const char* describe_bad_value(std::string_view value) {
    if (!all_are(value, kFieldValue)) return "a field value holds a control byte";
    const bool is_padded = !value.empty() && (is_white(value.front()) || is_white(value.back()));
    return is_padded ? "a field value begins or ends with white space" : nullptr;
}

/// RFC 9113, 8.2.2.
bool concerns_connection(FieldId id) {
    return id == FieldId::connection || id == FieldId::proxy_connection || id == FieldId::keep_alive ||
           id == FieldId::transfer_encoding || id == FieldId::upgrade;
}

void shrink(std::string& text) {
    text.clear();
    if (text.capacity() > kKeptBytes) text.shrink_to_fit();
}

}  // namespace

void H2Fields::begin(Kind kind, const HeadLimits& limits) {
    clear();
    kind_ = kind;
    limits_ = limits;
    if (kind == Kind::trailers) limits_.head_bytes = ChunkDecoder::kMaxTrailerBytes;
    list_bytes_ = 0;
    fault_.reset();
    has_regular_ = has_scheme_ = has_host_ = false;
}

void H2Fields::clear() {
    for (std::string* each : {&method_, &path_, &authority_, &cookies_, &lines_}) shrink(*each);
}

void H2Fields::refuse(const char* detail, Reason reason) {
    if (!fault_) fault_ = HeadFault{.reason = reason, .detail = detail, .offset = list_bytes_};
}

void H2Fields::add(std::string_view name, std::string_view value) {
    list_bytes_ += name.size() + value.size() + kFieldOverhead;
    if (fault_) return;
    if (!name.empty() && name.front() == ':') return add_pseudo(name, value);
    has_regular_ = true;
    add_regular(name, value);
}

void H2Fields::add_pseudo(std::string_view name, std::string_view value) {
    if (kind_ == Kind::trailers) return refuse("a pseudo-header field in the trailers");
    if (has_regular_) return refuse("a pseudo-header field behind a field");
    if (name == ":scheme") {
        if (has_scheme_) return refuse("a pseudo-header field is repeated");
        has_scheme_ = true;
        if (value != "http" && value != "https") return refuse("the scheme is neither http nor https");
        return;
    }
    const bool is_path = name == ":path";
    if (!is_path && name != ":method" && name != ":authority")
        return refuse("a pseudo-header field that no request has");
    std::string& place = is_path ? path_ : name == ":method" ? method_ : authority_;
    if (!place.empty()) return refuse("a pseudo-header field is repeated");
    if (value.empty()) return refuse("a pseudo-header field is empty");
    if (is_path && value.size() > limits_.uri_bytes)
        return refuse("the request target is too long", Reason::uri_too_long);
    if (value.size() > limits_.head_bytes)
        return refuse("the request head is too large", Reason::header_too_large);
    // The parser tells what else is wrong: these alone could make it see a request line of another shape.
    if (!all_are(value, kFieldValue) || std::any_of(value.begin(), value.end(), is_white))
        return refuse("a pseudo-header field holds white space or a control byte");
    place = value;
}

void H2Fields::add_regular(std::string_view name, std::string_view value) {
    if (!is_token(name)) return refuse("a field name is empty or holds a byte that no name may hold");
    if (!is_lower_case(name)) return refuse("a field name is not in lower case");
    if (const char* detail = describe_bad_value(value)) return refuse(detail);
    const FieldId id = field_id_of(name);
    if (concerns_connection(id)) return refuse("a field that concerns the connection, which HTTP/2 has not");
    if (id == FieldId::te && !equals_ignoring_case(value, "trailers"))
        return refuse("a TE other than \"trailers\"");
    if (kind_ == Kind::request && id == FieldId::host) return add_host(value);
    if (kind_ == Kind::request && name == kCookie) {
        if (!cookies_.empty()) cookies_ += kCrumbJoint;
        if (head_bytes() + value.size() > limits_.head_bytes)
            return refuse("the request head is too large", Reason::header_too_large);
        cookies_ += value;
        return;
    }
    keep_line(name, value);
}

/// RFC 9113, 8.3.1: it may not say anything else than :authority.
void H2Fields::add_host(std::string_view value) {
    if (has_host_) return refuse("more than one Host");
    has_host_ = true;
    if (authority_.empty()) return keep_line("host", value);
    if (!equals_ignoring_case(value, authority_)) refuse("Host differs from :authority");
}

void H2Fields::keep_line(std::string_view name, std::string_view value) {
    if (head_bytes() + name.size() + value.size() > limits_.head_bytes)
        return refuse("the request head is too large", Reason::header_too_large);
    lines_.append(name).append(": ").append(value).append("\r\n");
}

MaybeFault H2Fields::end() {
    if (kind_ == Kind::request && !fault_) conclude_request();
    return fault_;
}

void H2Fields::conclude_request() {
    if (method_.empty()) return refuse(":method is missing");
    if (!is_token(method_)) return refuse("the method is not a token");
    if (method_of(method_) == Method::connect) {
        const bool is_sound = path_.empty() && !has_scheme_ && !authority_.empty();
        if (!is_sound) return refuse("a CONNECT with other pseudo-header fields than :authority");
        return refuse("CONNECT is not supported", Reason::not_implemented);
    }
    if (!has_scheme_) return refuse(":scheme is missing");
    if (path_.empty()) return refuse(":path is missing");
    const bool is_asterisk = path_ == "*" && method_of(method_) == Method::options;
    if (path_.front() != '/' && !is_asterisk) refuse(":path is not a path");
}

size_t H2Fields::head_bytes() const {
    size_t bytes = method_.size() + 1 + path_.size() + kVersionEnd.size() + lines_.size() + 2;
    if (!authority_.empty())
        bytes += std::string_view("host").size() + authority_.size() + http::kFieldOverhead;
    if (!cookies_.empty()) bytes += kCookie.size() + cookies_.size() + http::kFieldOverhead;
    return bytes;
}

void H2Fields::write_head(char* begin) const {
    Out out(begin);
    out.text(method_);
    out.text(" ");
    out.text(path_);
    out.text(kVersionEnd);
    if (!authority_.empty()) out.field("host", authority_);
    out.text(lines_);
    if (!cookies_.empty()) out.field(kCookie, cookies_);
    out.line_end();
}

MaybeFault parse_h2_head(std::string_view head, bool has_body, const HeadLimits& limits, RequestHead& out) {
    if (auto fault = parse_request_head(head, limits, out)) return fault;
    out.version = Version::http2;
    if (has_body && out.body.framing == Framing::none) out.body.framing = Framing::chunked;
    if (!has_body && out.body.length > 0)
        return HeadFault{.reason = Reason::bad_request,
                         .detail = "the request ends before its Content-Length",
                         .offset = head.size()};
    return std::nullopt;
}

}  // namespace weir::http
