#include "proxy/access_log.h"

#include <bit>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "proxy/secret_names.h"

namespace weir::proxy {
namespace {

constexpr size_t kMaxShortField = 256;
constexpr size_t kMaxLoggedName = 96;
constexpr size_t kTraceIdLength = 32;
constexpr size_t kLongestEscape = 6;  // \u00XX
constexpr char kHexDigits[] = "0123456789abcdef";

// Eleven texts are short ones. A name of a rule needs no escaping, but quotes and a comma. The remainder is
// keys, numbers, the trace, ellipses and the scan's last 8-byte store.
static_assert((kMaxLoggedTarget + 2 * kMaxLoggedField + 11 * kMaxShortField) * kLongestEscape +
                  kMostShadows * (kMaxLoggedName + 3) + 850 <=
              kMaxLineBytes);

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// The length of the well-formed character (RFC 3629) beyond ASCII that `text` begins with; 0 where there is
/// none or where it is one a reader may take for the end of a line or a terminal for a command.
size_t printable_length(std::string_view text) {
    const auto at = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const unsigned first = at(0);
    const unsigned second = at(1);
    if ((second & 0xC0) != 0x80) return 0;
    if (first >= 0xC2 && first <= 0xDF) return first == 0xC2 && second < 0xA0 ? 0 : 2;

    const unsigned third = at(2);
    if ((third & 0xC0) != 0x80) return 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const bool is_overlong = first == 0xE0 && second < 0xA0;
        const bool is_surrogate = first == 0xED && second > 0x9F;
        const bool is_line_separator = first == 0xE2 && second == 0x80 && (third == 0xA8 || third == 0xA9);
        return is_overlong || is_surrogate || is_line_separator ? 0 : 3;
    }

