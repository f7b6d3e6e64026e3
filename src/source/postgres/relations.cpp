// Comparing a Relation message with the version in force and with the catalog.
#include "source/postgres/relations.hpp"

#include <arrow/type.h>

#include <algorithm>
#include <utility>

namespace leat::postgres {

namespace {

using pgoutput::ReplicaIdentity;

auto cannot_follow(const TableName& table, const std::string& what) -> Error {
    return Error{Fault::fatal, "table " + to_string(table) + " changed in a way that cannot be "
                     "followed: " + what,
                 "Run `leat drop FILE`, move the warehouse file away and start again.",
                 "postgres schema", Code::pg_schema_change};
}

auto catalog_column(const CatalogTable* catalog, const std::string& name) -> const CatalogColumn* {
    if (catalog == nullptr) return nullptr;
    const auto found = std::find_if(catalog->columns.begin(), catalog->columns.end(),
                                    [&](const auto& column) { return column.name == name; });
    return found == catalog->columns.end() ? nullptr : &*found;
}

auto highest_id(const TableSchema& schema) -> std::int32_t {
    std::int32_t highest = 0;
    for (const auto& column : schema.columns) highest = std::max(highest, column.id);
    return highest;
}

auto ids_of(const TableSchema& schema) -> std::vector<std::int32_t> {
    std::vector<std::int32_t> ids;
    for (const int index : schema.key)
        ids.push_back(schema.columns[static_cast<std::size_t>(index)].id);
    return ids;
}

// A key column that is gone, or was joined by another, is another key.
auto check_key(const TableSchema& known, const pgoutput::Relation& relation,
               std::vector<std::int32_t> sent_key, const CatalogTable* catalog) -> Result<void> {
    if (known.identity == RowIdentity::append_only) return {};
    const bool full = relation.identity == ReplicaIdentity::full;
    if (known.identity == RowIdentity::full_row) {
        if (!full) return cannot_follow(known.name, "its replica identity is no longer full");
        if (catalog != nullptr && !catalog->primary_key.empty())
            return cannot_follow(known.name, "it got a primary key");
        return {};
    }
    auto key = ids_of(known);
    if (full) {
        // All columns are flagged then: the catalog alone knows the key.
        if (catalog != nullptr && catalog->primary_key != key)
            return cannot_follow(known.name, "its primary key changed");
        return {};
    }
    std::sort(key.begin(), key.end());
    std::sort(sent_key.begin(), sent_key.end());
    if (key != sent_key) return cannot_follow(known.name, "its key changed");
    return {};
}

// As far as they decide how an array column is read: as a list, or as text.
auto declared_dimensions(const Column& column) -> std::int32_t {
    return column.type->id() == arrow::Type::LIST ? 1 : 2;
}

// Dropped and added again under its old name as the last column, the message looks as before, and
// whether it tells of before or after cannot be known.
auto check_not_replaced(const pgoutput::Relation& relation, const TableName& table,
                        const std::vector<std::int32_t>& ids, const CatalogTable* catalog)
    -> Result<void> {
    if (catalog == nullptr) return {};
    std::size_t i = 0;
    for (const auto& sent : relation.columns) {
        const auto id = ids[i++];
        if (catalog->column(id) != nullptr) continue;
        const auto* again = catalog_column(catalog, std::string(sent.name));
        if (again == nullptr || again->number < id || again->type_oid != sent.type_oid) continue;
        const bool last = std::all_of(ids.begin() + static_cast<std::ptrdiff_t>(i), ids.end(),
                                      [&](auto later) { return later > again->number; });
        if (last)
            return cannot_follow(table, "column " + again->name + " was dropped and added again");
    }
    return {};
}

auto check_not_renamed(const TableSchema& known, const std::vector<std::int32_t>& ids,
                       const CatalogTable* catalog) -> Result<void> {
    if (catalog == nullptr) return {};
    for (const auto& column : known.columns) {
        if (std::find(ids.begin(), ids.end(), column.id) != ids.end()) continue;
        const auto* now = catalog->column(column.id);
        if (now != nullptr && now->name != column.name)
            return cannot_follow(known.name,
                                 "column " + column.name + " was renamed to " + now->name);
        if (now != nullptr)
            return cannot_follow(known.name, "column " + column.name + " has another type");
    }
    return {};
}

}  // namespace

Relations::Relations(ConnectOptions sql, std::vector<KnownTable> tables)
    : sql_options_(std::move(sql)) {
    for (auto& table : tables) {
        const auto name = table.schema->name;
        tables_[name].table = std::move(table);
    }
}

auto Relations::sql() -> Result<Connection*> {
    if (!sql_) sql_ = TRY(Connection::connect(sql_options_));
    return &*sql_;
}

auto Relations::find_added(Found found, const pgoutput::RelationColumn& sent, std::int32_t after,
                           const Entry& entry, const CatalogTable* catalog) -> Result<Found> {
    const auto& known = *entry.table.schema;
    found.added = true;
    found.mapping = pgtype::map(found.type);
    found.column.type = found.mapping.type;
    found.column.logical_type = found.mapping.logical_type;
    const auto lowest = std::max(after, highest_id(known)) + 1;
    const auto* now = catalog_column(catalog, found.column.name);
    if (now == nullptr || now->number < lowest || now->type_oid != sent.type_oid) {
        // Added and dropped again before we could look. Its default is lost, so that the values of
        // older rows cannot be known; as the drop follows, the column is NULL in all rows until
        // then. Numbers are never used twice, so the lowest that is not alive is free.
        found.mapping = pgtype::discarded();
        found.column.type = found.mapping.type;
        found.column.logical_type = found.mapping.logical_type;
        found.column.id = lowest;
        while (catalog != nullptr && catalog->column(found.column.id) != nullptr) ++found.column.id;
        return found;
    }
    found.column.id = now->number;
    found.column.nullable = !now->not_null;
    if (now->missing_value) {
        found.column.default_value = TRY(pgtype::parse_default(found.mapping, *now->missing_value));
    } else if (now->has_default ||
               (entry.table.file_node != 0 && catalog->file_node != entry.table.file_node)) {
        return cannot_follow(known.name, "column " + found.column.name + " was added with a default "
                             "that is no stored constant, or the table was rewritten since");
    }
    return found;
}

auto Relations::find_columns(const pgoutput::Relation& relation, const Entry& entry,
                             const CatalogTable* catalog) -> Result<std::vector<Found>> {
    const auto& known = *entry.table.schema;
    std::vector<Found> all;
    std::int32_t before = 0;  // columns come in the order of their numbers
    for (const auto& sent : relation.columns) {
        Found found;
        found.key = sent.key;
        found.column.name = sent.name;
        const auto* now = catalog_column(catalog, found.column.name);
        const int index = known.column_index(sent.name);
        const auto* same = index < 0 ? nullptr : &known.columns[static_cast<std::size_t>(index)];
        // Of a known column what it was: the catalog may speak of a later one of the same name.
        const auto dimensions = same != nullptr  ? declared_dimensions(*same)
                                : now != nullptr ? now->dimensions
                                                 : 1;
        found.type = TRY(types_.resolve(*TRY(sql()), {sent.type_oid, sent.typmod, dimensions}));
        auto mapping = same == nullptr ? std::nullopt : mapping_like(*same, found.type);
        if (same != nullptr && same->id > before && mapping) {
            found.column = *same;
            found.mapping = *std::move(mapping);
        } else {
            found = TRY(find_added(std::move(found), sent, before, entry, catalog));
        }
        before = found.column.id;
        all.push_back(std::move(found));
    }
    return all;
}

auto Relations::accept(const pgoutput::Relation& relation, std::uint32_t xid)
    -> Result<std::optional<TableLayout>> {
    const TableName name{std::string(relation.schema), std::string(relation.table)};
    const auto at = tables_.find(name);
    if (at == tables_.end()) return std::optional<TableLayout>();
    auto& entry = at->second;
    const auto& known = *entry.table.schema;
    if (entry.table.oid != relation.oid)
        return cannot_follow(name, "it was dropped and made again");

    TRY(await_visible(*TRY(sql()), xid));
    const auto catalog = TRY(load_table(*TRY(sql()), relation.oid));
    const auto* now = catalog ? &*catalog : nullptr;
    const auto found = TRY(find_columns(relation, entry, now));
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> key;
    for (const auto& column : found) {
        ids.push_back(column.column.id);
        if (column.key) key.push_back(column.column.id);
    }
    TRY(check_not_renamed(known, ids, now));
    TRY(check_not_replaced(relation, name, ids, now));
    TRY(check_key(known, relation, key, now));

    auto next = std::make_shared<TableSchema>(known);
    next->columns.clear();
    next->key.clear();
    entry.types.clear();
    entry.mappings.clear();
    for (const auto& column : found) {
        next->columns.push_back(column.column);
        entry.types.push_back(column.type);
        entry.mappings.push_back(column.mapping);
    }
    for (const auto id : ids_of(known)) {
        const auto column = std::find(ids.begin(), ids.end(), id);
        if (column == ids.end()) return cannot_follow(name, "a key column was dropped");
        next->key.push_back(static_cast<int>(column - ids.begin()));
    }
    if (!same_shape(known, *next)) {
        next->version += 1;
        entry.table.schema = std::move(next);
        if (now != nullptr) entry.table.file_node = now->file_node;
    }
    return std::optional(TableLayout{entry.table.schema, entry.mappings});
}

auto Relations::widen_to_text(const TableName& table, int column) -> Result<TableLayout> {
    auto& entry = tables_.at(table);
    const auto index = static_cast<std::size_t>(column);
    auto mapping = text_mapping(entry.types[index]);
    auto next = std::make_shared<TableSchema>(*entry.table.schema);
    if (next->columns[index].type->Equals(*mapping.type))
        return Error{Fault::fatal, "value of column " + next->columns[index].name + " of " +
                         to_string(table) + " cannot be read", "", "postgres values",
                         Code::pg_value};
    next->columns[index].type = mapping.type;
    next->columns[index].logical_type = mapping.logical_type;
    next->columns[index].default_value = nullptr;
    next->version += 1;
    entry.mappings[index] = std::move(mapping);
    entry.table.schema = std::move(next);
    return TableLayout{entry.table.schema, entry.mappings};
}

}  // namespace leat::postgres
