// Catalog queries. pg_class and pg_attribute are read as tables, so that inside an imported
// snapshot they answer as of that snapshot.
#include "source/postgres/catalog.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

namespace leat::postgres {

namespace {

constexpr auto table_query = R"(
SELECT c.oid, c.relfilenode, c.relkind, c.relpersistence, c.relreplident, c.relnatts,
       coalesce(pg_relation_size(c.oid) / current_setting('block_size')::bigint, 0),
       CASE WHEN c.relpages > 0 AND c.reltuples > 0
            THEN greatest(1, (c.reltuples / c.relpages)::bigint) ELSE 0 END,
       has_table_privilege(c.oid, 'SELECT'), n.nspname, c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE )";

constexpr auto column_query = R"(
SELECT a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.atthasdef,
       a.attndims, CASE WHEN a.atthasmissing THEN (a.attmissingval::text::text[])[1] END,
       a.attisdropped, a.attgenerated <> '', a.xmin
  FROM pg_attribute a
 WHERE a.attrelid = $1 AND a.attnum > 0
 ORDER BY a.attnum)";

// A deferrable constraint cannot identify rows, and neither can an index that is not yet valid.
constexpr auto index_query = R"(
SELECT i.indisprimary, i.indisreplident, i.indkey, i.indnkeyatts
  FROM pg_index i
 WHERE i.indrelid = $1 AND (i.indisprimary OR i.indisreplident) AND i.indimmediate AND i.indisvalid)";

constexpr auto leaf_query = R"(
WITH RECURSIVE tree AS (
  SELECT inhrelid AS oid FROM pg_inherits WHERE inhparent = $1 AND NOT inhdetachpending
  UNION ALL
  SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid AND NOT i.inhdetachpending)
SELECT c.oid, c.relfilenode, c.relkind, c.relpersistence, c.relreplident,
       has_table_privilege(c.oid, 'SELECT'),
       coalesce(pg_relation_size(c.oid) / current_setting('block_size')::bigint, 0),
       CASE WHEN c.relpages > 0 AND c.reltuples > 0
            THEN greatest(1, (c.reltuples / c.relpages)::bigint) ELSE 0 END,
       n.nspname, c.relname
  FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind <> 'p'
 ORDER BY c.oid)";

// What rows hold in a column that is younger than they are is told by their partition.
constexpr auto leaf_default_query = R"(
SELECT attname, min((attmissingval::text::text[])[1]) FROM pg_attribute
 WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND atthasmissing
 GROUP BY attname HAVING count(DISTINCT attmissingval::text) = 1)";

// "1 3": the first `count` numbers.
auto parse_numbers(std::string_view text, std::int64_t count) -> std::vector<std::int32_t> {
    std::vector<std::int32_t> numbers;
    const auto* at = text.data();
    const auto* end = at + text.size();
    while (at < end && static_cast<std::int64_t>(numbers.size()) < count) {
        std::int32_t number = 0;
        at = std::from_chars(at, end, number).ptr + 1;
        numbers.push_back(number);
    }
    return numbers;
}

auto load_columns(Connection& connection, CatalogTable& table) -> Result<void> {
    const auto rows = TRY(connection.query(column_query, {std::to_string(table.oid)}));
    for (int row = 0; row < rows.count(); ++row) {
        CatalogColumn column;
        column.number = static_cast<std::int32_t>(rows.number(row, 0));
        column.name = rows.text(row, 1);
        column.type_oid = static_cast<std::uint32_t>(rows.number(row, 2));
        column.type_modifier = static_cast<std::int32_t>(rows.number(row, 3));
        column.not_null = rows.truth(row, 4);
        column.has_default = rows.truth(row, 5);
        column.dimensions = static_cast<std::int32_t>(rows.number(row, 6));
        if (!rows.is_null(row, 7)) column.missing_value = rows.text(row, 7);
        if (rows.truth(row, 8)) {
            const auto xid = static_cast<std::uint32_t>(rows.number(row, 10));
            table.dropped.push_back({column.number, xid});
        } else {
            (rows.truth(row, 9) ? table.generated : table.columns).push_back(std::move(column));
        }
    }
    return {};
}

