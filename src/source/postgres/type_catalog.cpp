// One query per type seen for the first time.
#include "source/postgres/type_catalog.hpp"

#include <arrow/type.h>

#include <string>

namespace leat::postgres {

namespace {

constexpr auto type_query = R"(
SELECT t.typname, t.typtype, t.typbasetype, t.typtypmod, t.typelem, t.typndims,
       t.typcategory = 'A' AND t.typinput = 'array_in'::regproc, coalesce(e.typdelim, ',')
  FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem
 WHERE t.oid = $1)";

auto kind_of(char type, bool is_array) -> pgtype::Kind {
    if (is_array) return pgtype::Kind::array;
    switch (type) {
        case 'b':
        case 'd': return pgtype::Kind::base;
        case 'e': return pgtype::Kind::enumeration;
        case 'c': return pgtype::Kind::composite;
        case 'r': return pgtype::Kind::range;
        default: return pgtype::Kind::other;
    }
}

auto is_like(const Column& column, const pgtype::ColumnMapping& mapping) -> bool {
    return column.logical_type == mapping.logical_type && column.type->Equals(*mapping.type);
}

}  // namespace

auto TypeCatalog::find(Connection& connection, std::uint32_t oid) -> Result<Entry> {
    if (const auto known = entries_.find(oid); known != entries_.end()) return known->second;
    const auto rows = TRY(connection.query(type_query, {std::to_string(oid)}));
    Entry entry;
    entry.type.oid = oid;
    if (rows.count() == 0) {
        entry.type.name = "type " + std::to_string(oid);
        entry.type.kind = pgtype::Kind::other;
        return entry;
    }
    const bool is_array = rows.truth(0, 6);
    entry.type.name = rows.text(0, 0);
    entry.type.kind = kind_of(rows.text(0, 1).front(), is_array);
    entry.base = static_cast<std::uint32_t>(rows.number(0, 2));
    entry.type.typmod = static_cast<std::int32_t>(rows.number(0, 3));
    if (is_array) entry.element = static_cast<std::uint32_t>(rows.number(0, 4));
    entry.dimensions = static_cast<std::int32_t>(rows.number(0, 5));
    entry.delimiter = rows.text(0, 7).front();
    entries_[oid] = entry;
    return entry;
}

auto TypeCatalog::through_domains(Connection& connection, std::uint32_t oid, std::int32_t modifier)
    -> Result<Entry> {
    auto entry = TRY(find(connection, oid));
    auto dimensions = entry.dimensions;
    while (entry.base != 0) {
        if (modifier < 0) modifier = entry.type.typmod;
        entry = TRY(find(connection, entry.base));
        if (dimensions == 0) dimensions = entry.dimensions;
    }
    entry.type.typmod = modifier;
    entry.dimensions = dimensions;
    return entry;
}

auto TypeCatalog::resolve(Connection& connection, const ColumnType& column)
    -> Result<pgtype::PgType> {
    const auto entry = TRY(through_domains(connection, column.oid, column.modifier));
    pgtype::PgType type;
    static_cast<pgtype::ScalarType&>(type) = entry.type;
    type.dimensions = column.dimensions != 0 ? column.dimensions : entry.dimensions;
    type.delimiter = entry.delimiter;
    if (entry.element != 0)
        type.element = TRY(through_domains(connection, entry.element, entry.type.typmod)).type;
    return type;
}

auto text_mapping(pgtype::PgType type) -> pgtype::ColumnMapping {
    constexpr std::uint32_t numeric_oid = 1700;
    if (type.oid == numeric_oid) {
        type.typmod = -1;
    } else if (type.kind == pgtype::Kind::array) {
        type.dimensions = 2;
    } else {
        type.oid = 0;
        type.kind = pgtype::Kind::other;
    }
    return pgtype::map(type);
}

auto mapping_like(const Column& column, const pgtype::PgType& type)
    -> std::optional<pgtype::ColumnMapping> {
    if (is_like(column, pgtype::discarded())) return pgtype::discarded();
    auto mapping = pgtype::map(type);
    if (is_like(column, mapping)) return mapping;
    mapping = text_mapping(type);
    if (is_like(column, mapping)) return mapping;
    return std::nullopt;
}

}  // namespace leat::postgres
