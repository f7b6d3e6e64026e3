// DDL of the DuckDB sink: creating and altering tables, and the record of what each one is.
#include "sink/duckdb/schema.hpp"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <set>

#include "change/batch.hpp"
#include "sink/duckdb/appender.hpp"
#include "sink/duckdb/column_type.hpp"

namespace leat::duckdb {

namespace {

constexpr std::string_view reserved = "_leat_";

auto at(const TableSchema& schema, int index) -> const Column& {
    return schema.columns[static_cast<std::size_t>(index)];
}

auto by_id(const TableSchema& schema, std::int32_t id) -> const Column* {
    for (const auto& column : schema.columns)
        if (column.id == id) return &column;
    return nullptr;
}

auto type_of(const Column& column) -> ColumnType {
    return column_type(*column.type, column.logical_type);
}

auto cannot_follow(const TableSchema& schema, const std::string& why) -> Error {
    return {Fault::fatal, "duckdb cannot follow table " + to_string(schema.name) + ": " + why,
            "Run `leat drop FILE`, move the warehouse file away and start again.",
            to_string(schema.name), Code::duckdb_schema};
}

auto key_ids(const TableSchema& schema) -> std::vector<std::int32_t> {
    std::vector<std::int32_t> ids;
    for (const int index : schema.key) ids.push_back(at(schema, index).id);
    return ids;
}

auto arrow_error(const arrow::Status& status) -> Error {
    return {Fault::fatal, "arrow: " + status.message(), "", "duckdb schema"};
}

auto to_bytes(const TableSchema& schema) -> Result<std::string> {
    const auto layout = TRY(to_arrow(schema, {}));
    const auto buffer = arrow::ipc::SerializeSchema(*layout);
    if (!buffer.ok()) return arrow_error(buffer.status());
    return (*buffer)->ToString();
}

auto from_bytes(std::string bytes) -> Result<SchemaPtr> {
    arrow::io::BufferReader stream(arrow::Buffer::FromString(std::move(bytes)));
    arrow::ipc::DictionaryMemo memo;
    const auto layout = arrow::ipc::ReadSchema(&stream, &memo);
    if (!layout.ok()) return arrow_error(layout.status());
    return from_arrow(**layout);
}

auto hex(std::string_view bytes) -> std::string {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    }
    return out;
}

auto from_hex(std::string_view text) -> std::string {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
    return bytes;
}

// A temporary table of one row that holds the column's default, encoded as any other value is.
constexpr auto default_table = "_leat_default";
auto stage_default(Connection& connection, const Column& column) -> Result<void> {
    const auto type = type_of(column);
    TRY(connection.execute("CREATE OR REPLACE TEMP TABLE " + quoted(default_table) + " (v " +
                           type.sql + ")"));
    const auto array = arrow::MakeArrayFromScalar(*column.default_value, 1);
    if (!array.ok()) return arrow_error(array.status());
    auto appender = TRY(Appender::into_table(connection, default_table, true, {type}));
    const arrow::Array* const values[] = {array->get()};
    TRY(appender.append(values, 1));
    return appender.finish();
}

// DuckDB's own text of the default: a plain text literal, because DDL turns any other expression
// into an UPDATE, after which no further ALTER is possible.
auto default_clause(Connection& connection, const Column& column) -> Result<std::string> {
    if (!column.default_value || !column.default_value->is_valid ||
        type_of(column).kind == Kind::list)
        return std::string();
    TRY(stage_default(connection, column));
    const auto rows = TRY(connection.rows("SELECT v::VARCHAR FROM temp." + quoted(default_table)));
    return " DEFAULT " + literal(rows.at(0).at(0).value_or(""));
}

auto create(Connection& connection, TargetTable& table) -> Result<void> {
    std::string columns;
    table.columns.clear();
    for (const auto& column : table.wanted->columns) {
        columns += (columns.empty() ? "" : ", ") + quoted(column.name) + " " + type_of(column).sql;
        table.columns.push_back(column.name);
    }
    const auto made =
        connection.execute("CREATE TABLE main." + quoted(table.name) + " (" + columns + ")");
    if (!made && made.error().what.find("already exists") != std::string::npos)
        return Error{Fault::config, "duckdb file has a table of its own named " + table.name,
                     "Rename that table, or name another file.", to_string(table.wanted->name),
                     Code::duckdb_table_taken};
    if (!made) return made.error();
    return {};
}

// The statements that lead from one version's columns to the next one's, in order.
class Alteration {
public:
    Alteration(Connection& connection, TargetTable& table)
        : connection_(connection), table_(table) {}