auto load_keys(Connection& connection, CatalogTable& table) -> Result<void> {
    const auto rows = TRY(connection.query(index_query, {std::to_string(table.oid)}));
    for (int row = 0; row < rows.count(); ++row) {
        const auto numbers = parse_numbers(rows.text(row, 2), rows.number(row, 3));
        if (rows.truth(row, 0)) table.primary_key = numbers;
        if (rows.truth(row, 1)) table.identity_index = numbers;
    }
    return {};
}

auto load_leaf_defaults(Connection& connection, CatalogTable& table) -> Result<void> {
    std::string oids;
    for (const auto& leaf : table.leaves)
        oids += (oids.empty() ? "" : ",") + std::to_string(leaf.oid);
    const auto rows = TRY(connection.query(leaf_default_query, {"{" + oids + "}"}));
    for (int row = 0; row < rows.count(); ++row)
        for (auto& column : table.columns)
            if (column.name == rows.text(row, 0)) column.missing_value = rows.text(row, 1);
    return {};
}

// Of the rights in a table that is gone already, while its row is still to be seen, the server says
// nothing.
auto readable(const Rows& rows, int row, int column, const TableName& name) -> Result<bool> {
    if (!rows.is_null(row, column)) return rows.truth(row, column);
    return Error{Fault::retry,
                 "the table was dropped, rewritten or changed while it was looked at: " +
                     to_string(name),
                 "", "postgres catalog", Code::pg_refused};
}

auto load_leaves(Connection& connection, CatalogTable& table) -> Result<void> {
    const auto rows = TRY(connection.query(leaf_query, {std::to_string(table.oid)}));
    for (int row = 0; row < rows.count(); ++row) {
        CatalogLeaf leaf;
        leaf.oid = static_cast<std::uint32_t>(rows.number(row, 0));
        leaf.file_node = static_cast<std::uint32_t>(rows.number(row, 1));
        leaf.kind = rows.text(row, 2).front();
        leaf.persistence = rows.text(row, 3).front();
        leaf.replica_identity = rows.text(row, 4).front();
        leaf.blocks = rows.number(row, 6);
        leaf.rows_per_block = rows.number(row, 7);
        leaf.name = {std::string(rows.text(row, 8)), std::string(rows.text(row, 9))};
        leaf.readable = TRY(readable(rows, row, 5, leaf.name));
        table.leaves.push_back(std::move(leaf));
    }
    if (table.leaves.empty()) return {};
    table.file_node = table.leaves.front().file_node;
    return load_leaf_defaults(connection, table);
}

auto load_found(Connection& connection, const Rows& rows) -> Result<std::optional<CatalogTable>> {
    if (rows.count() == 0) return std::optional<CatalogTable>();
    CatalogTable table;
    table.oid = static_cast<std::uint32_t>(rows.number(0, 0));
    table.file_node = static_cast<std::uint32_t>(rows.number(0, 1));
    table.kind = rows.text(0, 2).front();
    table.persistence = rows.text(0, 3).front();
    table.replica_identity = rows.text(0, 4).front();
    table.last_number = static_cast<std::int32_t>(rows.number(0, 5));
    table.blocks = rows.number(0, 6);
    table.rows_per_block = rows.number(0, 7);
    table.name = {std::string(rows.text(0, 9)), std::string(rows.text(0, 10))};
    table.readable = TRY(readable(rows, 0, 8, table.name));
    TRY(load_columns(connection, table));
    TRY(load_keys(connection, table));
    if (table.is_partitioned()) TRY(load_leaves(connection, table));
    return std::optional(std::move(table));
}

}  // namespace

