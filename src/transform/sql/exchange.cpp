// Types, tags and infinities; see exchange.hpp.
#include "transform/sql/exchange.hpp"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <limits>

#include "transform/sql/engine.hpp"

namespace leat::sql {

namespace {

auto failed(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "transform values: " + status.message(), "", "arrow"};
}

auto cast_it(const std::string& found, const std::string& hint) -> Error {
    return Error{Fault::config, "a column cannot be of type " + found, hint, ""};
}

auto plain(std::shared_ptr<arrow::DataType> type, std::string tag = "") -> Column {
    Column column;
    column.type = std::move(type);
    column.logical_type = std::move(tag);
    return column;
}

auto list_of(duckdb_logical_type type) -> Result<Column> {
    const LogicalType child(duckdb_list_type_child_type(type));
    auto item = TRY(column_from_duckdb(child.get()));
    if (item.logical_type == "uuid") return cast_it("UUID[]", "Cast it to VARCHAR[].");
    const auto tag = item.logical_type.empty() ? "" : item.logical_type + "[]";
    return plain(arrow::list(item.type), tag);
}

auto text_type(duckdb_logical_type type) -> Column {
    char* const alias = duckdb_logical_type_get_alias(type);
    const bool is_json = alias != nullptr && std::string_view(alias) == "JSON";
    duckdb_free(alias);
    return plain(arrow::utf8(), is_json ? "json" : "");
}

template <class T>
auto swap_values(const arrow::Array& array, T from, T to) -> Result<ArrayPtr> {
    const auto& data = *array.data();
    if (data.buffers[1] == nullptr) return arrow::MakeArray(array.data());
    const auto* const values = data.GetValues<T>(1);
    bool found = false;
    for (std::int64_t i = 0; i < array.length(); ++i) found |= values[i] == from;
    if (!found) return arrow::MakeArray(array.data());
    auto buffer = arrow::AllocateBuffer((data.offset + array.length()) *
                                        static_cast<std::int64_t>(sizeof(T)));
    if (!buffer.ok()) return failed(buffer.status());
    auto* const out = reinterpret_cast<T*>((*buffer)->mutable_data()) + data.offset;
    for (std::int64_t i = 0; i < array.length(); ++i)
        out[i] = values[i] == from ? to : values[i];
    auto copy = data.Copy();
    copy->buffers[1] = std::move(*buffer);
    return arrow::MakeArray(copy);
}

// leat holds -infinity as the smallest integer, DuckDB as the one above it.
template <class T>
auto swap_infinity(const arrow::Array& array, bool to_duckdb) -> Result<ArrayPtr> {
    constexpr T ours = std::numeric_limits<T>::min();
    constexpr T theirs = -std::numeric_limits<T>::max();
    return to_duckdb ? swap_values<T>(array, ours, theirs) : swap_values<T>(array, theirs, ours);
}

auto swap_infinities(const ArrayPtr& array, bool to_duckdb) -> Result<ArrayPtr> {
    switch (array->type_id()) {
        case arrow::Type::TIMESTAMP: return swap_infinity<std::int64_t>(*array, to_duckdb);
        case arrow::Type::DATE32: return swap_infinity<std::int32_t>(*array, to_duckdb);
        case arrow::Type::LIST: {
            const auto& list = static_cast<const arrow::ListArray&>(*array);
            const auto values = TRY(swap_infinities(list.values(), to_duckdb));
            if (values->data()->buffers == list.values()->data()->buffers) return array;
            auto copy = array->data()->Copy();
            copy->child_data[0] = values->data();
            return arrow::MakeArray(copy);
        }
        default: return array;
    }
}

}  // namespace

auto field_for_duckdb(const std::string& name, const arrow::DataType& type,
                      const std::string& logical_type) -> std::shared_ptr<arrow::Field> {
    if (type.id() == arrow::Type::LIST) {
        const auto item_tag = logical_type.substr(0, logical_type.rfind("[]"));
        const auto& item = *static_cast<const arrow::ListType&>(type).value_type();
        return arrow::field(name, arrow::list(field_for_duckdb("item", item, item_tag)));
    }
    std::shared_ptr<const arrow::KeyValueMetadata> metadata;
    if (logical_type == "uuid" || logical_type == "json")
        metadata = arrow::key_value_metadata(
            {{"ARROW:extension:name", "arrow." + logical_type}, {"ARROW:extension:metadata", ""}});
    return arrow::field(name, type.GetSharedPtr(), true, metadata);
}

auto column_from_duckdb(duckdb_logical_type type) -> Result<Column> {
    switch (duckdb_get_type_id(type)) {
        case DUCKDB_TYPE_BOOLEAN: return plain(arrow::boolean());
        case DUCKDB_TYPE_TINYINT: return plain(arrow::int8());
        case DUCKDB_TYPE_SMALLINT: return plain(arrow::int16());
        case DUCKDB_TYPE_INTEGER: return plain(arrow::int32());
        case DUCKDB_TYPE_BIGINT: return plain(arrow::int64());
        case DUCKDB_TYPE_UTINYINT: return plain(arrow::uint8());
        case DUCKDB_TYPE_USMALLINT: return plain(arrow::uint16());
        case DUCKDB_TYPE_UINTEGER: return plain(arrow::uint32());
        case DUCKDB_TYPE_UBIGINT: return plain(arrow::uint64());
        case DUCKDB_TYPE_FLOAT: return plain(arrow::float32());
        case DUCKDB_TYPE_DOUBLE: return plain(arrow::float64());
        case DUCKDB_TYPE_DECIMAL:
            return plain(arrow::decimal128(duckdb_decimal_width(type), duckdb_decimal_scale(type)));
        case DUCKDB_TYPE_DATE: return plain(arrow::date32());
        case DUCKDB_TYPE_TIME: return plain(arrow::time64(arrow::TimeUnit::MICRO));
        case DUCKDB_TYPE_TIMESTAMP: return plain(arrow::timestamp(arrow::TimeUnit::MICRO));
        case DUCKDB_TYPE_TIMESTAMP_TZ:
            return plain(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "timestamptz");
        case DUCKDB_TYPE_VARCHAR: return text_type(type);
        case DUCKDB_TYPE_BLOB: return plain(arrow::binary());
        case DUCKDB_TYPE_UUID: return plain(arrow::fixed_size_binary(16), "uuid");
        case DUCKDB_TYPE_LIST: return list_of(type);
        case DUCKDB_TYPE_HUGEINT:
        case DUCKDB_TYPE_UHUGEINT: return cast_it("HUGEINT", "Cast it to BIGINT or DECIMAL(38,0).");
        case DUCKDB_TYPE_SQLNULL: return cast_it("NULL", "Cast it to the type it shall have.");
        case DUCKDB_TYPE_TIMESTAMP_S:
        case DUCKDB_TYPE_TIMESTAMP_MS:
        case DUCKDB_TYPE_TIMESTAMP_NS:
            return cast_it("TIMESTAMP of another unit", "Cast it to TIMESTAMP.");
        default: return cast_it("this kind", "Cast it to VARCHAR, JSON or a list.");
    }
}

auto infinities_to_duckdb(const ArrayPtr& array) -> Result<ArrayPtr> {
    return swap_infinities(array, true);
}

auto from_duckdb(const ArrayPtr& array, const std::shared_ptr<arrow::DataType>& type)
    -> Result<ArrayPtr> {
    // Time zone names and the names of list items differ; the bytes do not.
    auto data = TRY(swap_infinities(array, false))->data()->Copy();
    data->type = type;
    return arrow::MakeArray(data);
}

}  // namespace leat::sql