    auto run() -> Result<void> {
        const auto drops = gone();
        // A table keeps at least one column at any time.
        const bool hold = drops.size() == table_.columns.size();
        if (hold) TRY(statement("ADD COLUMN \"_leat_hold\" BOOLEAN"));
        for (const auto& name : drops) TRY(statement("DROP COLUMN " + quoted(name)));
        for (const auto& name : drops) std::erase(table_.columns, name);
        TRY(add_columns());
        if (hold) TRY(statement("DROP COLUMN \"_leat_hold\""));
        return {};
    }

private:
    // Names to be removed: columns that the source dropped, and old ones whose name is taken anew.
    [[nodiscard]] auto gone() const -> std::vector<std::string> {
        std::vector<std::string> names;
        for (const auto& name : table_.columns) {
            const auto holds = [&](const Column& c) { return folded(c.name) == folded(name); };
            const auto& was = table_.applied->columns;
            const auto old = std::find_if(was.begin(), was.end(), holds);
            const auto& now = table_.wanted->columns;
            const bool taken = std::any_of(now.begin(), now.end(), holds);
            const bool live = old != was.end();
            if (live ? by_id(*table_.wanted, old->id) == nullptr : taken) names.push_back(name);
        }
        return names;
    }

    auto add_columns() -> Result<void> {
        for (const auto& column : table_.wanted->columns) {
            if (by_id(*table_.applied, column.id) != nullptr) continue;
            const auto clause = TRY(default_clause(connection_, column));
            TRY(add(column, clause));
        }
        // A column that the source dropped stays, without its values.
        for (const auto& column : table_.applied->columns)
            if (by_id(*table_.wanted, column.id) == nullptr && !has(column.name))
                TRY(add(column, ""));
        return {};
    }

    [[nodiscard]] auto has(const std::string& name) const -> bool {
        return std::any_of(table_.columns.begin(), table_.columns.end(),
                           [&](const auto& other) { return folded(other) == folded(name); });
    }
    auto add(const Column& column, const std::string& clause) -> Result<void> {
        TRY(statement("ADD COLUMN " + quoted(column.name) + " " + type_of(column).sql + clause));
        table_.columns.push_back(column.name);
        return {};
    }
    auto statement(const std::string& change) -> Result<void> {
        TRY(connection_.execute("ALTER TABLE main." + quoted(table_.name) + " " + change));
        return {};
    }

    Connection& connection_;
    TargetTable& table_;
};

auto record(Connection& connection, const TargetTable& table) -> Result<void> {
    const auto& schema = *table.wanted;
    const auto bytes = TRY(to_bytes(schema));
    TRY(connection.execute(
        "DELETE FROM main._leat_tables WHERE source_schema = " + literal(schema.name.schema) +
        " AND source_table = " + literal(schema.name.table) +
        "; INSERT INTO main._leat_tables VALUES (" + literal(table.name) + ", " +
        literal(schema.name.schema) + ", " + literal(schema.name.table) + ", " +
        std::to_string(schema.version) + ", " + std::to_string(schema.generation) + ", unhex('" +
        hex(bytes) + "'))"));
    return {};
}

auto load_columns(Connection& connection, TargetTable& table) -> Result<void> {
    const auto rows = TRY(
        connection.rows("SELECT column_name::VARCHAR FROM duckdb_columns() WHERE database_name = "
                        "current_database() AND schema_name = 'main' AND table_name = " +
                        literal(table.name) + " ORDER BY column_index"));
    table.columns.clear();
    for (const auto& row : rows) table.columns.push_back(row.at(0).value_or(""));
    for (const auto& column : table.applied->columns)
        if (std::find(table.columns.begin(), table.columns.end(), column.name) ==
            table.columns.end())
            return cannot_follow(*table.applied,
                                 "somebody removed the table or its column " + column.name);
    return {};
}

}  // namespace