    const bool is_in_range = (first == 0xF0 && second >= 0x90) || (first >= 0xF1 && first <= 0xF3) ||
                             (first == 0xF4 && second <= 0x8F);
    return is_in_range && (at(3) & 0xC0) == 0x80 ? 4 : 0;
}

/// At most `limit` bytes of `text`, and no part of a UTF-8 character at the end.
std::string_view cut(std::string_view text, size_t limit) {
    if (text.size() <= limit) return text;
    size_t end = limit;
    while (end > 0 && limit - end < 3 && is_continuation(text[end])) --end;
    return text.substr(0, is_continuation(text[end]) ? limit : end);
}

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighBits = kOnes * 0x80;

constexpr uint64_t bytes_equal_to(uint64_t word, unsigned char value) {
    const uint64_t difference = word ^ (kOnes * value);
    return (difference - kOnes) & ~difference & kHighBits;
}

/// Non-zero where one of eight bytes is not printable ASCII or is a quote or a backslash. The lowest bit set
/// belongs to the lowest such byte; bits above it may be wrong, for a borrow runs upwards.
constexpr uint64_t bytes_to_escape(uint64_t word) {
    const uint64_t controls = (word - kOnes * 0x20) & ~word & kHighBits;
    return controls | (word & kHighBits) | bytes_equal_to(word, '"') | bytes_equal_to(word, '\\') |
           bytes_equal_to(word, 0x7F);
}

bool is_plain(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

/// A line under construction in memory of fixed size: the bound above lets every append go without a check.
class Line {
  public:
    template <size_t n>
    void literal(const char (&text)[n]) {
        std::memcpy(at_, text, n - 1);
        at_ += n - 1;
    }
    void raw(std::string_view text) {
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }
    void number(uint64_t value) { at_ = std::to_chars(at_, at_ + 20, value).ptr; }
    void digits(unsigned value, int count) {
        for (int i = count; i-- > 0; value /= 10) at_[i] = static_cast<char>('0' + value % 10);
        at_ += count;
    }
    /// Writes the plain bytes `text` begins with and returns the rest.
    std::string_view plain(std::string_view text);
    [[nodiscard]] std::string_view view() const { return {bytes_, static_cast<size_t>(at_ - bytes_)}; }

  private:
    char* at_ = bytes_;
    char bytes_[kMaxLineBytes];  // not initialised: a line touches only what it needs
};

std::string_view Line::plain(std::string_view text) {
    constexpr size_t kWord = sizeof(uint64_t);
    if (std::endian::native == std::endian::little && text.size() >= kWord) {
        const char* in = text.data();
        const char* const end = in + text.size();
        uint64_t found = 0;
        // The last word overlaps the one before it: what both hold was found plain and is copied to the same
        // place.
        for (const char* word_at = in; found == 0 && in != end; word_at = in) {
            if (word_at + kWord > end) word_at = end - kWord;
            uint64_t word = 0;
            std::memcpy(&word, word_at, kWord);
            std::memcpy(at_ - (in - word_at), &word, kWord);
            found = bytes_to_escape(word);
            const char* const next =
                word_at + (found == 0 ? kWord : static_cast<size_t>(std::countr_zero(found)) / 8);
            at_ += next - in;
            in = next;
        }
        return {in, static_cast<size_t>(end - in)};
    }
    size_t i = 0;
    for (; i < text.size() && is_plain(text[i]); ++i) *at_++ = text[i];
    return text.substr(i);
}

struct JsonEscape {
    static constexpr std::string_view kEllipsis = "\u2026";

    /// Writes what `text` begins with, which is not plain, and returns the number of bytes it took.
    static size_t write(Line& line, std::string_view text) {
        const auto byte = static_cast<unsigned char>(text.front());
        if (const size_t length = byte < 0x80 ? 0 : printable_length(text); length != 0) {
            line.raw(text.substr(0, length));
            return length;
        }
        if (byte == '"' || byte == '\\') {
            const char escaped[] = {'\\', text.front()};
            line.raw({escaped, sizeof escaped});
            return 1;
        }
        const char escaped[] = {'\\', 'u', '0', '0', kHexDigits[byte >> 4], kHexDigits[byte & 0xF]};
        line.raw({escaped, sizeof escaped});
        return 1;
    }
};

struct CombinedEscape {
    static constexpr std::string_view kEllipsis = "...";

    static size_t write(Line& line, std::string_view text) {
        constexpr char kUpperHexDigits[] = "0123456789ABCDEF";
        const auto byte = static_cast<unsigned char>(text.front());
        const char escaped[] = {'\\', 'x', kUpperHexDigits[byte >> 4], kUpperHexDigits[byte & 0xF]};
        line.raw({escaped, sizeof escaped});
        return 1;
    }
};

template <class Escape>
void write_escaped(Line& line, std::string_view text) {
    while (!(text = line.plain(text)).empty()) text.remove_prefix(Escape::write(line, text));
}

template <class Escape>
void write_text(Line& line, std::string_view text, size_t limit = kMaxShortField) {
    const auto kept = cut(text, limit);
    write_escaped<Escape>(line, kept);
    if (kept.size() < text.size()) line.raw(Escape::kEllipsis);
}

template <class Escape>
void write_address(Line& line, std::string_view address, size_t limit) {
    const auto kept = cut(address, limit);
    strike_out_secrets(kept, [&](std::string_view piece) { write_escaped<Escape>(line, piece); });
    if (kept.size() < address.size()) line.raw(Escape::kEllipsis);
}

struct SecondText {
    int64_t second = std::numeric_limits<int64_t>::min();
    char json[20];      // 2000-10-10T13:55:36.
    char combined[26];  // 10/Oct/2000:13:55:36 +0000
};

void format_second(std::chrono::sys_seconds second, SecondText& text) {
    static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const auto day = std::chrono::floor<std::chrono::days>(second);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{second - day};
    const auto put = [](char* out, auto value, int count) {
        for (int i = count; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
    };
    std::memcpy(text.json, "0000-00-00T00:00:00.", sizeof text.json);
    std::memcpy(text.combined, "00/   /0000:00:00:00 +0000", sizeof text.combined);
    const size_t month = static_cast<unsigned>(date.month());
    std::memcpy(text.combined + 3, kMonths + 3 * (month - 1), 3);
    put(text.json + 5, month, 2);
    for (char* year : {text.json, text.combined + 7}) put(year, static_cast<int>(date.year()), 4);
    for (char* out : {text.json + 8, text.combined}) put(out, static_cast<unsigned>(date.day()), 2);
    for (char* out : {text.json + 11, text.combined + 12}) {
        put(out, clock.hours().count(), 2);
        put(out + 3, clock.minutes().count(), 2);
        put(out + 6, clock.seconds().count(), 2);
    }
    text.second = second.time_since_epoch().count();
}

const SecondText& second_text(std::chrono::sys_seconds second) {
    thread_local SecondText cached;
    if (cached.second != second.time_since_epoch().count()) format_second(second, cached);
    return cached;
}

void write_time(Line& line, WallTime time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    line.raw({second_text(second).json, sizeof(SecondText::json)});
    const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(time - second);
    line.digits(static_cast<unsigned>(rest.count()), 6);
    line.literal("Z");
}

template <size_t n>
void write_duration(Line& line, const char (&key)[n], Duration duration) {
    if (duration < Duration::zero()) return;
    line.literal(key);
    const auto micros =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
    line.number(micros / 1000);
    line.literal(".");
    line.digits(static_cast<unsigned>(micros % 1000), 3);
}

/// `key` ends with the quote that opens the value.
template <size_t n>
void write_optional(Line& line, const char (&key)[n], std::string_view value) {
    if (value.empty()) return;
    line.literal(key);
    write_text<JsonEscape>(line, value);
    line.literal("\"");
}

void write_json_request(Line& line, const AccessRecord& record) {
    line.literal("{\"time\":\"");
    write_time(line, record.time);
    line.literal("\",\"id\":\"");
    write_text<JsonEscape>(line, record.request_id);
    line.literal("\",\"client\":\"");
    write_text<JsonEscape>(line, record.client_address);
    line.literal("\",\"method\":\"");
    write_text<JsonEscape>(line, record.method);
    line.literal("\",\"host\":\"");
    write_text<JsonEscape>(line, record.host);
    line.literal("\",\"path\":\"");
    write_address<JsonEscape>(line, record.target, kMaxLoggedTarget);
    line.literal("\",\"protocol\":\"");
    write_text<JsonEscape>(line, record.protocol);
    if (record.tls.empty()) return;
    line.literal("\",\"tls\":\"");
    write_text<JsonEscape>(line, record.tls);
}

void write_shadows(Line& line, const AccessRecord& record) {
    if (record.shadow_refusals.none()) return;
    line.literal(",\"shadow\":");
    char before = '[';
    for_each_shadow_refusal(record, [&](size_t index) {
        const char open[] = {std::exchange(before, ','), '"'};
        line.raw({open, sizeof open});
        line.raw(record.shadow_names[index].substr(0, kMaxLoggedName));
        line.literal("\"");
    });
    line.literal("]");
}

void write_json_outcome(Line& line, const AccessRecord& record) {
    line.literal("\",\"status\":");
    line.number(record.status);
    write_optional(line, ",\"route\":\"", record.route);
    write_optional(line, ",\"reason\":\"", record.reason);
    write_optional(line, ",\"rule\":\"", record.rule);
    write_shadows(line, record);
    write_optional(line, ",\"cut\":\"", record.cut);
    line.literal(",\"bytes_in\":");
    line.number(record.request_bytes);
    line.literal(",\"bytes_out\":");
    line.number(record.response_bytes);
    write_duration(line, ",\"queue_ms\":", record.queue);
    write_duration(line, ",\"hold_ms\":", record.hold);
    write_duration(line, ",\"connect_ms\":", record.connect);
    write_duration(line, ",\"first_byte_ms\":", record.first_byte);
    write_duration(line, ",\"total_ms\":", record.total);
    if (record.retries > 0) {
        line.literal(",\"retries\":");
        line.number(record.retries);
    }
}

void write_json_parties(Line& line, const AccessRecord& record) {
    write_optional(line, ",\"server\":\"", record.server);
    if (!record.trace_id.empty()) {
        line.literal(",\"trace_id\":\"");
        line.raw(record.trace_id.substr(0, kTraceIdLength));
        line.literal("\"");
    }
    if (!record.referer.empty()) {
        line.literal(",\"referer\":\"");
        write_address<JsonEscape>(line, record.referer, kMaxLoggedField);
        line.literal("\"");
    }
    if (!record.user_agent.empty()) {
        line.literal(",\"user_agent\":\"");
        write_text<JsonEscape>(line, record.user_agent, kMaxLoggedField);
        line.literal("\"");
    }
    if (record.slow) line.literal(",\"slow\":true");
    line.literal("}\n");
}

void write_request_line(Line& line, const AccessRecord& record) {
    if (record.method.empty() && record.target.empty()) {
        line.literal("-");
        return;
    }
    write_text<CombinedEscape>(line, record.method);
    line.literal(" ");
    write_address<CombinedEscape>(line, record.target, kMaxLoggedTarget);
    if (record.protocol.empty()) return;
    line.literal(" ");
    write_text<CombinedEscape>(line, record.protocol);
}

std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

}  // namespace

void append_json_line(const AccessRecord& record, std::string& out) {
    Line line;
    write_json_request(line, record);
    write_json_outcome(line, record);
    write_json_parties(line, record);
    out.append(line.view());
}

void append_combined_line(const AccessRecord& record, std::string& out) {
    Line line;
    write_text<CombinedEscape>(line, or_dash(record.client_address));
    line.literal(" - - [");
    const auto second = std::chrono::floor<std::chrono::seconds>(record.time);
    line.raw({second_text(second).combined, sizeof(SecondText::combined)});
    line.literal("] \"");
    write_request_line(line, record);
    line.literal("\" ");
    line.number(record.status);
    line.literal(" ");
    line.number(record.response_bytes);
    line.literal(" \"");
    write_address<CombinedEscape>(line, or_dash(record.referer), kMaxLoggedField);
    line.literal("\" \"");
    write_text<CombinedEscape>(line, or_dash(record.user_agent), kMaxLoggedField);
    line.literal("\"\n");
    out.append(line.view());
}

AccessLog::AccessLog(LogWriter* writer, config::LogFormat format) { use(writer, format); }

void AccessLog::use(LogWriter* writer, config::LogFormat format) {
    flush();
    writer_ = writer;
    format_ = format;
    if (writer_ != nullptr) buffer_.reserve(kFlushBytes + kMaxLineBytes);
}

void AccessLog::write(const AccessRecord& record) {
    if (writer_ == nullptr) return;
    switch (format_) {
        case config::LogFormat::json: append_json_line(record, buffer_); break;
        case config::LogFormat::combined: append_combined_line(record, buffer_); break;
    }
    if (buffer_.size() >= kFlushBytes) flush();
}

void AccessLog::flush() {
    if (writer_ == nullptr || buffer_.empty()) return;
    writer_->submit(buffer_);
}

}  // namespace weir::proxy
