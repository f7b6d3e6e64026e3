// Bytes as lower-case hex digits, as MongoDB writes object ids.
#pragma once

#include <string>
#include <string_view>

namespace leat::mongodb {

// `out` has room for two letters a byte.
inline auto write_hex(std::string_view bytes, char* out) -> std::string_view {
    constexpr char digits[] = "0123456789abcdef";
    auto* at = out;
    for (const auto c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        *at++ = digits[byte >> 4U];
        *at++ = digits[byte & 15U];
    }
    return {out, 2 * bytes.size()};
}

inline auto hex_of(std::string_view bytes) -> std::string {
    std::string text(2 * bytes.size(), '\0');
    write_hex(bytes, text.data());
    return text;
}

}  // namespace leat::mongodb
