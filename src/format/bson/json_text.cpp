// Strings: eight bytes at a time until one needs more than copying (RFC 8259, section 7).
#include "format/bson/json_text.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "format/utf8/utf8.hpp"

namespace leat::bson {

namespace {

constexpr std::size_t word_bytes = 8;
constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view escape_digits = "0123456789ABCDEF";

constexpr auto every(unsigned char byte) -> std::uint64_t {
    return 0x0101010101010101U * byte;
}

// The top bit of each byte that is zero, and of some behind the first such.
constexpr auto zero_bytes(std::uint64_t word) -> std::uint64_t {
    return (word - every(1)) & ~word & every(0x80);
}

// How many of the word's first bytes may stand in a JSON string as they are: not below ' ', not
// beyond ASCII, neither quote nor backslash.
constexpr auto plain_bytes(std::uint64_t word) -> std::size_t {
    static_assert(std::endian::native == std::endian::little);
    const auto special = ((word - every(' ')) & ~word) | word | zero_bytes(word ^ every('"')) |
                         zero_bytes(word ^ every('\\'));
    return static_cast<std::size_t>(std::countr_zero(special & every(0x80))) / 8;
}

template <class T>
auto load(const char* at) -> std::uint64_t {
    T value{};
    std::memcpy(&value, at, sizeof value);
    return value;
}

// The next eight bytes; where fewer are left, zeros follow them, which are not plain.
auto load_word(const char* from, const char* end) -> std::uint64_t {
    const auto left = static_cast<std::size_t>(end - from);
    if (left >= word_bytes) return load<std::uint64_t>(from);
    if (left >= 4)
        return load<std::uint32_t>(from) | load<std::uint32_t>(end - 4) << (left - 4) * 8;
    if (left == 0) return 0;
    return load<std::uint8_t>(from) | load<std::uint8_t>(from + left / 2) << left / 2 * 8 |
           load<std::uint8_t>(end - 1) << (left - 1) * 8;
}

}  // namespace

JsonText::JsonText(std::string& out, std::size_t expected_bytes)
    : out_(out), begin_(out.size()), at_(out.data() + begin_), end_(at_) {
    grow(expected_bytes);
}

auto JsonText::grow(std::size_t bytes) -> void {
    const auto size = written();
    // Doubles what this append has written, not what the string holds: the new room is zeroed.
    out_.resize(size + std::max(bytes, size - begin_));
    at_ = out_.data() + size;
    end_ = out_.data() + out_.size();
}

auto JsonText::quoted(std::string_view text) -> void {
    put('"');
    const char* from = text.data();
    const char* const end = from + text.size();
    while (true) {
        const auto word = load_word(from, end);
        const auto plain = plain_bytes(word);
        room(word_bytes);
        std::memcpy(at_, &word, word_bytes);
        at_ += plain;
        from += plain;
        if (plain == word_bytes) continue;
        if (from == end) break;
        const auto byte = static_cast<unsigned char>(*from);
        if (byte >= 0x80) {
            from = beyond_ascii(from, end);
        } else {
            escape(byte);
            ++from;
        }
    }
    put('"');
}

auto JsonText::escape(unsigned char character) -> void {
    constexpr std::string_view escaped = "\"\\\b\f\n\r\t";
    constexpr std::string_view letters = "\"\\bfnrt";
    const auto found = escaped.find(static_cast<char>(character));
    put('\\');
    if (found != std::string_view::npos) return put(letters[found]);
    put("u00");
    put(escape_digits[character >> 4]);
    put(escape_digits[character & 0xf]);
}

auto JsonText::beyond_ascii(const char* from, const char* end) -> const char* {
    while (from != end && static_cast<unsigned char>(*from) >= 0x80) {
        const auto size = utf8_sequence_bytes(from, static_cast<std::size_t>(end - from));
        if (size == 0) replaced_ = true;
        const auto text = size == 0 ? replacement : std::string_view(from, size);
        room(text.size());
        at_ = std::copy(text.begin(), text.end(), at_);
        from += std::max<std::size_t>(size, 1);
    }
    return from;
}

auto JsonText::hex(std::string_view bytes) -> void {
    room(2 * bytes.size());
    for (const char byte : bytes) {
        *at_++ = hex_digits[static_cast<unsigned char>(byte) >> 4];
        *at_++ = hex_digits[static_cast<unsigned char>(byte) & 0xf];
    }
}

auto JsonText::base64(std::string_view bytes) -> void {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    room((bytes.size() + 2) / 3 * 4);
    for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 3))) {
        std::array<unsigned char, 3> three{};
        const auto size = std::min(bytes.size(), three.size());
        std::copy_n(bytes.begin(), size, three.begin());
        const auto bits = static_cast<unsigned>(three[0] << 16 | three[1] << 8 | three[2]);
        *at_++ = digits[bits >> 18];
        *at_++ = digits[bits >> 12 & 0x3f];
        *at_++ = size > 1 ? digits[bits >> 6 & 0x3f] : '=';
        *at_++ = size > 2 ? digits[bits & 0x3f] : '=';
    }
}

}  // namespace leat::bson
