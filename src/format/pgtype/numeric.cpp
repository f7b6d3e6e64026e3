// numeric: text parsing for decimal128, and the send form of numeric.c (numeric_send): ndigits,
// weight, sign, dscale, then base-10000 digits, all 16 bits.
#include "format/pgtype/numeric.hpp"

#include <array>
#include <charconv>

#include "base/bytes.hpp"

namespace leat::pgtype {

namespace {

constexpr std::uint16_t sign_negative = 0x4000;
constexpr std::uint16_t sign_nan = 0xC000;
constexpr std::uint16_t sign_infinity = 0xD000;
constexpr std::uint16_t sign_minus_infinity = 0xF000;
constexpr int digits_max = 38;

constexpr auto make_powers() -> std::array<Uint128, digits_max + 1> {
    std::array<Uint128, digits_max + 1> powers{};
    Uint128 power = 1;
    for (auto& entry : powers) {
        entry = power;
        power *= 10;
    }
    return powers;
}
constexpr auto powers_of_ten = make_powers();

auto power_of_ten(std::int32_t exponent) -> Uint128 {
    return powers_of_ten[static_cast<std::size_t>(exponent)];
}

auto is_not_finite(std::string_view text) -> bool {
    return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

auto finish(Uint128 magnitude, bool negative, DecimalShape shape, Int128& value) -> ValueFault {
    if (magnitude >= power_of_ten(shape.precision)) return ValueFault::out_of_range;
    value = negative ? -static_cast<Int128>(magnitude) : static_cast<Int128>(magnitude);
    return ValueFault::none;
}

// More digits than 64 bits hold. `text` is digits with at most one point; `point`: its offset or
// the size.
auto parse_long(std::string_view text, std::size_t point, DecimalShape shape, bool negative,
                Int128& value) -> ValueFault {
    Uint128 magnitude = 0;
    std::int32_t significant = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == point) continue;
        const auto digit = static_cast<unsigned>(text[i] - '0');
        if (digit > 9) return ValueFault::malformed;
        if (significant > 0 || digit > 0) ++significant;
        if (significant > digits_max) return ValueFault::out_of_range;
        magnitude = magnitude * 10 + digit;
    }
    const auto fraction = point < text.size() ? text.size() - point - 1 : 0;
    if (fraction > static_cast<std::size_t>(shape.scale)) return ValueFault::out_of_range;
    const auto missing = shape.scale - static_cast<std::int32_t>(fraction);
    if (significant > 0 && significant + missing > digits_max) return ValueFault::out_of_range;
    return finish(magnitude * power_of_ten(missing), negative, shape, value);
}

struct NumericHeader {
    std::uint16_t digits = 0;
    std::int16_t weight = 0;
    std::uint16_t sign = 0;
    std::uint16_t dscale = 0;
};

// Leaves the reader at the first digit; false unless it holds exactly the digits announced.
auto read_header(ByteReader& in, NumericHeader& header) -> bool {
    header.digits = in.big<std::uint16_t>();
    header.weight = in.big<std::int16_t>();
    header.sign = in.big<std::uint16_t>();
    header.dscale = in.big<std::uint16_t>();
    if (!in.ok() || in.remaining() != std::size_t{2} * header.digits) return false;
    switch (header.sign) {
        case 0:
        case sign_negative:
        case sign_nan:
        case sign_infinity:
        case sign_minus_infinity: return true;
        default: return false;
    }
}

}  // namespace

