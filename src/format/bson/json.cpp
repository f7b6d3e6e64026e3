// Which JSON each type becomes ("Extended JSON", conversion table, relaxed column).
#include "format/bson/json.hpp"

#include <cmath>

#include "format/bson/json_text.hpp"

namespace leat::bson {

namespace {

constexpr std::int64_t year_10000_ms = 253'402'300'800'000;

class Writer {
public:
    Writer(std::string& out, std::size_t bson_bytes) : text_(out, 2 * bson_bytes + 64) {}

    auto element(const Element& element) -> bool;
    auto members(std::string_view document) -> bool;
    auto quoted(std::string_view text) -> void { text_.quoted(text); }
    auto end(bool well_formed) -> Json {
        if (!well_formed) return text_.discard(), Json::malformed;
        return text_.replaced() ? Json::replaced : Json::whole;
    }

private:
    auto items(std::string_view array) -> bool;
    auto scalar(const Element& element) -> void;
    auto composed(const Element& element) -> void;
    auto code_with_scope(const CodeWithScope& value) -> bool;
    auto date(std::int64_t time_ms) -> void;
    auto binary(const Binary& value) -> void;
    auto timestamp(Timestamp value) -> void;

    JsonText text_;
    int depth_ = 0;
};

auto Writer::members(std::string_view document) -> bool {
    if (++depth_ > json_depth_max) return false;
    Reader reader(document);
    Element member;
    char before = '{';
    while (reader.next(member)) {
        text_.put(before);
        before = ',';
        text_.quoted(member.name);
        text_.put(':');
        if (!element(member)) return false;
    }
    if (before == '{') text_.put('{');
    text_.put('}');
    --depth_;
    return reader.ok();
}

// An array is a document whose names say nothing.
auto Writer::items(std::string_view array) -> bool {
    if (++depth_ > json_depth_max) return false;
    Reader reader(array);
    Element item;
    char before = '[';
    while (reader.next(item)) {
        text_.put(before);
        before = ',';
        if (!element(item)) return false;
    }
    if (before == '[') text_.put('[');
    text_.put(']');
    --depth_;
    return reader.ok();
}

auto Writer::element(const Element& element) -> bool {
    switch (element.type) {
        case Type::document: return members(as_document(element));
        case Type::array: return items(as_document(element));
        case Type::code_with_scope: return code_with_scope(as_code_with_scope(element));
        default: scalar(element); return true;
    }
}

auto Writer::scalar(const Element& element) -> void {
    switch (element.type) {
        case Type::string: return text_.quoted(as_text(element));
        case Type::int32: return text_.number(std::int64_t{as_int32(element)});
        case Type::int64: return text_.number(as_int64(element));
        case Type::float64: return text_.number(as_float64(element));
        case Type::boolean: return as_boolean(element) ? text_.put("true") : text_.put("false");
        case Type::null: return text_.put("null");
        case Type::date: return date(as_int64(element));
        case Type::object_id:
            text_.put(R"({"$oid":")");
            text_.hex(as_object_id(element));
            return text_.put("\"}");
        case Type::decimal128:
            text_.put(R"({"$numberDecimal":")");
            text_.decimal(as_decimal128(element));
            return text_.put("\"}");
        default: return composed(element);
    }
}

auto Writer::composed(const Element& element) -> void {
    switch (element.type) {
        case Type::binary: return binary(as_binary(element));
        case Type::timestamp: return timestamp(as_timestamp(element));
        case Type::undefined: return text_.put(R"({"$undefined":true})");
        case Type::min_key: return text_.put(R"({"$minKey":1})");
        case Type::max_key: return text_.put(R"({"$maxKey":1})");
        case Type::code: text_.put(R"({"$code":)"); break;
        case Type::symbol: text_.put(R"({"$symbol":)"); break;
        case Type::regex: {
            const auto value = as_regex(element);
            text_.put(R"({"$regularExpression":{"pattern":)");
            text_.quoted(value.pattern);
            text_.put(R"(,"options":)");
            text_.quoted(value.options);
            return text_.put("}}");
        }
        default: {
            const auto value = as_db_pointer(element);
            text_.put(R"({"$dbPointer":{"$ref":)");
            text_.quoted(value.collection);
            text_.put(R"(,"$id":{"$oid":")");
            text_.hex(value.object_id);
            return text_.put("\"}}}");
        }
    }
    text_.quoted(as_text(element));
    text_.put('}');
}

auto Writer::code_with_scope(const CodeWithScope& value) -> bool {
    text_.put(R"({"$code":)");
    text_.quoted(value.code);
    text_.put(R"(,"$scope":)");
    const bool well_formed = members(value.scope);
    text_.put('}');
    return well_formed;
}

auto Writer::date(std::int64_t time_ms) -> void {
    if (time_ms >= 0 && time_ms < year_10000_ms) {
        text_.put(R"({"$date":")");
        text_.moment(time_ms);
        return text_.put("\"}");
    }
    text_.put(R"({"$date":{"$numberLong":")");
    text_.number(time_ms);
    text_.put("\"}}");
}

auto Writer::binary(const Binary& value) -> void {
    text_.put(R"({"$binary":{"base64":")");
    text_.base64(value.bytes);
    text_.put(R"(","subType":")");
    const auto subtype = static_cast<char>(value.subtype);
    text_.hex({&subtype, 1});
    text_.put("\"}}");
}

auto Writer::timestamp(Timestamp value) -> void {
    text_.put(R"({"$timestamp":{"t":)");
    text_.number(std::int64_t{value.seconds});
    text_.put(R"(,"i":)");
    text_.number(std::int64_t{value.increment});
    text_.put("}}");
}

}  // namespace

auto append_json(std::string& out, const Element& element) -> Json {
    Writer writer(out, element.value.size());
    return writer.end(writer.element(element));
}

auto append_json_document(std::string& out, std::string_view document) -> Json {
    Writer writer(out, document_length(document));
    return writer.end(writer.members(document));
}

auto append_number_text(std::string& out, double value) -> void {
    if (std::isnan(value)) out += "NaN";
    else if (std::isinf(value)) out += value > 0 ? "Infinity" : "-Infinity";
    else JsonText(out, sizeof value).number(value);
}

auto append_quoted(std::string& out, std::string_view utf8) -> Json {
    Writer writer(out, utf8.size());
    writer.quoted(utf8);
    return writer.end(true);
}

}  // namespace leat::bson
