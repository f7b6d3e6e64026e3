// numeric in its text and base-10000 forms, to decimal128 or to the server's exact text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/pgtype/pgtype.hpp"

namespace leat::pgtype {

__extension__ typedef __int128 Int128;            // NOLINT: an alias cannot carry __extension__
__extension__ typedef unsigned __int128 Uint128;  // NOLINT

struct DecimalShape {
    std::int32_t precision = 0;  // 1 to 38
    std::int32_t scale = 0;      // 0 to precision
};

// `value` is the number times 10^scale. Digits beyond the scale are an error, never rounded.
auto parse_decimal(std::string_view text, DecimalShape shape, Int128& value) -> ValueFault;
auto decode_decimal(std::string_view bytes, DecimalShape shape, Int128& value) -> ValueFault;

// The binary form as the server would print it ("-0.50", "NaN", "Infinity"); replaces `text`.
auto decode_numeric_text(std::string_view bytes, std::string& text) -> ValueFault;

}  // namespace leat::pgtype
