// Numbers, decimals and moments as JSON text.
#include <charconv>
#include <chrono>
#include <cmath>

#include "format/bson/decimal.hpp"
#include "format/bson/json_text.hpp"

namespace leat::bson {

namespace {

constexpr std::size_t number_bytes_max = 32;

// `count` digits, leading zeros included.
auto write_padded(char* to, unsigned value, int count) -> char* {
    for (int i = count - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
    return to + count;
}

// Up to 15 digits, no two decimals are the same double: where one with two decimals divides to
// just this value, its digits are the shortest there are. Prices are such; the general way takes
// several times as long.
auto write_short_decimal(char* to, double value) -> char* {
    constexpr double digits_15 = 1e15;
    const double magnitude = std::fabs(value);
    const double scaled = magnitude * 100;
    if (!(scaled < digits_15)) return nullptr;
    const auto cents = std::int64_t{std::llrint(scaled)};
    if (static_cast<double>(cents) / 100 != magnitude) return nullptr;
    if (std::signbit(value)) *to++ = '-';
    to = std::to_chars(to, to + number_bytes_max / 2, cents / 100).ptr;
    *to++ = '.';
    const auto decimals = static_cast<unsigned>(cents % 100);
    return decimals % 10 == 0 ? write_padded(to, decimals / 10, 1) : write_padded(to, decimals, 2);
}

// As Python's repr and DuckDB's cast to text have it: an exponent below -4 and from 16 on.
auto write_shortest(char* to, double value) -> std::string_view {
    char* const limit = to + number_bytes_max;
    constexpr double fixed_from = 1e-4;
    constexpr double fixed_below = 1e16;
    const double magnitude = std::fabs(value);
    const bool is_fixed = magnitude == 0 || (magnitude >= fixed_from && magnitude < fixed_below);
    const auto format = is_fixed ? std::chars_format::fixed : std::chars_format::scientific;
    return {to, static_cast<std::size_t>(std::to_chars(to, limit, value, format).ptr - to)};
}

}  // namespace

auto JsonText::number(std::int64_t value) -> void {
    room(number_bytes_max);
    at_ = std::to_chars(at_, at_ + number_bytes_max, value).ptr;
}

auto JsonText::number(double value) -> void {
    if (std::isnan(value)) return put(R"({"$numberDouble":"NaN"})");
    if (std::isinf(value))
        return value > 0 ? put(R"({"$numberDouble":"Infinity"})")
                         : put(R"({"$numberDouble":"-Infinity"})");
    room(number_bytes_max);
    if (char* end = write_short_decimal(at_, value)) {
        at_ = end;
        return;
    }
    const auto text = write_shortest(at_, value);
    at_ += text.size();
    if (text.find_first_of(".e") == std::string_view::npos) put(".0");
}

auto JsonText::decimal(std::string_view decimal128) -> void {
    room(decimal_text_bytes_max);
    at_ = write_decimal_text(at_, decimal128);
}

auto JsonText::moment(std::int64_t time_ms) -> void {
    using namespace std::chrono;  // NOLINT: its calendar
    const auto days_since = floor<days>(milliseconds(time_ms));
    const year_month_day date{sys_days(days_since)};
    const hh_mm_ss time(milliseconds(time_ms) - days_since);
    room(number_bytes_max);
    const auto part = [this](auto value, int count, char behind) {
        at_ = write_padded(at_, static_cast<unsigned>(value), count);
        *at_++ = behind;
    };
    part(static_cast<int>(date.year()), 4, '-');
    part(static_cast<unsigned>(date.month()), 2, '-');
    part(static_cast<unsigned>(date.day()), 2, 'T');
    part(time.hours().count(), 2, ':');
    part(time.minutes().count(), 2, ':');
    const auto fraction = time.subseconds().count();
    part(time.seconds().count(), 2, fraction == 0 ? 'Z' : '.');
    if (fraction != 0) part(fraction, 3, 'Z');
}

}  // namespace leat::bson
