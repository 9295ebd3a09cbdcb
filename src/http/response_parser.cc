#include <cstring>

#include "http/byte_scan.h"
#include "http/field_line.h"
#include "http/governing_fields.h"
#include "http/head_parser.h"

namespace weir::http {
namespace {

/// One call of parse_response_head. Each step returns false after it has noted its fault.
class ResponseParser {
  public:
    ResponseParser(std::string_view head, ResponseHead& out)
        : begin_(head.data()), at_(head.data()), end_(head.data() + head.size()), out_(out) {}

    MaybeFault run() {
        make_blank(out_);
        const bool sound = check_size() && read_version() && read_status() && read_fields() && conclude();
        if (!sound) return fault_;
        return std::nullopt;
    }

  private:
    bool check_size() {
        const bool is_too_large = static_cast<size_t>(end_ - begin_) > kMaxResponseHeadBytes;
        return !is_too_large || refuse("the head of the app's answer is too large");
    }

    bool read_version() {
        constexpr size_t kLength = 9;  // "HTTP/1.1 "
        const bool is_known = end_ - at_ >= static_cast<ptrdiff_t>(kLength) &&
                              std::memcmp(at_, "HTTP/1.", 7) == 0 && (at_[7] == '0' || at_[7] == '1') &&
                              at_[8] == ' ';
        if (!is_known) return refuse("the app's answer does not begin with HTTP/1.1 or HTTP/1.0");
        out_.version = at_[7] == '1' ? Version::http11 : Version::http10;
        at_ += kLength;
        return true;
    }

    bool read_status() {
        const bool is_number =
            end_ - at_ >= 3 && is(at_[0], kDigit) && is(at_[1], kDigit) && is(at_[2], kDigit);
        if (!is_number) return refuse("the app's status is not a number of three digits");
        const unsigned status = hex_value(at_[0]) * 100 + hex_value(at_[1]) * 10 + hex_value(at_[2]);
        if (status < 100 || status > 599) return refuse("the app's status is not between 100 and 599");
        out_.status = static_cast<uint16_t>(status);
        at_ += 3;
        return read_phrase();
    }

    bool read_phrase() {
        // The space is due even before an empty phrase (RFC 9112, 4), but many apps leave both out, and
        // nobody can misread that.
        const char* phrase = at_;
        if (at_ != end_ && *at_ == ' ') {
            phrase = at_ + 1;
            at_ = find_value_end(phrase, end_);
        }
        if (!is_at_line_end()) return refuse("the app's status line holds a byte that is not allowed there");
        out_.reason_phrase = {phrase, static_cast<size_t>(at_ - phrase)};
        at_ += 2;
        return true;
    }

    bool read_fields() {
        while (!is_at_line_end()) {
            if (out_.fields.size() == kMaxResponseFields)
                return refuse("the app's answer has too many fields");
            Field& field = out_.fields.emplace_back();
            if (const char* detail = read_field_line(at_, end_, field)) return refuse(detail);
            if (field.id == FieldId::other) continue;
            if (const char* detail = governing_.note(field)) {
                at_ = field.value.data();
                return refuse(detail);
            }
        }
        at_ += 2;
        return at_ == end_ || refuse("bytes follow the empty line");
    }

    bool conclude() {
        if (const char* detail = governing_.conclude(out_.version)) return refuse(detail);
        out_.upgrade = governing_.upgrade(out_.version);
        out_.chunked = governing_.is_chunked();
        out_.content_length = governing_.content_length();
        // A 204 has no body. An app that announces one all the same may well send it, and its bytes would be
        // taken for the next answer.
        const bool announces_body = out_.chunked || out_.content_length.value_or(0) != 0;
        const bool contradicts_itself = out_.status == 204 && announces_body;
        out_.keep_alive = governing_.keeps_alive(out_.version) && !contradicts_itself;
        return true;
    }

    [[nodiscard]] bool is_at_line_end() const { return end_ - at_ >= 2 && at_[0] == '\r' && at_[1] == '\n'; }

    bool refuse(const char* detail) {
        fault_ = {Reason::upstream_protocol, detail, static_cast<size_t>(at_ - begin_)};
        return false;
    }

    const char* const begin_;
    const char* at_;
    const char* const end_;
    ResponseHead& out_;
    GoverningFields governing_;
    HeadFault fault_;
};

}  // namespace

MaybeFault parse_response_head(std::string_view head, ResponseHead& out) {
    return ResponseParser(head, out).run();
}

}  // namespace weir::http
