// Properties, with libbson as the judge: what it builds is what we scan, and what we write as JSON
// it reads back as the same document, but for the number types that relaxed JSON does not keep.
#include <bson/bson.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "format/bson/bson.hpp"
#include "format/bson/decimal.hpp"
#include "format/bson/json.hpp"

namespace leat::bson {
namespace {

auto bytes_of(const bson_t& document) -> std::string {
    return {reinterpret_cast<const char*>(bson_get_data(&document)), document.len};
}

auto size_of(const std::string& text) -> int {
    return static_cast<int>(text.size());
}

// Valid UTF-8 of all kinds; without NUL where BSON or libbson takes none.
auto any_text(bool nul = false) -> std::string {
    static const std::vector<std::string> pieces{"a", "\"", "\\", "/",  "\n", "\x01", "\x1f", "é",
                                                 "€", "😀",  " ",  "{}", "$",  ".",    "\x7f", "0"};
    std::string text;
    for (const auto i : *rc::gen::container<std::vector<std::size_t>>(
             rc::gen::inRange<std::size_t>(0, pieces.size() + (nul ? 1 : 0))))
        text += i < pieces.size() ? pieces[i] : std::string(1, '\0');
    return text;
}

auto any_double() -> double {
    const auto bits = *rc::gen::arbitrary<std::uint64_t>();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    const auto cents = static_cast<double>(*rc::gen::inRange(-100'000'000, 100'000'000));
    return *rc::gen::element(value, cents / 100, cents / 1000, cents, cents * 1e9, 0.0, -0.0);
}

auto any_int64() -> std::int64_t {
    return static_cast<std::int64_t>(*rc::gen::arbitrary<std::uint64_t>() >>
                                     *rc::gen::inRange(0, 64));
}

// What a document is built for; libbson's reader of JSON takes a $code in a scope for the scope's
// own.
enum class As { document, array, scope };
auto append_elements(bson_t& to, int depth, As as) -> void;

// A child built on its own and appended as what the name of the function says.
template <class Append>
auto append_child(int depth, As as, Append append) -> void {
    bson_t child = BSON_INITIALIZER;
    append_elements(child, depth - 1, as);
    append(child);
    bson_destroy(&child);
}

auto append_number(bson_t& to, const char* name, int size, int kind) -> bool {
    switch (kind) {
        case 0: return bson_append_double(&to, name, size, any_double());
        case 1: return bson_append_int32(&to, name, size, *rc::gen::arbitrary<std::int32_t>());
        case 2: return bson_append_int64(&to, name, size, any_int64());
        case 3: return bson_append_date_time(&to, name, size, any_int64());
        case 4:
            return bson_append_timestamp(&to, name, size, *rc::gen::arbitrary<std::uint32_t>(),
                                         *rc::gen::arbitrary<std::uint32_t>());
        default: {
            const bson_decimal128_t value{*rc::gen::arbitrary<std::uint64_t>(),
                                          *rc::gen::arbitrary<std::uint64_t>() >> 15 |
                                              *rc::gen::inRange<std::uint64_t>(6100, 6200) << 49};
            return bson_append_decimal128(&to, name, size, &value);
        }
    }
}

auto append_text(bson_t& to, const char* name, int size, int kind) -> bool {
    const auto text = any_text(kind == 1);
    bson_oid_t id;
    for (auto& byte : id.bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
    switch (kind) {
        case 0: return bson_append_code(&to, name, size, text.c_str());
        case 1: return bson_append_utf8(&to, name, size, text.data(), size_of(text));
        case 2: return bson_append_symbol(&to, name, size, text.data(), size_of(text));
        case 3:
            return bson_append_regex(&to, name, size, text.c_str(),
                                     *rc::gen::element("", "i", "imsx"));
        case 4: return bson_append_dbpointer(&to, name, size, text.c_str(), &id);
        case 5: return bson_append_oid(&to, name, size, &id);
        default: {
            const auto subtype = *rc::gen::element(0x00, 0x02, 0x03, 0x04, 0x05, 0x80);
            return bson_append_binary(&to, name, size, static_cast<bson_subtype_t>(subtype),
                                      reinterpret_cast<const std::uint8_t*>(text.data()),
                                      static_cast<std::uint32_t>(text.size()));
        }
    }
}

auto append_constant(bson_t& to, const char* name, int size, int kind) -> bool {
    switch (kind) {
        case 0: return bson_append_null(&to, name, size);
        case 1: return bson_append_bool(&to, name, size, *rc::gen::arbitrary<bool>());
        case 2: return bson_append_undefined(&to, name, size);
        case 3: return bson_append_minkey(&to, name, size);
        default: return bson_append_maxkey(&to, name, size);
    }
}

auto append_elements(bson_t& to, int depth, As as) -> void {
    const auto count = *rc::gen::inRange(0, 6);
    for (int i = 0; i < count; ++i) {
        // "$oid" and its like would not be names.
        const auto name = as == As::array ? std::to_string(i) : "n" + any_text();
        const auto size = size_of(name);
        switch (*rc::gen::inRange(depth > 0 ? 0 : 3, 9)) {
            case 0:
                append_child(0, As::scope, [&](const bson_t& child) {
                    bson_append_code_with_scope(&to, name.data(), size, any_text().c_str(), &child);
                });
                break;
            case 1:
                append_child(depth, As::document, [&](const bson_t& child) {
                    bson_append_document(&to, name.data(), size, &child);
                });
                break;
            case 2:
                append_child(depth, As::array, [&](const bson_t& child) {
                    bson_append_array(&to, name.data(), size, &child);
                });
                break;
            case 3:
            case 4: RC_ASSERT(append_number(to, name.data(), size, *rc::gen::inRange(0, 6))); break;
            case 5:
            case 6:
            case 7:
                RC_ASSERT(append_text(to, name.data(), size,
                                      *rc::gen::inRange(as == As::scope ? 1 : 0, 7)));
                break;
            default: RC_ASSERT(append_constant(to, name.data(), size, *rc::gen::inRange(0, 5)));
        }
    }
}

auto any_document() -> std::string {
    bson_t document = BSON_INITIALIZER;
    append_elements(document, 3, As::document);
    auto bytes = bytes_of(document);
    bson_destroy(&document);
    return bytes;
}

auto view(const std::uint8_t* bytes, std::uint32_t size) -> std::string_view {
    return {reinterpret_cast<const char*>(bytes), size};
}

auto text_equal(const bson_value_t& value, const Element& element) -> bool {
    switch (element.type) {
        case Type::string:
            return as_text(element) ==
                   std::string_view(value.value.v_utf8.str, value.value.v_utf8.len);
        case Type::symbol:
            return as_text(element) ==
                   std::string_view(value.value.v_symbol.symbol, value.value.v_symbol.len);
        case Type::code:
            return as_text(element) ==
                   std::string_view(value.value.v_code.code, value.value.v_code.code_len);
        case Type::regex:
            return as_regex(element).pattern == value.value.v_regex.regex &&
                   as_regex(element).options == value.value.v_regex.options;
        case Type::db_pointer:
            return as_db_pointer(element).collection ==
                       std::string_view(value.value.v_dbpointer.collection,
                                        value.value.v_dbpointer.collection_len) &&
                   as_db_pointer(element).object_id == view(value.value.v_dbpointer.oid.bytes, 12);
        case Type::code_with_scope:
            return as_code_with_scope(element).code ==
                       std::string_view(value.value.v_codewscope.code,
                                        value.value.v_codewscope.code_len) &&
                   as_code_with_scope(element).scope == view(value.value.v_codewscope.scope_data,
                                                             value.value.v_codewscope.scope_len);
        case Type::binary:
            return as_binary(element).subtype == value.value.v_binary.subtype &&
                   as_binary(element).bytes ==
                       view(value.value.v_binary.data, value.value.v_binary.data_len);
        default: return false;
    }
}

auto equal(const bson_value_t& value, const Element& element) -> bool {
    if (static_cast<int>(value.value_type) != static_cast<int>(element.type)) return false;
    switch (element.type) {
        case Type::float64: {
            const auto number = as_float64(element);
            return std::memcmp(&number, &value.value.v_double, sizeof number) == 0;
        }
        case Type::int32: return as_int32(element) == value.value.v_int32;
        case Type::int64: return as_int64(element) == value.value.v_int64;
        case Type::date: return as_int64(element) == value.value.v_datetime;
        case Type::boolean: return as_boolean(element) == value.value.v_bool;
        case Type::object_id: return as_object_id(element) == view(value.value.v_oid.bytes, 12);
        case Type::timestamp:
            return as_timestamp(element) ==
                   Timestamp{value.value.v_timestamp.timestamp, value.value.v_timestamp.increment};
        case Type::decimal128: {
            const auto bytes = as_decimal128(element);
            return std::memcmp(bytes.data(), &value.value.v_decimal128.low, 8) == 0 &&
                   std::memcmp(bytes.data() + 8, &value.value.v_decimal128.high, 8) == 0;
        }
        case Type::document:
        case Type::array:
            return as_document(element) == view(value.value.v_doc.data, value.value.v_doc.data_len);
        case Type::null:
        case Type::undefined:
        case Type::min_key:
        case Type::max_key: return element.value.empty();
        default: return text_equal(value, element);
    }
}

auto same_as_libbson(std::string_view bytes) -> void {
    bson_iter_t iter;
    RC_ASSERT(bson_iter_init_from_data(&iter, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                       bytes.size()));
    Reader reader(bytes);
    Element element;
    while (reader.next(element)) {
        RC_ASSERT(bson_iter_next(&iter));
        RC_ASSERT(element.name == std::string_view(bson_iter_key(&iter), bson_iter_key_len(&iter)));
        RC_ASSERT(equal(*bson_iter_value(&iter), element));
        if (element.type == Type::document || element.type == Type::array)
            same_as_libbson(as_document(element));
    }
    RC_ASSERT(reader.ok());
    RC_ASSERT(!bson_iter_next(&iter));
}

RC_GTEST_PROP(BsonLibbson, what_it_builds_is_what_we_read, ()) {
    same_as_libbson(any_document());
}

auto same_value(const Element& left, const Element& right, bool names) -> void;

auto same_document(std::string_view left, std::string_view right, bool names) -> void {
    Reader lefts(left);
    Reader rights(right);
    Element one;
    Element other;
    while (lefts.next(one)) {
        RC_ASSERT(rights.next(other));
        if (names) RC_ASSERT(one.name == other.name);
        same_value(one, other, names);
    }
    RC_ASSERT(lefts.ok());
    RC_ASSERT(!rights.next(other));
    RC_ASSERT(rights.ok());
}

auto decimal_text(const Element& element) -> std::string {
    std::string text;
    append_decimal_text(text, as_decimal128(element));
    return text;
}

// Whether int32 or int64 is lost, and a NaN's or a non-canonical decimal's bits; nothing else.
auto same_value(const Element& left, const Element& right, bool names) -> void {
    if (left.type == Type::int32 || left.type == Type::int64) {
        RC_ASSERT(right.type == Type::int32 || right.type == Type::int64);
        RC_ASSERT(whole_number(left) == whole_number(right));
        return;
    }
    RC_ASSERT(left.type == right.type);
    switch (left.type) {
        case Type::document: return same_document(left.value, right.value, names);
        case Type::array: return same_document(left.value, right.value, false);
        case Type::code_with_scope:
            RC_ASSERT(as_code_with_scope(left).code == as_code_with_scope(right).code);
            return same_document(as_code_with_scope(left).scope, as_code_with_scope(right).scope,
                                 names);
        case Type::decimal128: RC_ASSERT(decimal_text(left) == decimal_text(right)); return;
        case Type::float64:
            if (as_float64(left) != as_float64(left)) {
                RC_ASSERT(as_float64(right) != as_float64(right));
                return;
            }
            [[fallthrough]];
        default: RC_ASSERT(left.value == right.value);
    }
}

RC_GTEST_PROP(BsonLibbson, it_reads_the_same_document_from_our_json, ()) {
    const auto bytes = any_document();
    std::string json;
    RC_ASSERT(append_json_document(json, bytes) == Json::whole);
    bson_error_t error{};
    bson_t* parsed = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(json.data()),
                                        static_cast<ssize_t>(json.size()), &error);
    if (parsed == nullptr) RC_FAIL(std::string(error.message) + " in " + json);
    const auto back = bytes_of(*parsed);
    bson_destroy(parsed);
    RC_LOG() << json;
    same_document(bytes, back, true);
}

}  // namespace
}  // namespace leat::bson
