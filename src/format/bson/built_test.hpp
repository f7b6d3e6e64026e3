// Documents put together by hand, byte for byte, so that they may also be wrong.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/bson/bson.hpp"

namespace leat::bson {

template <class T>
auto bytes_of(T value) -> std::string {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

inline auto length(std::size_t size) -> std::string {
    return bytes_of(static_cast<std::int32_t>(size));
}

inline auto text_value(std::string_view text) -> std::string {
    return length(text.size() + 1).append(text).append(1, '\0');
}

inline auto c_string(std::string_view text) -> std::string {
    return std::string(text).append(1, '\0');
}

inline auto element_of(Type type, std::string_view name, std::string_view value) -> std::string {
    return std::string(1, static_cast<char>(type)).append(c_string(name)).append(value);
}

inline auto document_of(std::string_view elements) -> std::string {
    return length(elements.size() + 5).append(elements).append(1, '\0');
}

inline auto document_with(Type type, std::string_view value) -> std::string {
    return document_of(element_of(type, "k", value));
}

inline auto binary_value(std::uint8_t subtype, std::string_view bytes) -> std::string {
    return length(bytes.size()).append(1, static_cast<char>(subtype)).append(bytes);
}

inline auto scoped_code(std::string_view code, std::string_view scope) -> std::string {
    const auto inside = text_value(code).append(scope);
    return length(inside.size() + 4).append(inside);
}

// Documents within documents: `depth` of them.
inline auto nested(int depth, Type type = Type::document) -> std::string {
    const std::string inside = document_of("");
    const std::string begin = element_of(type, "0", "");
    const auto levels = static_cast<std::size_t>(depth) - 1;
    std::string document;
    for (auto level = levels; level > 0; --level)
        document += length(inside.size() + level * (begin.size() + 5)) + begin;
    return document.append(inside).append(levels, '\0');
}

// decimal128 of a coefficient below 2^64 and the exponent's field.
inline auto decimal_value(std::uint64_t coefficient, std::uint64_t high) -> std::string {
    return bytes_of(coefficient) + bytes_of(high);
}
constexpr std::uint64_t decimal_exponent_0 = 6176ULL << 49;

// A value of each type; those whose bytes hold a length or a NUL twice.
inline auto every_type() -> std::vector<std::pair<Type, std::string>> {
    const auto inside = document_of(element_of(Type::int32, "i", bytes_of(std::int32_t{7})));
    return {
        {Type::float64, bytes_of(1.5)},
        {Type::string, text_value("")},
        {Type::string, text_value("text")},
        {Type::document, document_of("")},
        {Type::document, inside},
        {Type::array, inside},
        {Type::binary, binary_value(0, "")},
        {Type::binary, binary_value(4, "0123456789abcdef")},
        {Type::undefined, ""},
        {Type::object_id, "0123456789ab"},
        {Type::boolean, std::string(1, '\1')},
        {Type::date, bytes_of(std::int64_t{1356351330501})},
        {Type::null, ""},
        {Type::regex, c_string("a+") + c_string("im")},
        {Type::regex, c_string("") + c_string("")},
        {Type::db_pointer, text_value("db.c") + "0123456789ab"},
        {Type::code, text_value("f()")},
        {Type::symbol, text_value("sym")},
        {Type::code_with_scope, scoped_code("g()", inside)},
        {Type::int32, bytes_of(std::int32_t{-5})},
        {Type::timestamp, bytes_of(std::uint64_t{7} << 32 | 9)},
        {Type::int64, bytes_of(std::int64_t{-6})},
        {Type::decimal128, decimal_value(125, decimal_exponent_0)},
        {Type::min_key, ""},
        {Type::max_key, ""},
    };
}

}  // namespace leat::bson
