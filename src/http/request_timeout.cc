#include "http/request_timeout.h"

#include <algorithm>
#include <cstdint>

#include "http/char_class.h"

namespace weir::http {
namespace {

/// Takes the digits at the front off `text`.
std::string_view take_digits(std::string_view& text) {
    const auto* const end = std::find_if_not(text.begin(), text.end(), [](char c) { return is(c, kDigit); });
    const std::string_view digits = text.substr(0, static_cast<size_t>(end - text.begin()));
    text.remove_prefix(digits.size());
    return digits;
}

/// No smaller than any number of units in the longest timeout, and far from overflow.
constexpr int64_t kEnough = 1'000'000'000'000'000;

/// What is larger than that is that.
int64_t number_of(std::string_view digits) {
    int64_t number = 0;
    for (const char c : digits) number = std::min(number * 10 + (c - '0'), kEnough);
    return number;
}

/// The decimals as so many millionths.
int64_t millionths_of(std::string_view decimals) {
    int64_t millionths = 0;
    for (size_t at = 0; at < 6; ++at)
        millionths = millionths * 10 + (at < decimals.size() ? decimals[at] - '0' : 0);
    return millionths;
}

Duration bounded(int64_t number, Duration unit) {
    return number >= kLongestTimeout / unit ? kLongestTimeout : number * unit;
}

std::optional<Duration> unit_of(std::string_view name) {
    using namespace std::chrono_literals;
    if (name == "ms") return 1ms;
    if (name == "s" || name.empty()) return 1s;
    if (name == "m") return 1min;
    return std::nullopt;
}

std::optional<Duration> grpc_unit_of(char name) {
    using namespace std::chrono_literals;
    switch (name) {
        case 'H': return 1h;
        case 'M': return 1min;
        case 'S': return 1s;
        case 'm': return 1ms;
        case 'u': return 1us;
        case 'n': return 1ns;
        default: return std::nullopt;
    }
}

}  // namespace

std::optional<Duration> parse_request_timeout(std::string_view text) {
    const std::string_view whole = take_digits(text);
    if (whole.empty()) return std::nullopt;
    std::string_view decimals;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        decimals = take_digits(text);
        if (decimals.empty()) return std::nullopt;
    }
    const auto unit = unit_of(text);
    if (!unit) return std::nullopt;
    const Duration part = *unit * millionths_of(decimals) / 1'000'000;
    return std::min(bounded(number_of(whole), *unit) + part, kLongestTimeout);
}

std::optional<Duration> parse_grpc_timeout(std::string_view text) {
    constexpr size_t kMostDigits = 8;
    const std::string_view digits = take_digits(text);
    if (digits.empty() || digits.size() > kMostDigits || text.size() != 1) return std::nullopt;
    const auto unit = grpc_unit_of(text.front());
    return unit ? std::optional(bounded(number_of(digits), *unit)) : std::nullopt;
}

Duration patience_of(const RequestHead& head) {
    Duration patience = Duration::max();
    for (const Field& field : head.fields)
        if (auto timeout = timeout_in(field)) patience = std::min(patience, *timeout);
    return patience;
}

}  // namespace weir::http
