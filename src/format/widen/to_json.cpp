// By way of the BSON value that each is, so that it reads as if it had come under JSON.
#include "format/widen/to_json.hpp"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/type.h>

#include <cstring>
#include <string>

#include "format/bson/json.hpp"

namespace leat {

namespace {

using bson::Type;

template <class Value>
auto raw(Value value) -> std::string {
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

auto binary(std::string_view bytes, std::uint8_t subtype) -> std::string {
    return raw(static_cast<std::int32_t>(bytes.size())) + static_cast<char>(subtype) +
           std::string(bytes);
}

auto put(std::string& out, Type type, const std::string& value) -> void {
    bson::append_json(out, {type, "", value});
}

// Rounds towards the past, as the milliseconds of a date do.
auto milliseconds(std::int64_t us) -> std::int64_t {
    constexpr std::int64_t us_per_ms = 1000;
    return us / us_per_ms - (us % us_per_ms < 0 ? 1 : 0);
}

auto text_to_json(std::string& out, std::string_view text, const std::string& tag) -> void {
    if (tag.empty()) {
        bson::append_quoted(out, text);
        return;
    }
    out += tag == "objectid" ? R"({"$oid":")" : R"({"$numberDecimal":")";
    out += text;
    out += "\"}";
}

auto append_value(std::string& out, const arrow::Array& array, std::int64_t row,
                  const Column& column) -> void {
    constexpr std::uint8_t uuid_subtype = 4;
    switch (array.type_id()) {
        case arrow::Type::BOOL:
            return put(
                out, Type::boolean,
                raw(static_cast<char>(static_cast<const arrow::BooleanArray&>(array).Value(row))));
        case arrow::Type::INT64:
            return put(out, Type::int64,
                       raw(static_cast<const arrow::Int64Array&>(array).Value(row)));
        case arrow::Type::DOUBLE:
            return put(out, Type::float64,
                       raw(static_cast<const arrow::DoubleArray&>(array).Value(row)));
        case arrow::Type::TIMESTAMP:
            return put(
                out, Type::date,
                raw(milliseconds(static_cast<const arrow::TimestampArray&>(array).Value(row))));
        case arrow::Type::FIXED_SIZE_BINARY:
            return put(out, Type::binary,
                       binary(static_cast<const arrow::FixedSizeBinaryArray&>(array).GetView(row),
                              uuid_subtype));
        case arrow::Type::BINARY:
            return put(out, Type::binary,
                       binary(static_cast<const arrow::BinaryArray&>(array).GetView(row), 0));
        default:
            return text_to_json(out, static_cast<const arrow::StringArray&>(array).GetView(row),
                                column.logical_type);
    }
}

}  // namespace

auto has_json(const Column& column) -> bool {
    const auto& tag = column.logical_type;
    switch (column.type->id()) {
        case arrow::Type::BOOL:
        case arrow::Type::INT64:
        case arrow::Type::DOUBLE:
        case arrow::Type::BINARY: return tag.empty();
        case arrow::Type::FIXED_SIZE_BINARY: return tag == "uuid";
        case arrow::Type::TIMESTAMP:
            return !static_cast<const arrow::TimestampType&>(*column.type).timezone().empty();
        case arrow::Type::STRING: return tag.empty() || tag == "numeric" || tag == "objectid";
        default: return false;
    }
}

auto to_json(const arrow::Array& array, const Column& column)
    -> arrow::Result<std::shared_ptr<arrow::Array>> {
    arrow::StringBuilder builder;
    std::string text;
    for (std::int64_t row = 0; row < array.length(); ++row) {
        if (array.IsNull(row)) {
            ARROW_RETURN_NOT_OK(builder.AppendNull());
            continue;
        }
        text.clear();
        append_value(text, array, row, column);
        ARROW_RETURN_NOT_OK(builder.Append(text));
    }
    return builder.Finish();
}

}  // namespace leat