auto CatalogTable::key() const -> const std::vector<std::int32_t>& {
    static const std::vector<std::int32_t> none;
    switch (replica_identity) {
        case 'd':
        case 'f': return primary_key;
        case 'i': return identity_index;
        default: return none;
    }
}

auto CatalogTable::identity(bool insert_only) const -> RowIdentity {
    if (insert_only && lacks_identity()) return RowIdentity::append_only;
    return key().empty() ? RowIdentity::full_row : RowIdentity::key;
}

auto CatalogTable::lacks_identity() const -> bool {
    return replica_identity != 'f' && key().empty();
}

auto CatalogTable::column(std::int32_t number) const -> const CatalogColumn* {
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const auto& column) { return column.number == number; });
    return found == columns.end() ? nullptr : &*found;
}

auto CatalogTable::column(std::string_view column_name) const -> const CatalogColumn* {
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const auto& column) { return column.name == column_name; });
    return found == columns.end() ? nullptr : &*found;
}

auto leave_out(CatalogTable& table, const ExcludedColumns& excluded) -> void {
    const auto found = excluded.find(table.name);
    if (found == excluded.end()) return;
    std::erase_if(table.columns,
                  [&](const auto& column) { return found->second.contains(column.name); });
}

auto same_definition(const CatalogTable& a, const CatalogTable& b) -> bool {
    return a.oid == b.oid && a.file_node == b.file_node && a.kind == b.kind &&
           a.replica_identity == b.replica_identity && a.columns == b.columns &&
           a.primary_key == b.primary_key && a.identity_index == b.identity_index &&
           a.last_number == b.last_number && a.leaves == b.leaves;
}

auto parse_table_name(std::string_view text) -> TableName {
    const auto dot = text.find('.');
    if (dot == std::string_view::npos) return {"public", std::string(text)};
    return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

auto quote_table(const TableName& name) -> std::string {
    return quote_name(name.schema) + "." + quote_name(name.table);
}

auto load_table(Connection& connection, const TableName& name)
    -> Result<std::optional<CatalogTable>> {
    const auto found = TRY(connection.query(
        std::string(table_query) + "n.nspname = $1 AND c.relname = $2", {name.schema, name.table}));
    return load_found(connection, found);
}

auto load_table(Connection& connection, std::uint32_t oid) -> Result<std::optional<CatalogTable>> {
    const auto found =
        TRY(connection.query(std::string(table_query) + "c.oid = $1", {std::to_string(oid)}));
    return load_found(connection, found);
}

auto await_visible(Connection& connection, const std::vector<std::uint32_t>& xids) -> Result<void> {
    // The stream's numbers have 32 bits, the snapshot's 64: the one nearest to its end is meant.
    constexpr auto query = R"(
SELECT min(xid) FROM unnest($1::bigint[]) AS xid,
       (SELECT snapshot, pg_snapshot_xmax(snapshot)::text::bigint AS newest
          FROM pg_current_snapshot() AS snapshot) AS now
 WHERE NOT pg_visible_in_snapshot((newest + ((xid - newest) % 4294967296 + 6442450944)
                                   % 4294967296 - 2147483648)::text::xid8, snapshot))";
    constexpr auto pause = std::chrono::milliseconds(2);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    std::string list;
    for (const auto xid : xids) list += (list.empty() ? "{" : ",") + std::to_string(xid);
    while (true) {
        const auto rows = TRY(connection.query(query, {list + "}"}));
        if (rows.is_null(0, 0)) return {};
        if (std::chrono::steady_clock::now() >= deadline)
            return Error{
                Fault::retry,
                "what is in the server's log is not visible yet: transaction " +
                    std::string(rows.text(0, 0)),
                "Look whether commits wait for a synchronous standby: SELECT pid, query FROM "
                "pg_stat_activity WHERE wait_event = 'SyncRep';",
                "postgres catalog", Code::pg_schema_waits};
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace leat::postgres
