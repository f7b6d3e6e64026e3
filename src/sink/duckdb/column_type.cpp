// Arrow type and tag -> DuckDB type.
#include "sink/duckdb/column_type.hpp"

#include <arrow/type.h>

namespace leat::duckdb {

namespace {

auto fixed(duckdb_type id, const char* sql, int width) -> ColumnType {
    return {.kind = Kind::fixed, .id = id, .sql = sql, .width = width};
}
auto plain(Kind kind, duckdb_type id, const char* sql) -> ColumnType {
    return {.kind = kind, .id = id, .sql = sql};
}

auto decimal_type(const arrow::Decimal128Type& type) -> ColumnType {
    const int precision = type.precision();
    const int scale = type.scale();
    if (scale < 0 || scale > precision) return {};
    const int width = precision <= 4 ? 2 : precision <= 9 ? 4 : precision <= 18 ? 8 : 16;
    return {.kind = Kind::decimal,
            .id = DUCKDB_TYPE_DECIMAL,
            .sql = "DECIMAL(" + std::to_string(precision) + "," + std::to_string(scale) + ")",
            .width = width,
            .precision = precision,
            .scale = scale};
}

auto timestamp_type(const arrow::TimestampType& type) -> ColumnType {
    if (type.unit() != arrow::TimeUnit::MICRO) return {};
    return type.timezone().empty()
               ? plain(Kind::timestamp, DUCKDB_TYPE_TIMESTAMP, "TIMESTAMP")
               : plain(Kind::timestamp_tz, DUCKDB_TYPE_TIMESTAMP_TZ, "TIMESTAMPTZ");
}

auto time_type(const arrow::Time64Type& type) -> ColumnType {
    if (type.unit() != arrow::TimeUnit::MICRO) return {};
    return {.kind = Kind::time, .id = DUCKDB_TYPE_TIME, .sql = "TIME", .width = 8};
}

auto list_type(const arrow::ListType& type, const std::string& logical_type) -> ColumnType {
    // A list's tag is its element's with "[]" behind it.
    const auto item_tag = logical_type.substr(0, logical_type.rfind("[]"));
    auto item = column_type(*type.value_type(), item_tag);
    if (item.kind == Kind::unsupported) return {};
    ColumnType list{.kind = Kind::list, .id = DUCKDB_TYPE_LIST, .sql = item.sql + "[]"};
    list.item = std::make_shared<const ColumnType>(std::move(item));
    return list;
}

auto binary_type(const arrow::DataType& type, const std::string& logical_type) -> ColumnType {
    if (logical_type == "uuid" && type.id() == arrow::Type::FIXED_SIZE_BINARY &&
        static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width() == 16)
        return plain(Kind::uuid, DUCKDB_TYPE_UUID, "UUID");
    return plain(Kind::blob, DUCKDB_TYPE_BLOB, "BLOB");
}

}  // namespace

auto column_type(const arrow::DataType& type, const std::string& logical_type) -> ColumnType {
    switch (type.id()) {
        case arrow::Type::BOOL: return plain(Kind::boolean, DUCKDB_TYPE_BOOLEAN, "BOOLEAN");
        case arrow::Type::INT8: return fixed(DUCKDB_TYPE_TINYINT, "TINYINT", 1);
        case arrow::Type::INT16: return fixed(DUCKDB_TYPE_SMALLINT, "SMALLINT", 2);
        case arrow::Type::INT32: return fixed(DUCKDB_TYPE_INTEGER, "INTEGER", 4);
        case arrow::Type::INT64: return fixed(DUCKDB_TYPE_BIGINT, "BIGINT", 8);
        case arrow::Type::UINT8: return fixed(DUCKDB_TYPE_UTINYINT, "UTINYINT", 1);
        case arrow::Type::UINT16: return fixed(DUCKDB_TYPE_USMALLINT, "USMALLINT", 2);
        case arrow::Type::UINT32: return fixed(DUCKDB_TYPE_UINTEGER, "UINTEGER", 4);
        case arrow::Type::UINT64: return fixed(DUCKDB_TYPE_UBIGINT, "UBIGINT", 8);
        case arrow::Type::FLOAT: return fixed(DUCKDB_TYPE_FLOAT, "FLOAT", 4);
        case arrow::Type::DOUBLE: return fixed(DUCKDB_TYPE_DOUBLE, "DOUBLE", 8);
        case arrow::Type::DECIMAL128:
            return decimal_type(static_cast<const arrow::Decimal128Type&>(type));
        case arrow::Type::DATE32: return plain(Kind::date, DUCKDB_TYPE_DATE, "DATE");
        case arrow::Type::TIME64: return time_type(static_cast<const arrow::Time64Type&>(type));
        case arrow::Type::TIMESTAMP:
            return timestamp_type(static_cast<const arrow::TimestampType&>(type));
        case arrow::Type::STRING:
            // Text under any other tag (numeric, enum, interval, …) stays exact text.
            if (logical_type == "json") return plain(Kind::json, DUCKDB_TYPE_VARCHAR, "JSON");
            return plain(Kind::text, DUCKDB_TYPE_VARCHAR, "VARCHAR");
        case arrow::Type::BINARY:
        case arrow::Type::FIXED_SIZE_BINARY: return binary_type(type, logical_type);
        case arrow::Type::LIST:
            return list_type(static_cast<const arrow::ListType&>(type), logical_type);
        default: return {};
    }
}

auto logical_type(const ColumnType& type) -> LogicalType {
    if (type.kind == Kind::decimal)
        return LogicalType(duckdb_create_decimal_type(static_cast<std::uint8_t>(type.precision),
                                                      static_cast<std::uint8_t>(type.scale)));
    if (type.kind == Kind::list)
        return LogicalType(duckdb_create_list_type(logical_type(*type.item).get()));
    LogicalType made(duckdb_create_logical_type(type.id));
    // The alias is what makes VARCHAR to JSON: without it DuckDB would parse every value again.
    if (type.kind == Kind::json) duckdb_logical_type_set_alias(made.get(), "JSON");
    return made;
}

}  // namespace leat::duckdb
