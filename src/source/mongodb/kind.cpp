// The table of kinds, and the lattice in code.
#include "source/mongodb/kind.hpp"

#include <arrow/type.h>

#include <algorithm>

#include "source/mongodb/config.hpp"

namespace leat::mongodb {

namespace {

auto tag_of(Kind kind) -> const char* {
    switch (kind) {
        case Kind::numeric: return "numeric";
        case Kind::object_id: return "objectid";
        case Kind::uuid: return "uuid";
        case Kind::json: return "json";
        default: return "";
    }
}

auto arrow_type(Kind kind) -> std::shared_ptr<arrow::DataType> {
    constexpr int uuid_bytes = 16;
    switch (kind) {
        case Kind::boolean: return arrow::boolean();
        case Kind::integer:
        case Kind::big_integer: return arrow::int64();
        case Kind::float64: return arrow::float64();
        case Kind::timestamp: return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
        case Kind::uuid: return arrow::fixed_size_binary(uuid_bytes);
        case Kind::binary: return arrow::binary();
        default: return arrow::utf8();
    }
}

constexpr std::int64_t exact_in_double = std::int64_t{1} << 53;

auto kind_of(std::int64_t number) -> Kind {
    return number >= -exact_in_double && number <= exact_in_double ? Kind::integer
                                                                   : Kind::big_integer;
}

auto kind_of(const bson::Binary& binary) -> Kind {
    constexpr std::uint8_t uuid_subtype = 4;
    constexpr std::size_t uuid_bytes = 16;
    if (binary.subtype == 0) return Kind::binary;
    return binary.subtype == uuid_subtype && binary.bytes.size() == uuid_bytes ? Kind::uuid
                                                                               : Kind::json;
}

auto is_number(Kind kind) -> bool {
    return kind >= Kind::integer && kind <= Kind::numeric;
}

}  // namespace

auto kind_of(const bson::Element& value) -> Kind {
    switch (value.type) {
        case bson::Type::boolean: return Kind::boolean;
        case bson::Type::int32: return Kind::integer;
        case bson::Type::int64: return kind_of(bson::as_int64(value));
        case bson::Type::float64: return Kind::float64;
        case bson::Type::decimal128: return Kind::numeric;
        case bson::Type::string: return Kind::text;
        case bson::Type::object_id: return Kind::object_id;
        case bson::Type::date: return Kind::timestamp;
        case bson::Type::binary: return kind_of(bson::as_binary(value));
        default: return Kind::json;
    }
}

auto join(Kind a, Kind b) -> Kind {
    if (a == b) return a;
    if (!is_number(a) || !is_number(b)) return Kind::json;
    const auto [narrow, wide] = std::minmax(a, b);
    if (narrow == Kind::integer && wide <= Kind::float64) return wide;
    return Kind::numeric;
}

auto join_keys(Kind a, Kind b) -> Kind {
    const auto is_whole = [](Kind kind) {
        return kind == Kind::integer || kind == Kind::big_integer;
    };
    if (a == b) return a;
    return is_whole(a) && is_whole(b) ? Kind::big_integer : Kind::json;
}

auto column_of(Kind kind) -> Column {
    Column column;
    column.type = arrow_type(kind);
    column.logical_type = tag_of(kind);
    for (const auto& name : names_of(kind))
        if (name.value == kind) column.source_type = name.name;
    return column;
}

auto kind_of(const Column& column) -> std::optional<Kind> {
    for (const auto& name : names_of(Kind{}))
        if (name.name == column.source_type) return name.value;
    return std::nullopt;
}

}  // namespace leat::mongodb
