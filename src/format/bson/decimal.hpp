// decimal128 as text (IEEE 754-2008 in its binary integer form; BSON Decimal128 specification,
// "To String Representation"): every digit the value has, no rounding.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace leat::bson {

constexpr std::size_t decimal_text_bytes_max = 42;  // -0.00000 and 34 digits; -d.(33 digits)E-6176

// "1.20", "-0", "0E+3", "1.5E-7", "NaN", "Infinity", "-Infinity". A coefficient of more than 34
// digits counts as 0, as the standard has it. `decimal128`: 16 bytes.
auto append_decimal_text(std::string& out, std::string_view decimal128) -> void;
// The same to `to`, which has room for decimal_text_bytes_max; yields the end.
auto write_decimal_text(char* to, std::string_view decimal128) -> char*;

}  // namespace leat::bson
