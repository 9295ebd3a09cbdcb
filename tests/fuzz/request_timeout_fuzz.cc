// What a client says of its patience: read as slowly and plainly as can be, it is the same.
#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/request_timeout.h"
#include "input.h"

namespace weir::fuzz {
namespace {

bool is_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct Unit {
    std::string_view name;
    long double nanoseconds;
};
constexpr Unit kUnits[] = {{"ms", 1e6L}, {"s", 1e9L}, {"m", 60e9L}, {"", 1e9L}};
constexpr Unit kGrpcUnits[] = {{"H", 3600e9L}, {"M", 60e9L}, {"S", 1e9L},
                               {"m", 1e6L},    {"u", 1e3L},  {"n", 1.0L}};

/// In nanoseconds; of the first unit that the text ends in and whose number is one.
template <class IsNumber>
std::optional<long double> read(std::string_view text, std::span<const Unit> units, IsNumber is_number) {
    for (const Unit& unit : units) {
        if (!text.ends_with(unit.name)) continue;
        const std::string number(text.substr(0, text.size() - unit.name.size()));
        if (is_number(number)) return std::min(std::stold(number), 1e12L) * unit.nanoseconds;
    }
    return std::nullopt;
}

bool is_decimal(std::string_view text) {
    const size_t point = text.find('.');
    if (point == std::string_view::npos) return is_digits(text);
    return is_digits(text.substr(0, point)) && is_digits(text.substr(point + 1));
}

bool is_grpc_number(std::string_view text) { return is_digits(text) && text.size() <= 8; }

/// What is dropped of it is less than a millionth of the largest unit.
void require_close(std::optional<Duration> ours, std::optional<long double> plain) {
    require(ours.has_value() == plain.has_value(), "a plain reader takes it for a timeout too");
    if (!ours) return;
    require(*ours >= Duration::zero() && *ours <= http::kLongestTimeout, "a timeout is within its bounds");
    const long double bounded = std::min(*plain, static_cast<long double>(http::kLongestTimeout.count()));
    require(std::fabs(bounded - static_cast<long double>(ours->count())) <= 60'000,
            "a plain reader reads as much");
}

void run(std::string_view input) {
    // No field is longer than a head, and stold would take its time.
    const ExactCopy copy(input.substr(0, 4096));
    require_close(http::parse_request_timeout(copy.view()), read(copy.view(), kUnits, is_decimal));
    require_close(http::parse_grpc_timeout(copy.view()), read(copy.view(), kGrpcUnits, is_grpc_number));
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    weir::fuzz::run(weir::fuzz::bytes_of(data, size));
    return 0;
}
