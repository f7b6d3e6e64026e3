// How a table of the source stands in DuckDB, and the DDL that leads from one version to the next.
// The sink's own tables (`_leat_…`) are read and written here too.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "change/schema.hpp"
#include "sink/duckdb/client.hpp"

namespace leat::duckdb {

// One copy of a table. `applied`: what the open transaction has made of it, null: it does not
// exist. `wanted`: what evolve() asked for last. `columns`: the names in the table's own order,
// dropped ones too. `name`: in the file; a copy that is filled beside a live one has a name of its
// own.
struct TargetTable {
    std::string name;
    SchemaPtr applied;
    SchemaPtr wanted;
    std::vector<std::string> columns;
    bool is_live = false;
};

// At most one copy of each table is live and one is filled.
struct CopyName {
    TableName table;
    bool is_live = false;

    friend auto operator<=>(const CopyName&, const CopyName&) = default;
};
using Tables = std::map<CopyName, TargetTable>;

// The copy that rows under this schema belong to: the live one for generation 0, or the one that
// holds that generation. Null: there is none yet.
auto find_copy(Tables& tables, const TableSchema& schema) -> TargetTable*;

// What a copy is called that is filled beside a live one.
auto aside_name(const TableName& table) -> std::string;

// Lower case as DuckDB compares names.
auto folded(std::string_view name) -> std::string;

// Refuses what DuckDB cannot hold as a table: reserved names, columns that differ in case only,
// types without a place.
auto check_schema(const TableSchema& schema) -> Result<void>;
// Refuses a change that a copy cannot follow: another key, a type that does not widen.
auto check_change(const TableSchema& from, const TableSchema& to) -> Result<void>;

// Whether the way from one version to the next runs functions of DuckDB, and not casts alone. Its
// WAL holds them as expressions, which a DuckDB that opens the file as its main database cannot
// replay (1.5.6: "no default database set"); one that attaches the file can.
auto converts_by_functions(const TableSchema& from, const TableSchema& to) -> bool;

// `to` as it is wanted of the same copy after `from`: a column keeps the default it came with,
// which is what the rows before it hold, whatever became of the default later.
auto successor(const TableSchema& from, const TableSchema& to) -> Result<SchemaPtr>;

// Makes the sink's own tables where they are missing; reads what they say. `columns` is read from
// DuckDB's catalog, so that a table that somebody dropped or altered is noticed.
auto make_catalog(Connection& connection) -> Result<void>;
auto load_tables(Connection& connection) -> Result<Tables>;
// Says in them what the table was brought to: `wanted`.
auto record(Connection& connection, const TargetTable& table) -> Result<void>;

// The copy takes the place of the live one, if there is one. No row of either may have been changed
// in the same transaction.
auto make_live(Connection& connection, Tables& tables, const TableName& table) -> Result<void>;

// Brings one table from `applied` to `wanted`, and records it. All tables of an epoch go through
// alter() before any row is changed, and through backfill() after that: DuckDB refuses to alter a
// table that the same transaction has updated or deleted from.
auto alter(Connection& connection, TargetTable& table) -> Result<void>;
// Defaults that DDL cannot give to the rows that exist: lists. `from`: what was applied before.
auto backfill(Connection& connection, const TargetTable& table, const SchemaPtr& from)
    -> Result<void>;

}  // namespace leat::duckdb
