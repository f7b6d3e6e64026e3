// Values out of elements. What a value's length is, Reader::next has checked; what is checked here
// is that the caller asked for the type it has.
#include <cmath>
#include <cstring>

#include "base/check.hpp"
#include "format/bson/bson.hpp"

namespace leat::bson {

namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t object_id_bytes = 12;

template <class T>
auto load(std::string_view bytes) -> T {
    CHECK(bytes.size() >= sizeof(T));
    T value{};
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

// A length, the text, a NUL.
auto text(std::string_view string) -> std::string_view {
    CHECK(string.size() > length_bytes);
    return string.substr(length_bytes, string.size() - length_bytes - 1);
}

}  // namespace

auto as_float64(const Element& element) -> double {
    CHECK(element.type == Type::float64);
    return load<double>(element.value);
}

auto as_int32(const Element& element) -> std::int32_t {
    CHECK(element.type == Type::int32);
    return load<std::int32_t>(element.value);
}

auto as_int64(const Element& element) -> std::int64_t {
    CHECK(element.type == Type::int64 || element.type == Type::date ||
          element.type == Type::timestamp);
    return load<std::int64_t>(element.value);
}

auto as_boolean(const Element& element) -> bool {
    CHECK(element.type == Type::boolean);
    return load<char>(element.value) != 0;
}

auto as_text(const Element& element) -> std::string_view {
    CHECK(element.type == Type::string || element.type == Type::symbol ||
          element.type == Type::code);
    return text(element.value);
}

auto as_document(const Element& element) -> std::string_view {
    CHECK(element.type == Type::document || element.type == Type::array);
    return element.value;
}

auto as_object_id(const Element& element) -> std::string_view {
    CHECK(element.type == Type::object_id);
    return element.value;
}

auto as_timestamp(const Element& element) -> Timestamp {
    CHECK(element.type == Type::timestamp);
    const auto raw = load<std::uint64_t>(element.value);
    return {static_cast<std::uint32_t>(raw >> 32), static_cast<std::uint32_t>(raw)};
}

auto as_binary(const Element& element) -> Binary {
    CHECK(element.type == Type::binary && element.value.size() > length_bytes);
    constexpr std::uint8_t old_generic = 2;
    Binary binary{static_cast<std::uint8_t>(element.value[length_bytes]),
                  element.value.substr(length_bytes + 1)};
    if (binary.subtype == old_generic && binary.bytes.size() >= length_bytes &&
        load<std::uint32_t>(binary.bytes) == binary.bytes.size() - length_bytes)
        binary.bytes.remove_prefix(length_bytes);
    return binary;
}

auto as_decimal128(const Element& element) -> std::string_view {
    CHECK(element.type == Type::decimal128);
    return element.value;
}

auto as_regex(const Element& element) -> Regex {
    CHECK(element.type == Type::regex);
    const auto pattern = element.value.substr(0, element.value.find('\0'));
    CHECK(pattern.size() + 2 <= element.value.size());
    return {pattern,
            element.value.substr(pattern.size() + 1, element.value.size() - pattern.size() - 2)};
}

auto as_db_pointer(const Element& element) -> DbPointer {
    CHECK(element.type == Type::db_pointer && element.value.size() > object_id_bytes);
    const auto split = element.value.size() - object_id_bytes;
    return {text(element.value.substr(0, split)), element.value.substr(split)};
}

auto as_code_with_scope(const Element& element) -> CodeWithScope {
    CHECK(element.type == Type::code_with_scope && element.value.size() > 2 * length_bytes);
    const auto rest = element.value.substr(length_bytes);
    const auto split = length_bytes + load<std::uint32_t>(rest);
    CHECK(split < rest.size());
    return {text(rest.substr(0, split)), rest.substr(split)};
}

auto whole_number(const Element& element) -> std::optional<std::int64_t> {
    if (element.type == Type::int32) return as_int32(element);
    if (element.type == Type::int64) return as_int64(element);
    if (element.type != Type::float64) return std::nullopt;
    const auto number = as_float64(element);
    constexpr double limit = 9223372036854775808.0;  // 2^63: the first that does not fit
    if (!(number >= -limit && number < limit) || number != std::trunc(number)) return std::nullopt;
    return static_cast<std::int64_t>(number);
}

}  // namespace leat::bson
