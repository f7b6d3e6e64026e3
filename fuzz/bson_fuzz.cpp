// Any bytes as a BSON document: all of it is read, inside its bytes; its JSON is written exactly
// when that succeeded and is UTF-8; and as a text the bytes are quoted whole exactly when UTF-8.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "format/bson/bson.hpp"
#include "format/bson/json.hpp"
#include "format/utf8/utf8.hpp"

namespace {

using namespace leat::bson;  // NOLINT: the subject

auto require(bool holds) -> void {
    if (!holds) std::abort();
}

struct Walk {
    std::string_view bytes;
    bool utf8 = true;
    bool malformed = false;

    auto inside(std::string_view part) const -> void {
        require(part.data() >= bytes.data() &&
                part.data() + part.size() <= bytes.data() + bytes.size());
    }
    auto text(std::string_view part) -> void {
        inside(part);
        utf8 = utf8 && leat::is_utf8(part);
    }
    // An array's names are not in its JSON.
    auto document(std::string_view whole, int depth, bool array) -> void {
        if (depth > json_depth_max) malformed = true;
        if (malformed) return;
        Reader reader(whole);
        Element element;
        while (!malformed && reader.next(element)) {
            inside(element.name);
            inside(element.value);
            if (!array) text(element.name);
            value(element, depth);
        }
        if (!reader.ok()) malformed = true;
    }
    auto value(const Element& element, int depth) -> void;
    auto composed(const Element& element, int depth) -> void;
};

auto Walk::value(const Element& element, int depth) -> void {
    static_cast<void>(whole_number(element));
    switch (element.type) {
        case Type::document:
        case Type::array:
            return document(as_document(element), depth + 1, element.type == Type::array);
        case Type::string:
        case Type::symbol:
        case Type::code: return text(as_text(element));
        case Type::float64: require(element.value.size() == sizeof as_float64(element)); break;
        case Type::int32: require(element.value.size() == sizeof as_int32(element)); break;
        case Type::int64:
        case Type::date: require(element.value.size() == sizeof as_int64(element)); break;
        case Type::boolean: require(as_boolean(element) == (element.value == "\x01")); break;
        case Type::object_id: require(as_object_id(element).size() == 12); break;
        case Type::decimal128: require(as_decimal128(element).size() == 16); break;
        default: composed(element, depth);
    }
}

auto Walk::composed(const Element& element, int depth) -> void {
    switch (element.type) {
        case Type::binary: return inside(as_binary(element).bytes);
        case Type::timestamp:
            require(as_timestamp(element).seconds ==
                    static_cast<std::uint64_t>(as_int64(element)) >> 32);
            break;
        case Type::regex: text(as_regex(element).pattern); return text(as_regex(element).options);
        case Type::db_pointer:
            text(as_db_pointer(element).collection);
            return inside(as_db_pointer(element).object_id);
        case Type::code_with_scope:
            text(as_code_with_scope(element).code);
            return document(as_code_with_scope(element).scope, depth + 1, false);
        default: require(element.value.empty());
    }
}

}  // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    Walk walk{bytes};
    walk.document(bytes, 1, false);
    std::string out = "before";
    const auto json = append_json_document(out, bytes);
    require((json == Json::malformed) == walk.malformed);
    if (walk.malformed) require(out == "before");
    else require((json == Json::whole) == walk.utf8 && leat::is_utf8(out) && out.back() == '}');

    Reader reader(bytes);
    Element first;
    if (reader.next(first)) {
        const auto found = find(bytes, first.name);
        require(found && found->value.data() == first.value.data());
        out.clear();
        if (append_json(out, first) == Json::malformed) require(out.empty() && walk.malformed);
    }
    out.clear();
    require((append_quoted(out, bytes) == Json::whole) == leat::is_utf8(bytes));
    require(leat::is_utf8(out) && out.size() >= size + 2);
    return 0;
}
