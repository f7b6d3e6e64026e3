// Comparing a Relation message with the version in force and with the catalog.
#include "source/postgres/relations.hpp"

#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "source/postgres/column_match.hpp"
#include "source/postgres/type_change.hpp"

namespace leat::postgres {

namespace {

using pgoutput::ReplicaIdentity;

auto highest_id(const TableSchema& schema) -> std::int32_t {
    std::int32_t highest = 0;
    for (const auto& column : schema.columns) highest = std::max(highest, column.id);
    return highest;
}

auto mapping_is(const Column& column, const pgtype::ColumnMapping& mapping) -> bool {
    return column.logical_type == mapping.logical_type && column.type->Equals(*mapping.type);
}

auto is_discarded(const Column& column) -> bool {
    return mapping_is(column, pgtype::discarded());
}

auto column_of(const TableSchema& schema, std::int32_t id) -> const Column* {
    const auto found = std::find_if(schema.columns.begin(), schema.columns.end(),
                                    [&](const auto& column) { return column.id == id; });
    return found == schema.columns.end() ? nullptr : &*found;
}

auto has_all_columns(const TableSchema& schema, const CatalogTable& catalog) -> bool {
    return std::all_of(catalog.columns.begin(), catalog.columns.end(), [&](const auto& column) {
        return column_of(schema, column.number) != nullptr;
    });
}

auto ids_of(const TableSchema& schema) -> std::vector<std::int32_t> {
    std::vector<std::int32_t> ids;
    for (const int index : schema.key)
        ids.push_back(schema.columns[static_cast<std::size_t>(index)].id);
    return ids;
}

// As far as they decide how an array column is read: as a list, or as text.
auto declared_dimensions(const Column& column) -> std::int32_t {
    return column.type->id() == arrow::Type::LIST ? 1 : 2;
}

}  // namespace

auto changed(const TableName& table, const std::string& what) -> Error {
    return Error{Fault::fatal, "table " + to_string(table) + " changed: " + what, "",
                 "postgres schema", Code::pg_schema_change};
}

auto frozen(Error error, OnSchemaChange contract) -> Error {
    error.fault = Fault::fatal;
    for (const auto& each : names_of(contract))
        if (each.value == contract)
            error.what += ", and source.on_schema_change is " + std::string(each.name);
    error.hint = "Set source.on_schema_change to evolve and run again to follow it from here.";
    return error;
}

Relations::Relations(RelationOptions options, std::vector<KnownTable> tables)
    : options_(std::move(options)) {
    for (auto& table : tables) {
        auto& entry = tables_[table.schema->name];
        for (const auto& column : table.generated) entry.generated.insert(column.number);
        entry.table = std::move(table);
    }
}

// A key column that is gone, or was joined by another, is another key.
auto Relations::check_key(const TableSchema& known, const pgoutput::Relation& relation,
                          std::vector<std::int32_t> sent_key, const CatalogTable* catalog)
    -> Result<void> {
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

auto Relations::sql() -> Result<Connection*> {
    if (!sql_) sql_ = TRY(Connection::connect(options_.sql));
    return &*sql_;
}

auto Relations::send_columns(const pgoutput::Relation& relation) -> Result<std::vector<Sent>> {
    std::vector<Sent> all;
    for (const auto& column : relation.columns) {
        Sent sent;
        sent.key = column.key;
        sent.type = TRY(types_.resolve(*TRY(sql()), {column.type_oid, column.typmod, 0}));
        sent.column = {std::string(column.name), column.type_oid, column.typmod,
                       source_type(sent.type)};
        all.push_back(std::move(sent));
    }
    return all;
}

auto Relations::type_name(std::string_view source_type) -> Result<std::string> {
    const auto type = parse_source_type(source_type);
    const auto rows = TRY(TRY(sql())->query(
        "SELECT format_type($1, $2)", {std::to_string(type.oid), std::to_string(type.modifier)}));
    return std::string(rows.text(0, 0));
}

auto Relations::refuse_change(const TableSchema& known, const TableSchema& next) -> Result<void> {
    if (options_.on_schema_change == OnSchemaChange::evolve) return {};
    std::string changes;
    const auto tell = [&](const std::string& change) {
        changes += (changes.empty() ? "column " : ", column ") + change;
    };
    for (const auto& was : known.columns)
        if (column_of(next, was.id) == nullptr) tell(was.name + " was dropped");
    for (const auto& column : next.columns) {
        const auto* was = column_of(known, column.id);
        if (was == nullptr) {
            tell(column.name + " was added");
            continue;
        }
        if (was->name != column.name) tell(was->name + " was renamed to " + column.name);
        if (was->source_type != column.source_type && !was->source_type.empty())
            tell(column.name + " changed its type from " + TRY(type_name(was->source_type)) +
                 " to " + TRY(type_name(column.source_type)));
    }
    return changed(known.name, changes);
}

// Of a known column what it was, under the name and type that it has now.
auto Relations::follow(const Column& was, const Sent& sent, const TableName& table)
    -> Result<Found> {
    Found found{was, sent.type, {}};
    found.column.name = sent.column.name;
    found.type.dimensions = declared_dimensions(was);
    const auto as_before = mapping_like(was, found.type);
    if (is_discarded(was) || (as_before && was.source_type.empty())) {
        found.mapping = *as_before;
        return found;
    }
    found.column.source_type = sent.column.source_type;
    auto former = TRY(types_.resolve(*TRY(sql()), parse_source_type(was.source_type)));
    former.dimensions = found.type.dimensions;
    const auto mapping = pgtype::map(found.type);
    const bool was_text = !mapping_is(was, pgtype::map(former));
    const bool as_text = was_text || mapping.codec == pgtype::Codec::numeric_text;
    if (type_change(former, found.type, as_text) == TypeChange::rewritten)
        return cannot_follow(table, "column " + sent.column.name + " changed its type from " +
                                        TRY(type_name(was.source_type)) + " to " +
                                        TRY(type_name(sent.column.source_type)) +
                                        ", which may have changed the values it had");
    found.mapping = was_text ? text_mapping(found.type) : mapping;
    if (!mapping_is(was, found.mapping)) found.column.default_value = nullptr;
    found.column.type = found.mapping.type;
    found.column.logical_type = found.mapping.logical_type;
    return found;
}

// `now`: null where the column was dropped again before we could look. Its default is lost then, so
// that the values of older rows cannot be known; as the drop follows, it is NULL in all rows until
// then.
auto Relations::add(const Sent& sent, const CatalogColumn* now, const Entry& entry,
                    const CatalogTable& catalog) -> Result<Found> {
    Found found{{}, sent.type, pgtype::discarded()};
    found.column.name = sent.column.name;
    found.column.source_type = sent.column.source_type;
    if (now != nullptr) {
        const auto& name = entry.table.schema->name;
        if (now->number < highest_id(*entry.table.schema) || entry.generated.contains(now->number))
            return cannot_follow(name, "column " + now->name +
                                           " is no longer generated, and what it "
                                           "holds in the rows that exist was not sent");
        if (!now->missing_value && (now->has_default || was_rewritten(entry, catalog)))
            return cannot_follow(name, "column " + now->name +
                                           " was added with a default that is no "
                                           "stored constant, or the table was rewritten since");
        if (now->dimensions != 0) found.type.dimensions = now->dimensions;
        found.column.nullable = !now->not_null;
        found.mapping = pgtype::map(found.type);
        if (now->missing_value)
            found.column.default_value =
                TRY(pgtype::parse_default(found.mapping, *now->missing_value));
    }
    found.column.type = found.mapping.type;
    found.column.logical_type = found.mapping.logical_type;
    return found;
}

auto Relations::find_columns(const pgoutput::Relation& relation, const Entry& entry,
                             const CatalogTable* catalog, std::uint32_t xid)
    -> Result<std::vector<Found>> {
    const auto& known = *entry.table.schema;
    const auto all_sent = TRY(send_columns(relation));
    std::vector<SentColumn> columns;
    for (const auto& sent : all_sent) columns.push_back(sent.column);
    const auto numbers = TRY(match_columns({known, columns, catalog, xid}));
    std::vector<Found> all;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto number = numbers[i];
        const auto* same = column_of(known, number);
        static const CatalogTable gone;
        const auto& table = catalog == nullptr ? gone : *catalog;
        auto found = same != nullptr ? TRY(follow(*same, all_sent[i], known.name))
                                     : TRY(add(all_sent[i], table.column(number), entry, table));
        found.column.id = number;
        found.key = all_sent[i].key;
        all.push_back(std::move(found));
    }
    return all;
}

auto Relations::accept(const pgoutput::Relation& relation, std::uint32_t xid)
    -> Result<std::optional<TableLayout>> {
    const TableName name{std::string(relation.schema), std::string(relation.table)};
    const auto at = tables_.find(name);
    if (at == tables_.end()) return std::optional<TableLayout>();
    auto layout = compare(relation, xid, at->second);
    if (layout) return std::optional(*std::move(layout));
    auto error = std::move(layout).error();
    if (error.code != Code::pg_schema_change) return error;
    if (options_.on_schema_change != OnSchemaChange::evolve)
        return frozen(std::move(error), options_.on_schema_change);
    stale_.insert(name);
    return error;
}

auto Relations::compare(const pgoutput::Relation& relation, std::uint32_t xid, Entry& entry)
    -> Result<TableLayout> {
    const auto& known = *entry.table.schema;
    const auto name = known.name;
    if (entry.table.oid != relation.oid)
        return cannot_follow(name, "it was dropped and made again");

    TRY(await_visible(*TRY(sql()), {xid}));
    auto catalog = TRY(load_table(*TRY(sql()), relation.oid));
    if (catalog && entry.table.is_listed)
        std::erase_if(catalog->columns, [&](const auto& column) {
            return column_of(known, column.number) == nullptr;
        });
    const auto* now = catalog ? &*catalog : nullptr;
    if (keeps_shape(known)) return keep_shape(relation, entry, now, xid);
    const auto found = TRY(find_columns(relation, entry, now, xid));
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> key;
    for (const auto& column : found) {
        ids.push_back(column.column.id);
        if (column.key) key.push_back(column.column.id);
    }
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
    if (now != nullptr)
        for (const auto& column : now->generated) entry.generated.insert(column.number);
    if (!same_shape(known, *next)) {
        TRY(refuse_change(known, *next));
        next->version += 1;
        entry.table.schema = std::move(next);
    }
    // A rewrite for a column that is still to come must not be forgotten.
    if (now != nullptr && has_all_columns(*entry.table.schema, *now))
        entry.table.file_node = now->file_node;
    return TableLayout{entry.table.schema, entry.mappings};
}

auto Relations::is_of_use(const TableName& table, Lsn commit) const -> bool {
    const auto known = tables_.find(table);
    return known == tables_.end() || commit.value > known->second.table.from;
}

auto Relations::make_room(const TableName& table, int column) -> Result<TableLayout> {
    auto& entry = tables_.at(table);
    if (keeps_shape(*entry.table.schema)) return look_at_values(entry, column);
    const auto index = static_cast<std::size_t>(column);
    auto mapping = text_mapping(entry.types[index]);
    if (options_.on_schema_change != OnSchemaChange::evolve)
        return frozen(
            changed(table, "a value of column " + entry.table.schema->columns[index].name +
                               " does not fit its type, so that the column would "
                               "become text"),
            options_.on_schema_change);
    auto next = std::make_shared<TableSchema>(*entry.table.schema);
    if (next->columns[index].type->Equals(*mapping.type))
        return Error{Fault::fatal,
                     "value of column " + next->columns[index].name + " of " + to_string(table) +
                         " cannot be read",
                     "", "postgres values", Code::pg_value};
    next->columns[index].type = mapping.type;
    next->columns[index].logical_type = mapping.logical_type;
    next->columns[index].default_value = nullptr;
    next->version += 1;
    entry.mappings[index] = std::move(mapping);
    entry.table.schema = std::move(next);
    return TableLayout{entry.table.schema, entry.mappings};
}

}  // namespace leat::postgres