auto parse_decimal(std::string_view text, DecimalShape shape, Int128& value) -> ValueFault {
    const auto whole = text;
    const bool negative = !text.empty() && text.front() == '-';
    if (negative) text.remove_prefix(1);
    constexpr std::size_t digits_in_64_bits = 19;
    std::uint64_t magnitude = 0;
    std::size_t point = text.size();
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto digit = static_cast<unsigned>(text[i] - '0');
        if (digit <= 9) {
            magnitude = magnitude * 10 + digit;  // may wrap; then parse_long() does it again
        } else if (text[i] == '.' && point == text.size()) {
            point = i;
        } else {
            return is_not_finite(whole) ? ValueFault::not_finite : ValueFault::malformed;
        }
    }
    const auto digits = text.size() - (point < text.size() ? 1 : 0);
    if (digits == 0) return ValueFault::malformed;
    if (digits > digits_in_64_bits) return parse_long(text, point, shape, negative, value);
    const auto fraction =
        static_cast<std::int32_t>(digits - (point < text.size() ? point : digits));
    if (fraction > shape.scale) return ValueFault::out_of_range;
    if (fraction == shape.scale) return finish(magnitude, negative, shape, value);
    Uint128 scaled = 0;
    if (__builtin_mul_overflow(Uint128{magnitude}, power_of_ten(shape.scale - fraction), &scaled))
        return ValueFault::out_of_range;
    return finish(scaled, negative, shape, value);
}

auto decode_decimal(std::string_view bytes, DecimalShape shape, Int128& value) -> ValueFault {
    ByteReader in(bytes);
    NumericHeader header;
    if (!read_header(in, header)) return ValueFault::malformed;
    if (header.sign != 0 && header.sign != sign_negative) return ValueFault::not_finite;
    Uint128 magnitude = 0;
    for (std::int32_t i = 0; i < header.digits; ++i) {
        std::uint32_t digit = in.big<std::uint16_t>();
        if (digit > 9999) return ValueFault::malformed;
        if (digit == 0) continue;
        // The digit counts in units of 10^exponent of the scaled number.
        auto exponent = 4 * (std::int32_t{header.weight} - i) + shape.scale;
        for (; exponent < 0; ++exponent) {
            if (digit % 10 != 0) return ValueFault::out_of_range;
            digit /= 10;
        }
        Uint128 part = 0;
        if (exponent > digits_max ||
            __builtin_mul_overflow(Uint128{digit}, power_of_ten(exponent), &part) ||
            __builtin_add_overflow(magnitude, part, &magnitude))
            return ValueFault::out_of_range;
    }
    return finish(magnitude, header.sign == sign_negative, shape, value);
}

auto decode_numeric_text(std::string_view bytes, std::string& text) -> ValueFault {
    ByteReader in(bytes);
    NumericHeader header;
    if (!read_header(in, header)) return ValueFault::malformed;
    text.clear();
    switch (header.sign) {
        case sign_nan: text = "NaN"; return ValueFault::none;
        case sign_infinity: text = "Infinity"; return ValueFault::none;
        case sign_minus_infinity: text = "-Infinity"; return ValueFault::none;
        case sign_negative: text = "-"; break;
        default: break;
    }
    std::int32_t index = 0;
    bool valid = true;
    // The base-10000 digit of weight `at`, in order of falling weights; absent ones are 0.
    const auto group = [&](std::int32_t at) -> std::uint32_t {
        if (at > header.weight || index >= header.digits) return 0;
        ++index;
        const auto digit = in.big<std::uint16_t>();
        valid = valid && digit <= 9999;
        return digit % 10000U;
    };
    const auto put = [&](std::uint32_t digit, int digits) {
        for (auto unit = static_cast<std::uint32_t>(1000); digits > 0; --digits, unit /= 10)
            text.push_back(static_cast<char>('0' + digit / unit % 10));
    };
    if (header.weight < 0) {
        text.push_back('0');
    } else {
        text += std::to_string(group(header.weight));
        for (std::int32_t at = header.weight - 1; at >= 0; --at) put(group(at), 4);
    }
    if (header.dscale > 0) {
        text.push_back('.');
        std::int32_t at = -1;
        for (std::int32_t left = header.dscale; left > 0; left -= 4, --at)
            put(group(at), left < 4 ? left : 4);
    }
    return valid ? ValueFault::none : ValueFault::malformed;
}

}  // namespace leat::pgtype
