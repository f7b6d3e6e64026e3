// BSON (bsonspec.org, version 1.1) as views of borrowed bytes: a scanner of one document's elements
// and the values in them. Pure, allocates nothing, any bytes are safe to scan; a Reader belongs to
// one thread.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace leat::bson {

enum class Type : std::uint8_t {
    float64 = 0x01,
    string = 0x02,
    document = 0x03,
    array = 0x04,
    binary = 0x05,
    undefined = 0x06,
    object_id = 0x07,
    boolean = 0x08,
    date = 0x09,
    null = 0x0A,
    regex = 0x0B,
    db_pointer = 0x0C,
    code = 0x0D,
    symbol = 0x0E,
    code_with_scope = 0x0F,
    int32 = 0x10,
    timestamp = 0x11,
    int64 = 0x12,
    decimal128 = 0x13,
    max_key = 0x7F,
    min_key = 0xFF,
};

// `name` without its NUL; `value` is exactly the value's bytes, lengths and NULs included.
struct Element {
    Type type = Type::null;
    std::string_view name;
    std::string_view value;
};

// The elements of one document, in order, names as often as they occur. next() has checked what an
// element yields: a known type, lengths that fit the document and each other, NULs where they
// belong, a boolean of 0 or 1. Unchecked: a nested document beyond its length and last NUL (give it
// to a Reader of its own), and whether text is UTF-8.
class Reader {
public:
    // `document` begins with its length; bytes beyond that are not looked at.
    explicit Reader(std::string_view document);

    // False at the end and at the first thing malformed, and from then on.
    auto next(Element& element) -> bool;
    // False once malformed; only after next() has yielded false is the whole document known good.
    [[nodiscard]] auto ok() const -> bool { return ok_; }

private:
    const char* at_ = nullptr;
    const char* end_ = nullptr;  // the document's last byte, a NUL
    bool ok_ = true;
};

// Bytes of the document that `bytes` begins with; 0 when it is malformed or not whole.
auto document_length(std::string_view bytes) -> std::size_t;

// The first element of that name at the top level. Nothing, too, when what comes before it is
// malformed.
auto find(std::string_view document, std::string_view name) -> std::optional<Element>;

// Seconds since 1970 and the ordinal within that second (not a date: MongoDB's logical time).
struct Timestamp {
    std::uint32_t seconds = 0;
    std::uint32_t increment = 0;

    friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};
struct Binary {
    std::uint8_t subtype = 0;
    std::string_view bytes;
};
struct Regex {
    std::string_view pattern;
    std::string_view options;
};
struct DbPointer {
    std::string_view collection;
    std::string_view object_id;  // 12 bytes
};
struct CodeWithScope {
    std::string_view code;
    std::string_view scope;  // a document
};

// Only for an element that a Reader yielded, and of the type named.
auto as_float64(const Element& element) -> double;
auto as_int32(const Element& element) -> std::int32_t;
// int64; date: milliseconds since 1970; timestamp: seconds in the upper half.
auto as_int64(const Element& element) -> std::int64_t;
auto as_boolean(const Element& element) -> bool;
// string, symbol, code: without length and last NUL; may hold NULs and need not be UTF-8.
auto as_text(const Element& element) -> std::string_view;
// document, array: the bytes, length included.
auto as_document(const Element& element) -> std::string_view;
auto as_object_id(const Element& element) -> std::string_view;  // 12 bytes
auto as_timestamp(const Element& element) -> Timestamp;
// The second length that subtype 2 carries is left out when it is right.
auto as_binary(const Element& element) -> Binary;
auto as_decimal128(const Element& element) -> std::string_view;  // 16 bytes
auto as_regex(const Element& element) -> Regex;
auto as_db_pointer(const Element& element) -> DbPointer;
auto as_code_with_scope(const Element& element) -> CodeWithScope;

// A whole number within int64, whether it came as int32, int64 or float64; of any type of element.
auto whole_number(const Element& element) -> std::optional<std::int64_t>;

}  // namespace leat::bson
