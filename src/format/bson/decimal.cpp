// Decimal128 to text: the bits apart, the coefficient's digits, then the point or the exponent.
#include "format/bson/decimal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/check.hpp"

namespace leat::bson {

namespace {

__extension__ typedef unsigned __int128 Uint128;  // NOLINT: an alias cannot carry __extension__

constexpr std::size_t decimal128_bytes = 16;
constexpr int exponent_bias = 6176;
constexpr int half_digits = 17;                                     // of the 34 a coefficient has
constexpr std::uint64_t half = 100'000'000'000'000'000ULL;          // 10^17
constexpr Uint128 coefficient_end = Uint128{half} * Uint128{half};  // 10^34

enum class Kind : std::uint8_t { finite, infinite, not_a_number };

struct Parts {
    Kind kind = Kind::finite;
    bool negative = false;
    int exponent = 0;
    Uint128 coefficient = 0;
};

auto take_apart(std::string_view bytes) -> Parts {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::memcpy(&low, bytes.data(), sizeof low);
    std::memcpy(&high, bytes.data() + sizeof low, sizeof high);
    Parts parts;
    parts.negative = high >> 63 != 0;
    const auto combination = static_cast<unsigned>(high >> 58) & 0x1f;
    if (combination == 0x1f) parts.kind = Kind::not_a_number;
    if (combination == 0x1e) parts.kind = Kind::infinite;
    if (parts.kind != Kind::finite) return parts;
    // Two leading ones move the exponent by two bits; the coefficient they announce has 114 bits
    // and is past the 34 digits whatever follows.
    const bool large = combination >> 3 == 3;
    const auto biased = static_cast<int>(high >> (large ? 47 : 49) & 0x3fff);
    parts.exponent = biased - exponent_bias;
    if (!large) parts.coefficient = Uint128{high & 0x1'ffff'ffff'ffffULL} << 64 | low;
    if (parts.coefficient >= coefficient_end) parts.coefficient = 0;
    return parts;
}

// At most 34 digits, no leading zeros but for zero itself; yields how many.
auto write_digits(char* to, Uint128 coefficient) -> int {
    const auto upper = static_cast<std::uint64_t>(coefficient / half);
    const auto lower = static_cast<std::uint64_t>(coefficient % half);
    char* at = to;
    if (upper == 0) return static_cast<int>(std::to_chars(at, at + half_digits, lower).ptr - to);
    at = std::to_chars(at, at + half_digits, upper).ptr;
    char digits[half_digits];
    const auto size = std::to_chars(digits, digits + half_digits, lower).ptr - digits;
    at = std::fill_n(at, half_digits - size, '0');
    return static_cast<int>(std::copy_n(digits, size, at) - to);
}

auto copy(char* to, std::string_view text) -> char* {
    return std::copy(text.begin(), text.end(), to);
}

// d.dddE+x
auto write_scientific(char* to, std::string_view digits, int exponent) -> char* {
    *to++ = digits.front();
    if (digits.size() > 1) {
        *to++ = '.';
        to = copy(to, digits.substr(1));
    }
    *to++ = 'E';
    if (exponent >= 0) *to++ = '+';
    return std::to_chars(to, to + 5, exponent).ptr;
}

// The point `decimals` digits before the end.
auto write_plain(char* to, std::string_view digits, int decimals) -> char* {
    if (decimals == 0) return copy(to, digits);
    const auto before = static_cast<int>(digits.size()) - decimals;
    if (before > 0) {
        to = copy(to, digits.substr(0, static_cast<std::size_t>(before)));
        *to++ = '.';
        return copy(to, digits.substr(static_cast<std::size_t>(before)));
    }
    to = copy(to, "0.");
    to = std::fill_n(to, -before, '0');
    return copy(to, digits);
}

}  // namespace

auto write_decimal_text(char* to, std::string_view decimal128) -> char* {
    CHECK(decimal128.size() == decimal128_bytes);
    const auto parts = take_apart(decimal128);
    if (parts.kind == Kind::not_a_number) return copy(to, "NaN");
    if (parts.negative) *to++ = '-';
    if (parts.kind == Kind::infinite) return copy(to, "Infinity");
    char buffer[2 * half_digits];
    const auto count = write_digits(buffer, parts.coefficient);
    const std::string_view digits(buffer, static_cast<std::size_t>(count));
    const auto scientific = parts.exponent + count - 1;
    if (scientific < -6 || parts.exponent > 0) return write_scientific(to, digits, scientific);
    return write_plain(to, digits, -parts.exponent);
}

auto append_decimal_text(std::string& out, std::string_view decimal128) -> void {
    char text[decimal_text_bytes_max];
    out.append(text, write_decimal_text(text, decimal128));
}

}  // namespace leat::bson
