// Contracts that keep a table's shape: columns of the stream are given their places in it, and
// where they have none, or another type, rows are fitted (row_fit.hpp).
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "observe/log.hpp"
#include "source/postgres/relations.hpp"
#include "source/postgres/type_change.hpp"

namespace leat::postgres {

namespace {

auto tell(std::string& changes, const std::string& change) -> void {
    changes += (changes.empty() ? "column " : ", column ") + change;
}

auto index_of(const TableSchema& schema, std::int32_t id) -> int {
    for (std::size_t i = 0; i < schema.columns.size(); ++i)
        if (schema.columns[i].id == id) return static_cast<int>(i);
    return -1;
}

}  // namespace

auto Relations::keep_shape(const pgoutput::Relation& relation, Entry& entry,
                           const CatalogTable* catalog, std::uint32_t xid) -> Result<TableLayout> {
    const auto& known = *entry.table.schema;
    const auto all_sent = TRY(send_columns(relation));
    std::vector<SentColumn> columns;
    for (const auto& sent : all_sent) columns.push_back(sent.column);
    const auto numbers = TRY(match_columns({known, columns, catalog, xid}));
    std::vector<std::int32_t> key;
    for (std::size_t i = 0; i < numbers.size(); ++i)
        if (all_sent[i].key) key.push_back(numbers[i]);
    TRY(check_key(known, relation, std::move(key), catalog));

    entry.types.assign(known.columns.size(), {});
    entry.mappings.assign(known.columns.size(), {});
    entry.places.clear();
    std::string changes;
    for (std::size_t i = 0; i < numbers.size(); ++i)
        entry.places.push_back(TRY(place(all_sent[i], numbers[i], entry, changes)));
    TRY(place_dropped(entry, changes));
    if (!changes.empty())
        log(LogLevel::warning,
            "source: table {} changed and keeps its shape, what does not fit it is "
            "left out: {}",
            to_string(known.name), changes);
    return fitting_layout(entry);
}

auto Relations::place(const Sent& sent, std::int32_t number, Entry& entry, std::string& changes)
    -> Result<Place> {
    const auto& known = *entry.table.schema;
    const int column = index_of(known, number);
    if (column < 0) {
        tell(changes, sent.column.name + " was added");
        return Place{};
    }
    const auto index = static_cast<std::size_t>(column);
    const auto& was = known.columns[index];
    auto type = sent.type;
    type.dimensions = was.type->id() == arrow::Type::LIST ? 1 : 2;
    const auto mapping = mapping_like(was, type);
    if (was.name != sent.column.name)
        tell(changes, was.name + " was renamed to " + sent.column.name);
    if (!mapping) {
        const auto change = was.name + " changed its type from " + TRY(type_name(was.source_type)) +
                            " to " + TRY(type_name(sent.column.source_type));
        if (known.is_key(column)) return changed(known.name, "key column " + change);
        tell(changes, change);
    }
    entry.types[index] = type;
    entry.mappings[index] = mapping ? *mapping : TRY(former_mapping(was));
    return Place{column, !mapping.has_value()};
}

auto Relations::place_dropped(Entry& entry, std::string& changes) -> Result<void> {
    const auto& known = *entry.table.schema;
    for (std::size_t i = 0; i < known.columns.size(); ++i) {
        const auto is_here = [&](const Place& each) { return each.column == static_cast<int>(i); };
        if (std::any_of(entry.places.begin(), entry.places.end(), is_here)) continue;
        if (known.is_key(static_cast<int>(i)))
            return cannot_follow(known.name, "a key column was dropped");
        tell(changes, known.columns[i].name + " was dropped");
        entry.mappings[i] = TRY(former_mapping(known.columns[i]));
    }
    return {};
}

auto Relations::former_mapping(const Column& was) -> Result<pgtype::ColumnMapping> {
    auto former = TRY(types_.resolve(*TRY(sql()), parse_source_type(was.source_type)));
    former.dimensions = was.type->id() == arrow::Type::LIST ? 1 : 2;
    if (const auto mapping = mapping_like(was, former)) return *mapping;
    // Its type is gone from the catalog: nothing is read as it any more.
    auto mapping = pgtype::discarded();
    mapping.type = was.type;
    mapping.logical_type = was.logical_type;
    return mapping;
}

auto Relations::look_at_values(Entry& entry, int column) -> Result<TableLayout> {
    const auto& known = *entry.table.schema;
    const auto& name = known.columns[static_cast<std::size_t>(column)].name;
    if (known.is_key(column))
        return frozen(
            changed(known.name, "a value of key column " + name + " does not fit its type"),
            options_.on_schema_change);
    for (auto& place : entry.places)
        if (place.column == column) place.is_tested = true;
    log(LogLevel::warning,
        "source: table {} keeps its shape, what does not fit it is left out: a value of column {} "
        "does not fit its type",
        to_string(known.name), name);
    return fitting_layout(entry);
}

auto Relations::fitting_layout(const Entry& entry) const -> Result<TableLayout> {
    TableLayout layout{entry.table.schema, entry.mappings};
    int next = 0;
    bool fits = entry.places.size() == entry.mappings.size();
    for (const auto& place : entry.places) fits &= place.column == next++ && !place.is_tested;
    if (!fits)
        layout.fit = TRY(RowFit::make(entry.mappings, entry.places,
                                      options_.on_schema_change == OnSchemaChange::discard_row));
    return layout;
}

}  // namespace leat::postgres
