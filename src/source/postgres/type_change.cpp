// The pairs of types that widen.
#include "source/postgres/type_change.hpp"

#include <charconv>
#include <limits>

namespace leat::postgres {

namespace {

using pgtype::ScalarType;

// pg_type.dat
constexpr std::uint32_t int8_oid = 20;
constexpr std::uint32_t int2_oid = 21;
constexpr std::uint32_t int4_oid = 23;
constexpr std::uint32_t text_oid = 25;
constexpr std::uint32_t float4_oid = 700;
constexpr std::uint32_t float8_oid = 701;
constexpr std::uint32_t varchar_oid = 1043;
constexpr std::uint32_t time_oid = 1083;
constexpr std::uint32_t timestamp_oid = 1114;
constexpr std::uint32_t timestamptz_oid = 1184;
constexpr std::uint32_t numeric_oid = 1700;

// 0: not an integer.
auto integer_bytes(std::uint32_t oid) -> int {
    switch (oid) {
        case int2_oid: return 2;
        case int4_oid: return 4;
        case int8_oid: return 8;
        default: return 0;
    }
}

// The most characters that fit, -1: not such a type.
auto characters_max(const ScalarType& type) -> std::int32_t {
    constexpr std::int32_t header = 4;
    constexpr auto any = std::numeric_limits<std::int32_t>::max();
    if (type.oid == text_oid) return any;
    if (type.oid != varchar_oid) return -1;
    return type.typmod < header ? any : type.typmod - header;
}

// Fractional digits of seconds, -1: not such a type.
auto second_digits(const ScalarType& type) -> std::int32_t {
    constexpr std::int32_t most = 6;
    if (type.oid != time_oid && type.oid != timestamp_oid && type.oid != timestamptz_oid) return -1;
    return type.typmod < 0 ? most : type.typmod;
}

// How map() reads the modifier.
auto numeric_widens(std::int32_t from, std::int32_t to, bool as_text) -> bool {
    constexpr std::int32_t header = 4;
    const auto precision = [](std::int32_t modifier) {
        return ((modifier - header) >> 16) & 0xffff;
    };
    const auto scale = [](std::int32_t modifier) {
        return (((modifier - header) & 0x7ff) ^ 1024) - 1024;
    };
    if (to < header) return true;
    if (from < header) return false;
    const auto more_digits = scale(to) - scale(from);
    if (more_digits < 0 || (more_digits > 0 && as_text)) return false;
    return precision(to) - scale(to) >= precision(from) - scale(from);
}

auto scalar_widens(const ScalarType& from, const ScalarType& to, bool as_text) -> bool {
    if (integer_bytes(from.oid) > 0) return integer_bytes(to.oid) >= integer_bytes(from.oid);
    if (from.oid == float4_oid) return to.oid == float8_oid && !as_text;
    if (characters_max(from) >= 0) return characters_max(to) >= characters_max(from);
    if (from.oid != to.oid) return false;
    if (from.oid == numeric_oid) return numeric_widens(from.typmod, to.typmod, as_text);
    return second_digits(from) >= 0 && second_digits(to) >= second_digits(from);
}

}  // namespace

auto type_change(const pgtype::PgType& from, const pgtype::PgType& to, bool as_text) -> TypeChange {
    if (from.oid == to.oid && from.typmod == to.typmod) return TypeChange::none;
    const bool widens = from.element && to.element
                            ? scalar_widens(*from.element, *to.element, as_text)
                            : !from.element && !to.element && scalar_widens(from, to, as_text);
    return widens ? TypeChange::widened : TypeChange::rewritten;
}

auto source_type(const pgtype::PgType& type) -> std::string {
    return std::to_string(type.oid) + ":" + std::to_string(type.typmod);
}

auto parse_source_type(std::string_view text) -> ColumnType {
    ColumnType type;
    const auto* const end = text.data() + text.size();
    const auto number = std::from_chars(text.data(), end, type.oid);
    if (number.ptr != end) std::from_chars(number.ptr + 1, end, type.modifier);
    return type;
}

}  // namespace leat::postgres
