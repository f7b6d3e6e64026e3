// Dates and times as the server prints them (DateStyle ISO) and sends them. Infinities are the
// extremes of the integer types, in and out.
#pragma once

#include <cstdint>
#include <string_view>

#include "format/pgtype/pgtype.hpp"

namespace leat::pgtype {

// Days since 1970-01-01, proleptic Gregorian; `month` 1 to 12.
constexpr auto days_from_civil(std::int64_t year, unsigned month, unsigned day) -> std::int64_t {
    // Years begin in March, so that the leap day is the last of its year.
    year -= month <= 2 ? 1 : 0;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const auto year_of_era = static_cast<std::int64_t>(year - era * 400);
    const std::int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719'468;
}

// "2024-02-29", "0044-03-15 BC", "infinity" -> days since 1970-01-01.
auto parse_date(std::string_view text, std::int32_t& days) -> ValueFault;
// "24:00:00", "12:34:56.789" -> microseconds since midnight.
auto parse_time(std::string_view text, std::int64_t& time_us) -> ValueFault;
// "2024-02-29 12:34:56.789+05:30", "… BC", "-infinity"; the offset is optional and taken off ->
// microseconds since 1970-01-01 (UTC when there is an offset).
auto parse_timestamp(std::string_view text, std::int64_t& time_us) -> ValueFault;

// From days or microseconds since 2000-01-01.
auto decode_date(std::string_view bytes, std::int32_t& days) -> ValueFault;
auto decode_time(std::string_view bytes, std::int64_t& time_us) -> ValueFault;
auto decode_timestamp(std::string_view bytes, std::int64_t& time_us) -> ValueFault;

}  // namespace leat::pgtype
