// Scanning: where an element's name and value end. Every length is compared with what is left
// before it is believed.
#include "format/bson/bson.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace leat::bson {

namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t document_bytes_min = length_bytes + 1;
constexpr std::size_t object_id_bytes = 12;
constexpr std::size_t malformed = std::numeric_limits<std::size_t>::max();

// A negative one becomes more than there can be.
auto read_length(const char* at) -> std::size_t {
    std::int32_t length = 0;
    std::memcpy(&length, at, sizeof length);
    return static_cast<std::size_t>(length);
}

// Names are short: a word or two, found without a call.
auto find_nul(const char* at, const char* end) -> const char* {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    std::uint64_t word = 0;
    for (; end - at >= static_cast<std::ptrdiff_t>(sizeof word); at += sizeof word) {
        std::memcpy(&word, at, sizeof word);
        const auto zeros = (word - ones) & ~word & ones << 7;
        if (zeros != 0) return at + std::countr_zero(zeros) / 8;
    }
    while (at != end && *at != '\0') ++at;
    return at;
}

// The sizes below: bytes of the value at `at`, of which `left` may be read and a NUL behind them;
// or `malformed`. They may be more than `left`.

auto string_size(const char* at, std::size_t left) -> std::size_t {
    if (left < length_bytes + 1) return malformed;
    const auto length = read_length(at);
    if (length < 1 || length > left - length_bytes) return malformed;
    const auto size = length_bytes + length;
    return at[size - 1] == '\0' ? size : malformed;
}

auto document_size(const char* at, std::size_t left) -> std::size_t {
    const auto size = document_length({at, left});
    return size == 0 ? malformed : size;
}

auto binary_size(const char* at, std::size_t left) -> std::size_t {
    if (left < length_bytes) return malformed;
    const auto length = read_length(at);
    return length > left ? malformed : length_bytes + 1 + length;
}

// Where nothing is left stands the document's NUL.
auto boolean_size(const char* at) -> std::size_t {
    return static_cast<unsigned char>(*at) <= 1 ? 1 : malformed;
}

auto c_string_size(const char* at, std::size_t left) -> std::size_t {
    const auto end = std::string_view(at, left).find('\0');
    return end == std::string_view::npos ? malformed : end + 1;
}

auto regex_size(const char* at, std::size_t left) -> std::size_t {
    const auto pattern = c_string_size(at, left);
    if (pattern == malformed) return malformed;
    const auto options = c_string_size(at + pattern, left - pattern);
    return options == malformed ? malformed : pattern + options;
}

auto db_pointer_size(const char* at, std::size_t left) -> std::size_t {
    const auto size = string_size(at, left);
    return size == malformed ? malformed : size + object_id_bytes;
}

// A length of all, a string, a document, and nothing between or behind them.
auto code_with_scope_size(const char* at, std::size_t left) -> std::size_t {
    if (left < length_bytes) return malformed;
    const auto size = read_length(at);
    if (size < length_bytes || size > left) return malformed;
    const auto code = string_size(at + length_bytes, size - length_bytes);
    if (code == malformed) return malformed;
    const auto rest = size - length_bytes - code;
    return document_size(at + length_bytes + code, rest) == rest ? size : malformed;
}

// By type: the size of a value that has always the same; 0xff for all others.
constexpr auto fixed_sizes = [] {
    std::array<std::uint8_t, 256> sizes{};
    sizes.fill(0xff);
    for (const auto type : {Type::undefined, Type::null, Type::min_key, Type::max_key})
        sizes[static_cast<std::uint8_t>(type)] = 0;
    for (const auto type : {Type::float64, Type::date, Type::timestamp, Type::int64})
        sizes[static_cast<std::uint8_t>(type)] = 8;
    sizes[static_cast<std::uint8_t>(Type::int32)] = 4;
    sizes[static_cast<std::uint8_t>(Type::object_id)] = object_id_bytes;
    sizes[static_cast<std::uint8_t>(Type::decimal128)] = 16;
    return sizes;
}();

auto rare_size(Type type, const char* at, std::size_t left) -> std::size_t {
    switch (type) {
        case Type::boolean: return boolean_size(at);
        case Type::code:
        case Type::symbol: return string_size(at, left);
        case Type::binary: return binary_size(at, left);
        case Type::regex: return regex_size(at, left);
        case Type::db_pointer: return db_pointer_size(at, left);
        case Type::code_with_scope: return code_with_scope_size(at, left);
        default: return malformed;
    }
}

// The usual types come without the switch, whose jump is hard to foresee.
auto value_size(Type type, const char* at, std::size_t left) -> std::size_t {
    const auto fixed = fixed_sizes[static_cast<std::uint8_t>(type)];
    if (fixed != 0xff) return fixed;
    if (type == Type::string) return string_size(at, left);
    if (type == Type::document || type == Type::array) return document_size(at, left);
    return rare_size(type, at, left);
}

}  // namespace

auto document_length(std::string_view bytes) -> std::size_t {
    if (bytes.size() < length_bytes) return 0;
    const auto size = read_length(bytes.data());
    if (size < document_bytes_min || size > bytes.size()) return 0;
    return bytes[size - 1] == '\0' ? size : 0;
}

Reader::Reader(std::string_view document) {
    const auto size = document_length(document);
    ok_ = size != 0;
    if (!ok_) return;
    at_ = document.data() + length_bytes;
    end_ = document.data() + size - 1;
}

auto Reader::next(Element& element) -> bool {
    if (at_ == end_) return false;
    const auto type = static_cast<Type>(*at_);
    const char* name = at_ + 1;
    const char* name_end = find_nul(name, end_);
    if (name_end == end_) return ok_ = false;
    const char* value = name_end + 1;
    const auto left = static_cast<std::size_t>(end_ - value);
    const auto size = value_size(type, value, left);
    if (size > left) return ok_ = false;
    element = {type, {name, static_cast<std::size_t>(name_end - name)}, {value, size}};
    at_ = value + size;
    return true;
}

auto find(std::string_view document, std::string_view name) -> std::optional<Element> {
    Reader reader(document);
    Element element;
    while (reader.next(element))
        if (element.name == name) return element;
    return std::nullopt;
}

}  // namespace leat::bson
