// Every sequence of bytes at the edges of the classes, against a decoder that works by arithmetic.
#include "format/utf8/utf8.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace leat {
namespace {

// Decodes by the lead byte's promise and then asks whether the code point deserved that length.
auto well_formed(std::string_view bytes) -> std::size_t {
    const auto lead = static_cast<unsigned char>(bytes[0]);
    std::size_t size = 0;
    while (size < 8 && (lead << size & 0x80) != 0) ++size;
    if (size == 0) return 1;
    if (size == 1 || size > 4 || bytes.size() < size) return 0;
    unsigned code = lead & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        if ((byte & 0xc0) != 0x80) return 0;
        code = code << 6 | (byte & 0x3f);
    }
    constexpr std::array<unsigned, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code >= smallest[size] && code <= 0x10ffff && !surrogate ? size : 0;
}

auto all_well_formed(std::string_view bytes) -> bool {
    while (!bytes.empty()) {
        const auto size = well_formed(bytes);
        if (size == 0) return false;
        bytes.remove_prefix(size);
    }
    return true;
}

TEST(Utf8, sequences_at_the_edges) {
    constexpr std::string_view edges(
        "\x00\x41\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xe1\xec\xed\xee\xef\xf0\xf1\xf3"
        "\xf4\xf5\xf8\xff",
        26);
    for (const char a : edges)
        for (const char b : edges)
            for (const char c : edges)
                for (const char d : edges) {
                    const std::string whole{a, b, c, d};
                    for (std::size_t size = 1; size <= 4; ++size) {
                        // What would complete the sequence stands behind it, out of bounds.
                        const std::string_view bytes(whole.data(), size);
                        ASSERT_EQ(utf8_sequence_bytes(bytes.data(), size), well_formed(bytes));
                        ASSERT_EQ(is_utf8(bytes), all_well_formed(bytes));
                    }
                }
}

TEST(Utf8, one_bad_byte_is_found_wherever_it_is) {
    EXPECT_TRUE(is_utf8(""));
    for (std::size_t size = 1; size <= 40; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            std::string text(size, 'x');
            EXPECT_TRUE(is_utf8(text));
            text[at] = '\xfe';
            EXPECT_FALSE(is_utf8(text)) << size << " " << at;
            if (at + 1 < size) {
                text.replace(at, 2, "ß");
                EXPECT_TRUE(is_utf8(text)) << size << " " << at;
            }
        }
    }
}

}  // namespace
}  // namespace leat
