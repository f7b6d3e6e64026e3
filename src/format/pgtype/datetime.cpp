// Dates and times: the ISO text form (EncodeDateOnly, EncodeDateTime of datetime.c) and binary.
#include "format/pgtype/datetime.hpp"

#include <limits>

#include "base/bytes.hpp"

namespace leat::pgtype {

namespace {

constexpr std::int64_t day_us = 86'400'000'000;
constexpr std::int32_t epoch_days = 10'957;  // 2000-01-01 since 1970-01-01
constexpr std::int64_t epoch_us = epoch_days * day_us;

template <class T>
constexpr auto minus_infinity = std::numeric_limits<T>::min();
template <class T>
constexpr auto infinity = std::numeric_limits<T>::max();

// A cursor that goes bad and stays bad, so that a whole value is read and checked once.
class TextReader {
public:
    explicit TextReader(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

    [[nodiscard]] auto done() const -> bool { return at_ == end_; }
    [[nodiscard]] auto good() const -> bool { return good_; }
    [[nodiscard]] auto peek() const -> char { return at_ == end_ ? '\0' : *at_; }

    auto expect(char wanted) -> void {
        if (peek() == wanted && at_ != end_) ++at_;
        else good_ = false;
    }
    auto skip(char wanted) -> bool {
        if (at_ == end_ || *at_ != wanted) return false;
        ++at_;
        return true;
    }
    auto two_digits() -> unsigned {
        if (end_ - at_ < 2) return good_ = false, 0;
        const auto tens = static_cast<unsigned>(at_[0] - '0');
        const auto ones = static_cast<unsigned>(at_[1] - '0');
        if (tens > 9 || ones > 9) return good_ = false, 0;
        at_ += 2;
        return tens * 10 + ones;
    }
    // From `least` to `most` digits; `count` is how many there were.
    auto number(int least, int most, int& count) -> unsigned {
        unsigned value = 0;
        for (count = 0; count < most && at_ != end_; ++count, ++at_) {
            const auto digit = static_cast<unsigned>(*at_ - '0');
            if (digit > 9) break;
            value = value * 10 + digit;
        }
        if (count < least) good_ = false;
        return value;
    }

private:
    const char* at_;
    const char* end_;
    bool good_ = true;
};

struct Date {
    std::int64_t year = 0;
    unsigned month = 0;
    unsigned day = 0;
};

auto read_date(TextReader& in) -> Date {
    Date date;
    int digits = 0;
    date.year = in.number(4, 7, digits);
    in.expect('-');
    date.month = in.two_digits();
    in.expect('-');
    date.day = in.two_digits();
    return date;
}

// " BC" at the end counts years back from 1 BC, which is the year 0.
auto read_era(TextReader& in, Date& date) -> void {
    if (!in.skip(' ')) return;
    in.expect('B');
    in.expect('C');
    date.year = 1 - date.year;
}

auto is_date(const Date& date) -> bool {
    constexpr unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > days[date.month - 1])
        return false;
    const bool leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
    return date.month != 2 || date.day < 29 || leap;
}

auto read_time(TextReader& in) -> std::int64_t {
    const std::int64_t hour = in.two_digits();
    in.expect(':');
    const std::int64_t minute = in.two_digits();
    in.expect(':');
    const std::int64_t second = in.two_digits();
    std::int64_t fraction_us = 0;
    if (in.skip('.')) {
        int digits = 0;
        fraction_us = in.number(1, 6, digits);
        for (; digits < 6; ++digits) fraction_us *= 10;
    }
    const auto time_us = ((hour * 60 + minute) * 60 + second) * 1'000'000 + fraction_us;
    // 24:00:00 is a time of day; leap seconds are not.
    if (minute > 59 || second > 59 || time_us > day_us) return -1;
    return time_us;
}

// "+05", "-03:30", "+00:19:32" -> microseconds east of UTC.
auto read_offset(TextReader& in) -> std::int64_t {
    const bool west = in.skip('-');
    if (!west && !in.skip('+')) return 0;
    std::int64_t seconds = std::int64_t{in.two_digits()} * 3600;
    if (in.skip(':')) seconds += std::int64_t{in.two_digits()} * 60;
    if (in.skip(':')) seconds += in.two_digits();
    return (west ? -seconds : seconds) * 1'000'000;
}

template <class T>
auto is_infinite(std::string_view text, T& value) -> bool {
    if (text == "infinity") return value = infinity<T>, true;
    if (text == "-infinity") return value = minus_infinity<T>, true;
    return false;
}

}  // namespace

auto parse_date(std::string_view text, std::int32_t& days) -> ValueFault {
    if (!text.empty() && text.back() == 'y' && is_infinite(text, days)) return ValueFault::none;
    TextReader in(text);
    auto date = read_date(in);
    read_era(in, date);
    if (!in.good() || !in.done() || !is_date(date)) return ValueFault::malformed;
    const auto wide = days_from_civil(date.year, date.month, date.day);
    if (wide <= minus_infinity<std::int32_t> || wide >= infinity<std::int32_t>)
        return ValueFault::out_of_range;
    days = static_cast<std::int32_t>(wide);
    return ValueFault::none;
}

auto parse_time(std::string_view text, std::int64_t& time_us) -> ValueFault {
    TextReader in(text);
    time_us = read_time(in);
    return in.good() && in.done() && time_us >= 0 ? ValueFault::none : ValueFault::malformed;
}

auto parse_timestamp(std::string_view text, std::int64_t& time_us) -> ValueFault {
    if (!text.empty() && text.back() == 'y' && is_infinite(text, time_us)) return ValueFault::none;
    TextReader in(text);
    auto date = read_date(in);
    in.expect(' ');
    const auto of_day_us = read_time(in);
    const auto offset_us = read_offset(in);
    read_era(in, date);
    if (!in.good() || !in.done() || of_day_us < 0 || !is_date(date)) return ValueFault::malformed;
    const auto days = days_from_civil(date.year, date.month, date.day);
    if (__builtin_mul_overflow(days, day_us, &time_us) ||
        __builtin_add_overflow(time_us, of_day_us - offset_us, &time_us) ||
        time_us == minus_infinity<std::int64_t> || time_us == infinity<std::int64_t>)
        return ValueFault::out_of_range;
    return ValueFault::none;
}

auto decode_date(std::string_view bytes, std::int32_t& days) -> ValueFault {
    ByteReader in(bytes);
    const auto wire = in.big<std::int32_t>();
    if (!in.ok() || in.remaining() > 0) return ValueFault::malformed;
    days = wire;
    if (wire == minus_infinity<std::int32_t> || wire == infinity<std::int32_t>)
        return ValueFault::none;
    if (__builtin_add_overflow(wire, epoch_days, &days) || days == infinity<std::int32_t>)
        return ValueFault::out_of_range;
    return ValueFault::none;
}

auto decode_time(std::string_view bytes, std::int64_t& time_us) -> ValueFault {
    ByteReader in(bytes);
    time_us = in.big<std::int64_t>();
    if (!in.ok() || in.remaining() > 0) return ValueFault::malformed;
    return time_us >= 0 && time_us <= day_us ? ValueFault::none : ValueFault::out_of_range;
}

auto decode_timestamp(std::string_view bytes, std::int64_t& time_us) -> ValueFault {
    ByteReader in(bytes);
    const auto wire = in.big<std::int64_t>();
    if (!in.ok() || in.remaining() > 0) return ValueFault::malformed;
    time_us = wire;
    if (wire == minus_infinity<std::int64_t> || wire == infinity<std::int64_t>)
        return ValueFault::none;
    if (__builtin_add_overflow(wire, epoch_us, &time_us) || time_us == infinity<std::int64_t>)
        return ValueFault::out_of_range;
    return ValueFault::none;
}

}  // namespace leat::pgtype
