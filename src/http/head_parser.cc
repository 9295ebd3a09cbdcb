#include "http/head_parser.h"

#include <algorithm>
#include <cstring>

#include "http/authority.h"
#include "http/byte_scan.h"
#include "http/field_line.h"
#include "http/governing_fields.h"
#include "http/list_walk.h"

namespace weir::http {
namespace {

constexpr size_t kMaxMethodBytes = 32;
constexpr const char* kMethodTooLong = "the method is longer than any known one";
constexpr const char* kNoMethod = "the request line does not begin with a method";

const char* describe_target_end(const char* p, const char* end) {
    if (p == end || *p == '\r') return "the request line has no version";
    if (*p == '#') return "the target has a fragment";
    if (static_cast<unsigned char>(*p) >= 0x80) return "the target holds a byte that must be percent-encoded";
    return "the target holds white space or a control byte";
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
    return equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

/// One call of parse_request_head. Each step returns false after it has noted its fault.
class RequestParser {
  public:
    RequestParser(std::string_view head, const HeadLimits& limits, RequestHead& out)
        : begin_(head.data()),
          at_(head.data()),
          end_(head.data() + head.size()),
          limits_(limits),
          out_(out) {}

    MaybeFault run() {
        make_blank(out_);
        if (end_ - at_ >= 2 && at_[0] == '\r' && at_[1] == '\n') at_ += 2;
        const bool sound = read_method() && read_target() && read_version() && interpret_target() &&
                           read_fields() && conclude();
        if (!sound) return fault_;
        return std::nullopt;
    }

  private:
    bool read_method() {
        const char* const method = at_;
        at_ = find_end_scalar(at_, end_, kToken);
        const std::string_view name = between(method, at_);
        out_.method_name = name.substr(0, kMaxMethodBytes);
        if (name.empty()) return refuse(kNoMethod);
        if (name.size() > kMaxMethodBytes) return refuse(kMethodTooLong, Reason::not_implemented);
        out_.method = method_of(name);
        // Methods are case-sensitive (RFC 9110, 9.1), but some apps make "POSt" a POST, which other rules
        // hold for than were asked, and answer "HEAd" without the body that they announce.
        if (out_.method == Method::other && std::any_of(name.begin(), name.end(), is_lower))
            return refuse("the method holds a letter in lower case");
        return take(' ') || refuse("the method is not followed by a space");
    }

    bool read_target() {
        const char* const target = at_;
        at_ = find_target_end(at_, end_);
        out_.target = between(target, at_);
        if (out_.target.size() > limits_.uri_bytes) {
            return refuse("the request target is too long", Reason::uri_too_long);
        }
        if (out_.target.empty()) return refuse("the method is not followed by one space and a target");
        return take(' ') || refuse(describe_target_end(at_, end_));
    }

    bool read_version() {
        const bool is_line_end = end_ - at_ >= 10 && at_[8] == '\r' && at_[9] == '\n';
        const bool is_version = is_line_end && std::memcmp(at_, "HTTP/", 5) == 0 && is(at_[5], kDigit) &&
                                at_[6] == '.' && is(at_[7], kDigit);
        if (!is_version) return refuse("the version is not of the form HTTP/1.1");
        if (at_[5] != '1' || at_[7] > '1') {
            return refuse("the version is neither HTTP/1.1 nor HTTP/1.0", Reason::version_not_supported);
        }
        out_.version = at_[7] == '1' ? Version::http11 : Version::http10;
        at_ += 10;
        const bool is_too_large = static_cast<size_t>(end_ - begin_) > limits_.head_bytes;
        return !is_too_large || refuse("the request head is too large", Reason::header_too_large);
    }

    bool interpret_target() {
        if (out_.method == Method::connect)
            return refuse("CONNECT is not supported", Reason::not_implemented);
        if (out_.target.front() == '/') {
            set_path(out_.target);
            return true;
        }
        if (out_.target == "*" && out_.method == Method::options) {
            set_path(out_.target);
            return true;
        }
        return interpret_absolute_form();
    }

    bool interpret_absolute_form() {
        size_t scheme = 0;
        if (starts_with_ignoring_case(out_.target, "http://")) scheme = 7;
        if (starts_with_ignoring_case(out_.target, "https://")) scheme = 8;
        if (scheme == 0) return refuse_target("the target is neither a path nor an http URL");

        const std::string_view rest = out_.target.substr(scheme);
        const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
        out_.authority = rest.substr(0, authority_end);
        if (!is_valid_authority(out_.authority)) return refuse_target("the host in the target is not valid");
        is_absolute_ = true;

        const std::string_view path = rest.substr(authority_end);
        // What would have to be sent on, "/?query", stands nowhere in the head, so that no view can show it.
        if (!path.empty() && path.front() == '?') return refuse_target("the target has a query but no path");
        // RFC 9112, 3.2.4: OPTIONS for a server as a whole.
        if (path.empty()) set_path(out_.method == Method::options ? "*" : "/");
        if (!path.empty()) set_path(path);
        return true;
    }

    void set_path(std::string_view path_and_query) {
        out_.path_and_query = path_and_query;
        const size_t mark = path_and_query.find('?');
        out_.path = path_and_query.substr(0, mark);
        out_.has_query = mark != std::string_view::npos;
        if (out_.has_query) out_.query = path_and_query.substr(mark + 1);
    }

    bool read_fields() {
        while (end_ - at_ < 2 || at_[0] != '\r' || at_[1] != '\n') {
            if (out_.fields.size() == limits_.fields) {
                return refuse("the request has too many fields", Reason::header_too_large);
            }
            Field& field = out_.fields.emplace_back();
            if (const char* detail = read_field_line(at_, end_, field)) return refuse(detail);
            if (field.id != FieldId::other && !note(field)) return false;
        }
        at_ += 2;
        return at_ == end_ || refuse("bytes follow the empty line");
    }

    bool note(const Field& field) {
        at_value_ = field.value.data();
        if (field.id == FieldId::host) return note_host(field.value);
        if (field.id == FieldId::expect) return note_expect(field.value);
        if (field.id == FieldId::te && lists_token(field.value, "trailers")) out_.te_trailers = true;
        const char* const detail = governing_.note(field);
        return detail == nullptr || refuse_value(detail);
    }

    bool note_host(std::string_view value) {
        if (has_host_) return refuse_value("more than one Host");
        has_host_ = true;
        // RFC 9112, 3.2 lets a client without an authority send an empty Host; a proxy cannot tell where that
        // should go.
        if (!is_valid_authority(value)) return refuse_value("the value of Host is not valid");
        if (!is_absolute_) out_.authority = value;
        return true;
    }

    bool note_expect(std::string_view value) {
        if (!equals_ignoring_case(value, "100-continue")) {
            return refuse("an Expect other than 100-continue", Reason::expectation_failed);
        }
        // RFC 9110, 10.1.1: in HTTP/1.0 it is ignored.
        out_.expect_continue = out_.version == Version::http11;
        return true;
    }

    bool conclude() {
        if (!has_host_ && out_.version == Version::http11) return refuse("Host is missing");
        if (const char* detail = governing_.conclude(out_.version)) return refuse(detail);
        out_.keep_alive = governing_.keeps_alive(out_.version);
        out_.upgrade = governing_.upgrade(out_.version);
        if (governing_.is_chunked()) out_.body = {Framing::chunked, 0};
        if (const auto length = governing_.content_length()) out_.body = {Framing::length, *length};
        return true;
    }

    static std::string_view between(const char* from, const char* to) {
        return {from, static_cast<size_t>(to - from)};
    }

    bool take(char wanted) {
        if (at_ == end_ || *at_ != wanted) return false;
        ++at_;
        return true;
    }

    bool refuse(const char* detail, Reason reason = Reason::bad_request) {
        fault_ = {reason, detail, static_cast<size_t>(at_ - begin_)};
        return false;
    }

    bool refuse_target(const char* detail) {
        at_ = out_.target.data();
        return refuse(detail);
    }

    bool refuse_value(const char* detail) {
        at_ = at_value_;
        return refuse(detail);
    }

    const char* const begin_;
    const char* at_;
    const char* const end_;
    const HeadLimits& limits_;
    RequestHead& out_;
    GoverningFields governing_;
    const char* at_value_ = nullptr;
    bool has_host_ = false;
    bool is_absolute_ = false;
    HeadFault fault_;
};

/// Past which limit a head went that has no end yet.
HeadFault describe_too_long(std::string_view head, const HeadLimits& limits) {
    const char* const end = head.data() + head.size();
    const char* const target = std::find(head.data(), end, ' ');
    const char* const target_end = target == end ? end : find_target_end(target + 1, end);
    const bool is_target = target_end - target > static_cast<ptrdiff_t>(limits.uri_bytes);
    if (is_target) return {Reason::uri_too_long, "the request target is too long", head.size()};
    return {Reason::header_too_large, "the request head is too large", head.size()};
}

}  // namespace

MaybeFault parse_request_head(std::string_view head, const HeadLimits& limits, RequestHead& out) {
    return RequestParser(head, limits, out).run();
}

MaybeFault check_partial_request(std::string_view bytes, const HeadLimits& limits) {
    const size_t skipped = bytes.substr(0, 2) == "\r\n" ? 2 : 0;
    const std::string_view line = bytes.substr(skipped);
    if (line.empty() || bytes == "\r") return std::nullopt;

    const std::string_view start = line.substr(0, kMaxMethodBytes + 1);
    const char* const stop = find_end_scalar(start.data(), start.data() + start.size(), kToken);
    const auto length = static_cast<size_t>(stop - start.data());
    if (length > kMaxMethodBytes) return HeadFault{Reason::not_implemented, kMethodTooLong, skipped + length};
    if (length < start.size() && (length == 0 || *stop != ' ')) {
        constexpr char kTlsHandshake = 0x16;
        const bool is_tls = length == 0 && *stop == kTlsHandshake;
        const char* const detail = is_tls ? "this is TLS, and here plain HTTP is spoken" : kNoMethod;
        return HeadFault{Reason::bad_request, detail, skipped + length};
    }
    const std::string_view target = line.substr(std::min(length + 1, line.size()));
    const bool target_is_open =
        target.size() > limits.uri_bytes && target.find_first_of(" \r") == std::string_view::npos;
    if (target_is_open || bytes.size() >= limits.head_bytes) return describe_too_long(line, limits);
    return std::nullopt;
}

}  // namespace weir::http
