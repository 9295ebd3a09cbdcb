#include "http/chunk_decoder.h"

#include <algorithm>
#include <charconv>

#include "http/char_class.h"
#include "http/field_id.h"
#include "http/field_line.h"

namespace weir::http {
namespace {

constexpr uint64_t kMaxChunkBytes = uint64_t{1} << 62;

// RFC 9110, 6.5.1 names the kinds; these are the fields of each kind that apps act upon and that FieldId does
// not know.
constexpr std::string_view kNeverTrailers[] = {
    "age",           "authentication-info",       "authorization", "cache-control",
    "content-range", "content-encoding",          "cookie",        "expires",
    "if-match",      "if-modified-since",         "if-none-match", "if-range",
    "location",      "if-unmodified-since",       "max-forwards",  "pragma",
    "range",         "proxy-authentication-info", "retry-after",   "set-cookie",
    "vary",          "strict-transport-security", "warning",       "www-authenticate",
};

bool may_be_trailer(std::string_view name) {
    // Every field that FieldId knows frames, routes, authenticates, describes the content or is weir's own.
    if (folded_field_id_of(name) != FieldId::other || is_x_forwarded(name)) return false;
    return std::none_of(std::begin(kNeverTrailers), std::end(kNeverTrailers),
                        [&](std::string_view never) { return equals_ignoring_case(name, never); });
}

}  // namespace

ChunkDecoder::Step ChunkDecoder::next(std::string_view input) {
    const uint64_t start = position_;
    std::string_view payload;
    while (payload.empty() && !done() && !failed()) {
        const std::string_view rest = input.substr(static_cast<size_t>(position_ - start));
        if (rest.empty()) break;
        if (state_ == State::data) {
            payload = rest.substr(0, static_cast<size_t>(std::min<uint64_t>(left_, rest.size())));
            left_ -= payload.size();
            position_ += payload.size();
            if (left_ == 0) state_ = State::data_cr;
        } else if (state_ == State::trailer) {
            position_ += take_trailer(rest);
        } else {
            take(rest.front());
            if (!failed()) ++position_;
        }
    }
    return {static_cast<size_t>(position_ - start), payload};
}

void ChunkDecoder::take(char byte) {
    switch (state_) {
        case State::size: return take_size(byte);
        case State::extension: return take_extension(byte);
        case State::size_lf:
            if (byte == '\n') return begin_chunk();
            return fail("a chunk's size line ends in a bare CR", position_);
        case State::data_cr: return expect(byte, '\r', State::data_lf);
        case State::data_lf:
            left_ = 0;
            digits_ = 0;
            extension_ = 0;
            return expect(byte, '\n', State::size);
        case State::data:
        case State::trailer:
        case State::done:
        case State::failed: return;
    }
}

void ChunkDecoder::take_size(char byte) {
    if (is(byte, kHexDigit)) {
        constexpr uint8_t kMaxDigits = 16;
        left_ = left_ << 4 | hex_value(byte);
        if (++digits_ > kMaxDigits || left_ > kMaxChunkBytes) fail("a chunk's size is too large", position_);
        return;
    }
    if (digits_ != 0 && byte == '\r') {
        state_ = State::size_lf;
    } else if (digits_ != 0 && byte == ';') {
        state_ = State::extension;
    } else {
        fail("a chunk's size is not a hexadecimal number", position_);
    }
}

void ChunkDecoder::take_extension(char byte) {
    if (byte == '\r') {
        state_ = State::size_lf;
    } else if (!is(byte, kFieldValue) || byte == '\t') {
        fail("a chunk extension holds a control byte", position_);
    } else if (++extension_ > kMaxExtensionBytes) {
        fail("a chunk extension is too long", position_);
    }
}

void ChunkDecoder::begin_chunk() {
    state_ = left_ == 0 ? State::trailer : State::data;
    trailer_start_ = position_ + 1;
}

size_t ChunkDecoder::take_trailer(std::string_view input) {
    const size_t line_feed = input.find('\n');
    const bool ends_line = line_feed != std::string_view::npos;
    const std::string_view piece = input.substr(0, ends_line ? line_feed + 1 : input.size());
    const size_t room = kMaxTrailerBytes - trailers_.size();
    if (piece.size() > room) {
        fail("the trailer section is too large", position_ + room);
        return room;
    }
    trailers_.append(piece);
    if (!ends_line) return piece.size();

    const std::string_view line = std::string_view(trailers_).substr(trailer_line_);
    if (line == "\r\n") {
        trailers_.resize(trailer_line_);
        state_ = State::done;
        return piece.size();
    }
    Field field;
    const char* at = line.data();
    if (const char* detail = read_field_line(at, line.data() + line.size(), field)) {
        fail(detail, trailer_start_ + static_cast<uint64_t>(at - trailers_.data()));
    }
    trailer_line_ = trailers_.size();
    return piece.size();
}

void ChunkDecoder::expect(char byte, char wanted, State next) {
    if (byte != wanted) return fail("a chunk's data is not followed by CRLF", position_);
    state_ = next;
}

void ChunkDecoder::fail(const char* detail, uint64_t offset) {
    fault_ = {Reason::bad_request, detail, static_cast<size_t>(offset)};
    state_ = State::failed;
}

std::vector<Field> parse_trailers(std::string_view section) {
    std::vector<Field> fields;
    const char* at = section.data();
    const char* const end = at + section.size();
    Field field;
    while (at != end && read_field_line(at, end, field) == nullptr) {
        if (may_be_trailer(field.name)) fields.push_back(field);
    }
    return fields;
}

std::string passable_trailers(std::string_view section) {
    std::string passable;
    for (const Field& field : parse_trailers(section)) {
        passable.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    return passable;
}

size_t write_chunk_head(uint64_t size, char* out) {
    constexpr size_t kDigits = 16;
    char* const end = std::to_chars(out, out + kDigits, size, 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    return static_cast<size_t>(end + 2 - out);
}

}  // namespace weir::http
