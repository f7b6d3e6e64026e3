// The few values that need a second look.
#include "source/mongodb/row_fit.hpp"

#include <limits>

#include "format/bson/decimal.hpp"
#include "format/bson/json.hpp"
#include "format/utf8/utf8.hpp"

namespace leat::mongodb {

namespace {

constexpr std::int64_t us_per_ms = 1000;
// One less at either end than 64 bits hold: the last ones mean the infinities.
constexpr std::int64_t ms_max = std::numeric_limits<std::int64_t>::max() / us_per_ms - 1;

// DuckDB, PostgreSQL and Arrow agree on these years: 290308 before our era, 294247 after it.
auto is_in_calendar(const bson::Element& date) -> bool {
    const auto ms = bson::as_int64(date);
    return ms >= -ms_max && ms <= ms_max;
}

auto fit_within(Kind column, const bson::Element& value) -> Fit {
    if (column == Kind::text && !is_utf8(bson::as_text(value))) return Fit::aside;
    if (column == Kind::timestamp && !is_in_calendar(value)) return Fit::aside;
    return Fit::yes;
}

}  // namespace

auto fit_of(Kind column, const bson::Element& value) -> Fit {
    return join(column, kind_of(value)) == column ? fit_within(column, value) : Fit::wider;
}

auto fit_of_key(Kind column, const bson::Element& value) -> Fit {
    return join_keys(column, kind_of(value)) == column ? fit_within(column, value) : Fit::wider;
}

auto timestamp_us(const bson::Element& date) -> std::int64_t {
    return bson::as_int64(date) * us_per_ms;
}

auto append_exact_json(std::string& out, const bson::Element& value) -> void {
    const auto before = out.size();
    if (bson::append_json(out, value) == bson::Json::whole) return;
    out.resize(before);
    constexpr char raw_subtype = static_cast<char>(0x80);
    std::string bytes;
    const auto size = static_cast<std::uint32_t>(value.value.size());
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes += raw_subtype;
    bytes += value.value;
    bson::append_json(out, {bson::Type::binary, value.name, bytes});
}

auto append_number_text(std::string& out, const bson::Element& value) -> void {
    if (value.type == bson::Type::decimal128)
        bson::append_decimal_text(out, bson::as_decimal128(value));
    else if (value.type == bson::Type::float64)
        bson::append_number_text(out, bson::as_float64(value));
    else out += std::to_string(bson::whole_number(value).value_or(0));
}

}  // namespace leat::mongodb
