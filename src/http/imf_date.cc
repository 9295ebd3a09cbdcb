#include "http/imf_date.h"

#include <cstring>

namespace weir::http {
namespace {

constexpr char kDays[] = "SunMonTueWedThuFriSat";
constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void put_two_digits(unsigned value, char* out) {
    out[0] = static_cast<char>('0' + value / 10 % 10);
    out[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

void write_imf_date(WallTime time, char* out) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));

    std::memcpy(out, "Day, 00 Mon 0000 00:00:00 GMT", kImfDateLength);
    std::memcpy(out, kDays + size_t{3} * std::chrono::weekday(day).c_encoding(), 3);
    put_two_digits(static_cast<unsigned>(date.day()), out + 5);
    std::memcpy(out + 8, kMonths + size_t{3} * (static_cast<unsigned>(date.month()) - 1), 3);
    put_two_digits(year / 100, out + 12);
    put_two_digits(year % 100, out + 14);
    put_two_digits(static_cast<unsigned>(clock.hours().count()), out + 17);
    put_two_digits(static_cast<unsigned>(clock.minutes().count()), out + 20);
    put_two_digits(static_cast<unsigned>(clock.seconds().count()), out + 23);
}

std::string_view DateCache::at(WallTime now) {
    const int64_t second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    if (second != second_) {
        write_imf_date(now, text_);
        second_ = second;
    }
    return {text_, kImfDateLength};
}

}  // namespace weir::http
