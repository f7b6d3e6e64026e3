// map(): which Arrow type, tag and codec a PostgreSQL type gets. The rules are in pgtype.hpp.
#include <arrow/type.h>

#include <utility>

#include "format/pgtype/pgtype.hpp"

namespace leat::pgtype {

namespace {

constexpr std::int32_t decimal_digits_max = 38;
constexpr std::uint32_t numeric_oid = 1700;

auto plain(Codec codec, std::shared_ptr<arrow::DataType> type, std::string tag = "")
    -> ColumnMapping {
    ColumnMapping mapping;
    mapping.type = std::move(type);
    mapping.logical_type = std::move(tag);
    mapping.binary_ok = true;
    mapping.codec = codec;
    return mapping;
}

auto server_text(std::string tag) -> ColumnMapping {
    auto mapping = plain(Codec::server_text, arrow::utf8(), std::move(tag));
    mapping.binary_ok = false;
    return mapping;
}

auto tag_of(const ScalarType& type) -> std::string {
    return type.name.empty() ? "oid " + std::to_string(type.oid) : type.name;
}

// typmod is ((precision << 16) | (scale & 0x7ff)) + 4, scale an 11-bit signed number (since 15).
auto map_numeric(std::int32_t typmod) -> ColumnMapping {
    if (typmod >= 4) {
        const auto precision = ((typmod - 4) >> 16) & 0xffff;
        const auto scale = (((typmod - 4) & 0x7ff) ^ 1024) - 1024;
        if (precision >= 1 && precision <= decimal_digits_max && scale >= 0 && scale <= precision) {
            auto mapping = plain(Codec::decimal, arrow::decimal128(precision, scale));
            mapping.precision = precision;
            mapping.scale = scale;
            return mapping;
        }
    }
    return plain(Codec::numeric_text, arrow::utf8(), "numeric");
}

// Oids of built-in types never change (pg_type.dat).
auto map_base(const ScalarType& type) -> ColumnMapping {
    using arrow::TimeUnit;
    switch (type.oid) {
        case 16: return plain(Codec::boolean, arrow::boolean());
        case 17: return plain(Codec::bytea, arrow::binary());
        case 18: return plain(Codec::char1, arrow::utf8());
        case 20: return plain(Codec::int8, arrow::int64());
        case 21: return plain(Codec::int2, arrow::int16());
        case 23: return plain(Codec::int4, arrow::int32());
        case 26: return plain(Codec::oid, arrow::uint32());
        case 19:    // name
        case 25:    // text
        case 1042:  // bpchar
        case 1043:  // varchar
            return plain(Codec::text, arrow::utf8());
        case 114: return plain(Codec::json, arrow::utf8(), "json");
        case 3802: return plain(Codec::jsonb, arrow::utf8(), "json");
        case 700: return plain(Codec::float4, arrow::float32());
        case 701: return plain(Codec::float8, arrow::float64());
        case 1082: return plain(Codec::date, arrow::date32());
        case 1083: return plain(Codec::time, arrow::time64(TimeUnit::MICRO));
        case 1114: return plain(Codec::timestamp, arrow::timestamp(TimeUnit::MICRO));
        case 1184: return plain(Codec::timestamp, arrow::timestamp(TimeUnit::MICRO, "UTC"));
        case numeric_oid: return map_numeric(type.typmod);
        case 2950: return plain(Codec::uuid, arrow::fixed_size_binary(16), "uuid");
        default: break;
    }
    // An extension's type: its oid differs from database to database.
    if (type.name == "citext") return plain(Codec::text, arrow::utf8());
    return server_text(tag_of(type));
}

auto map_scalar(const ScalarType& type) -> ColumnMapping {
    if (type.kind == Kind::enumeration) return plain(Codec::enumeration, arrow::utf8(), "enum");
    if (type.kind == Kind::base) return map_base(type);
    return server_text(tag_of(type));
}

}  // namespace

auto map(const PgType& type) -> ColumnMapping {
    if (type.kind != Kind::array) return map_scalar(type);
    if (!type.element) return server_text(tag_of(type));
    // PostgreSQL enforces neither the declared number of dimensions nor lower bounds; declared with
    // one dimension is the owner's word for a list. 0: nobody said (CREATE TABLE AS, domains).
    if (type.dimensions != 1 || type.element->kind == Kind::array)
        return server_text(tag_of(*type.element) + "[]");
    auto mapping = map_scalar(*type.element);
    mapping.type = arrow::list(std::move(mapping.type));
    if (!mapping.logical_type.empty()) mapping.logical_type += "[]";
    mapping.element = mapping.codec;
    mapping.codec = Codec::list;
    mapping.delimiter = type.delimiter;
    return mapping;
}

auto discarded() -> ColumnMapping {
    ColumnMapping mapping;
    mapping.type = arrow::utf8();
    mapping.logical_type = "discarded";
    mapping.binary_ok = true;
    mapping.codec = Codec::discarded;
    return mapping;
}

}  // namespace leat::pgtype
