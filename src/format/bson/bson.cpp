// Scanning: where an element's name and value end. Every length is compared with what is left
// before it is believed.
#include "format/bson/bson.hpp"

#include <cstring>
#include <limits>

namespace leat::bson {

namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t document_bytes_min = length_bytes + 1;
constexpr std::size_t object_id_bytes = 12;
constexpr std::size_t malformed = std::numeric_limits<std::size_t>::max();

auto read_length(const char* at) -> std::int32_t {
    std::int32_t length = 0;
    std::memcpy(&length, at, sizeof length);
    return length;
}

// The sizes below: bytes of the value at `at`, of which `left` may be read; else `malformed`.

auto string_size(const char* at, std::size_t left) -> std::size_t {
    if (left < length_bytes + 1) return malformed;
    const auto length = read_length(at);
    if (length < 1 || static_cast<std::size_t>(length) > left - length_bytes) return malformed;
    const auto size = length_bytes + static_cast<std::size_t>(length);
    return at[size - 1] == '\0' ? size : malformed;
}

auto document_size(const char* at, std::size_t left) -> std::size_t {
    const auto size = document_length({at, left});
    return size == 0 ? malformed : size;
}

auto binary_size(const char* at, std::size_t left) -> std::size_t {
    constexpr auto header = length_bytes + 1;
    if (left < header) return malformed;
    const auto length = read_length(at);
    if (length < 0 || static_cast<std::size_t>(length) > left - header) return malformed;
    return header + static_cast<std::size_t>(length);
}

auto boolean_size(const char* at, std::size_t left) -> std::size_t {
    return left >= 1 && static_cast<unsigned char>(*at) <= 1 ? 1 : malformed;
}

auto regex_size(const char* at, std::size_t left) -> std::size_t {
    const std::string_view rest(at, left);
    const auto pattern_end = rest.find('\0');
    if (pattern_end == std::string_view::npos) return malformed;
    const auto options_end = rest.find('\0', pattern_end + 1);
    return options_end == std::string_view::npos ? malformed : options_end + 1;
}

auto db_pointer_size(const char* at, std::size_t left) -> std::size_t {
    const auto size = string_size(at, left);
    return size == malformed ? malformed : size + object_id_bytes;
}

// A length of all, a string, a document, and nothing between or behind them.
auto code_with_scope_size(const char* at, std::size_t left) -> std::size_t {
    if (left < length_bytes) return malformed;
    const auto length = read_length(at);
    if (length < 0 || static_cast<std::size_t>(length) > left) return malformed;
    const auto size = static_cast<std::size_t>(length);
    if (size < length_bytes) return malformed;
    const auto code = string_size(at + length_bytes, size - length_bytes);
    if (code == malformed) return malformed;
    const auto rest = size - length_bytes - code;
    return document_size(at + length_bytes + code, rest) == rest ? size : malformed;
}

// May be more than `left`.
auto value_size(Type type, const char* at, std::size_t left) -> std::size_t {
    switch (type) {
        case Type::undefined:
        case Type::null:
        case Type::min_key:
        case Type::max_key: return 0;
        case Type::boolean: return boolean_size(at, left);
        case Type::int32: return 4;
        case Type::float64:
        case Type::date:
        case Type::timestamp:
        case Type::int64: return 8;
        case Type::object_id: return object_id_bytes;
        case Type::decimal128: return 16;
        case Type::string:
        case Type::code:
        case Type::symbol: return string_size(at, left);
        case Type::document:
        case Type::array: return document_size(at, left);
        case Type::binary: return binary_size(at, left);
        case Type::regex: return regex_size(at, left);
        case Type::db_pointer: return db_pointer_size(at, left);
        case Type::code_with_scope: return code_with_scope_size(at, left);
    }
    return malformed;
}

}  // namespace

auto document_length(std::string_view bytes) -> std::size_t {
    if (bytes.size() < document_bytes_min) return 0;
    const auto length = read_length(bytes.data());
    if (length < static_cast<std::int32_t>(document_bytes_min)) return 0;
    const auto size = static_cast<std::size_t>(length);
    return size <= bytes.size() && bytes[size - 1] == '\0' ? size : 0;
}

Reader::Reader(std::string_view document) {
    const auto size = document_length(document);
    ok_ = size != 0;
    if (!ok_) return;
    at_ = document.data() + length_bytes;
    end_ = document.data() + size - 1;
}

auto Reader::fail() -> bool {
    ok_ = false;
    at_ = end_;
    return false;
}

auto Reader::next(Element& element) -> bool {
    if (at_ == end_) return false;
    const auto type = static_cast<Type>(*at_);
    const char* name = at_ + 1;
    const void* found = std::memchr(name, '\0', static_cast<std::size_t>(end_ - name));
    if (found == nullptr) return fail();
    const auto* name_end = static_cast<const char*>(found);
    const char* value = name_end + 1;
    const auto left = static_cast<std::size_t>(end_ - value);
    const auto size = value_size(type, value, left);
    if (size > left) return fail();
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