auto folded(std::string_view name) -> std::string {
    std::string out(name);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

auto check_schema(const TableSchema& schema) -> Result<void> {
    const auto refused = [&](const std::string& why, const char* hint) {
        return Error{Fault::fatal,
                     "duckdb cannot hold table " + to_string(schema.name) + ": " + why, hint,
                     to_string(schema.name), Code::duckdb_schema};
    };
    if (folded(target_name(schema.name)).starts_with(reserved))
        return Error{Fault::config, "table name is reserved: " + to_string(schema.name),
                     "Rename the table, or leave it out of the pipeline.", to_string(schema.name),
                     Code::duckdb_table_taken};
    if (schema.columns.empty())
        return refused("it has no columns", "Leave the table out of the pipeline.");
    std::set<std::string> names;
    for (const auto& column : schema.columns) {
        if (type_of(column).kind == Kind::unsupported)
            return refused("column " + column.name + " is of type " + column.type->ToString(),
                           "Leave the column out of the publication.");
        if (!names.insert(folded(column.name)).second)
            return refused("two columns differ in case only: " + column.name,
                           "Rename one of them at the source.");
    }
    return {};
}

auto check_change(const TableSchema& from, const TableSchema& to) -> Result<void> {
    if (to.generation > from.generation) return {};
    if (to.generation < from.generation)
        return Error{Fault::fatal,
                     "rows of an older snapshot generation for table " + to_string(to.name) + ": " +
                         std::to_string(to.generation),
                     "Report this: the queue gave rows out of order.", to_string(to.name)};
    if (from.identity != to.identity || key_ids(from) != key_ids(to))
        return cannot_follow(to, "its key changed");
    for (const auto& column : to.columns) {
        const auto* const old = by_id(from, column.id);
        if (old == nullptr) continue;
        if (old->name != column.name)
            return cannot_follow(to, "column " + old->name + " was renamed to " + column.name);
        if (type_of(*old).sql != type_of(column).sql)
            return cannot_follow(to, "column " + column.name + " changed its type from " +
                                         type_of(*old).sql + " to " + type_of(column).sql);
    }
    return {};
}

auto successor(const TableSchema& from, const TableSchema& to) -> SchemaPtr {
    auto schema = std::make_shared<TableSchema>(to);
    if (from.generation == to.generation)
        for (auto& column : schema->columns)
            if (const auto* const old = by_id(from, column.id); old != nullptr)
                column.default_value = old->default_value;
    return schema;
}

auto make_catalog(Connection& connection) -> Result<void> {
    TRY(connection.execute(
        "BEGIN; "
        "CREATE TABLE IF NOT EXISTS main._leat_progress (pipeline VARCHAR, lane VARCHAR, "
        "queue_id VARCHAR, incarnation UBIGINT, progress VARCHAR); "
        "CREATE TABLE IF NOT EXISTS main._leat_tables (target VARCHAR, source_schema VARCHAR, "
        "source_table VARCHAR, version UBIGINT, generation UBIGINT, schema BLOB); "
        "COMMIT"));
    return {};
}

auto load_tables(Connection& connection) -> Result<Tables> {
    Tables tables;
    const auto rows = TRY(connection.rows("SELECT target, hex(schema) FROM main._leat_tables"));
    for (const auto& row : rows) {
        TargetTable table;
        table.name = row.at(0).value_or("");
        table.applied = TRY(from_bytes(from_hex(row.at(1).value_or(""))));
        table.wanted = table.applied;
        TRY(load_columns(connection, table));
        auto name = table.applied->name;
        tables.emplace(std::move(name), std::move(table));
    }
    return tables;
}

auto alter(Connection& connection, TargetTable& table) -> Result<void> {
    if (table.wanted == table.applied) return {};
    if (table.applied && table.wanted->generation > table.applied->generation) {
        TRY(connection.execute("DROP TABLE main." + quoted(table.name)));
        table.applied = nullptr;
    }
    if (!table.applied) {
        TRY(create(connection, table));
    } else {
        TRY(Alteration(connection, table).run());
    }
    TRY(record(connection, table));
    table.applied = table.wanted;
    return {};
}

auto backfill(Connection& connection, const TargetTable& table, const SchemaPtr& from)
    -> Result<void> {
    // A table made in this epoch had no rows that need it.
    if (!from || from->generation != table.applied->generation) return {};
    for (const auto& column : table.applied->columns) {
        if (by_id(*from, column.id) != nullptr || !column.default_value ||
            !column.default_value->is_valid || type_of(column).kind != Kind::list)
            continue;
        TRY(stage_default(connection, column));
        TRY(connection.execute("UPDATE main." + quoted(table.name) + " SET " + quoted(column.name) +
                               " = (SELECT v FROM temp." + quoted(default_table) + ")"));
    }
    return {};
}

}  // namespace leat::duckdb
