// UTF-8 check, fast over ASCII (Unicode standard, table 3-7 of well-formed byte sequences).
#include "format/utf8/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace leat {

auto utf8_sequence_bytes(const char* at, std::size_t left) -> std::size_t {
    const auto byte = [&](std::size_t i) -> unsigned { return static_cast<unsigned char>(at[i]); };
    const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
        return byte(i) >= low && byte(i) <= high;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return left >= 2 && tail(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
        const unsigned high = lead == 0xed ? 0x9f : 0xbf;
        return left >= 3 && tail(1, low, high) && tail(2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
        return left >= 4 && tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

auto is_utf8(std::string_view text) -> bool {
    const auto* at = text.data();
    auto left = text.size();
    while (left > 0) {
        std::uint64_t word = 0;
        for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
            std::memcpy(&word, at, sizeof word);
            if ((word & 0x8080808080808080U) != 0) break;
        }
        if (left == 0) return true;
        const auto size = utf8_sequence_bytes(at, left);
        if (size == 0) return false;
        at += size;
        left -= size;
    }
    return true;
}

}  // namespace leat
