// DDL of the DuckDB sink: creating and altering tables. What each one is stands in own_tables.cpp.
#include "sink/duckdb/schema.hpp"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <set>

#include "format/widen/widen.hpp"
#include "sink/duckdb/appender.hpp"
#include "sink/duckdb/column_type.hpp"
#include "sink/duckdb/json_sql.hpp"

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

// Where DuckDB's own cast has other words: text to JSON it would read as JSON.
auto using_clause(const Column& from, const Column& to) -> std::string {
    const auto name = quoted(to.name);
    if (type_of(from).sql == type_of(to).sql) return "";
    if (type_of(to).kind == Kind::json) return " USING (" + json_sql(from, name) + ")::JSON";
    if (to.logical_type == "numeric" && from.type->id() == arrow::Type::DOUBLE)
        return " USING " + number_text_sql(name);
    return "";
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
        TRY(rename_columns());
        TRY(widen_columns());
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

    // By way of a name that nobody has, because names may change places.
    auto rename_columns() -> Result<void> {
        std::vector<const Column*> renamed;
        for (const auto& column : table_.wanted->columns) {
            const auto* const old = by_id(*table_.applied, column.id);
            if (old == nullptr || old->name == column.name) continue;
            TRY(rename(old->name, passing_name(column)));
            renamed.push_back(&column);
        }
        for (const auto* column : renamed) TRY(rename(passing_name(*column), column->name));
        return {};
    }

    static auto passing_name(const Column& column) -> std::string {
        return "_leat_rename_" + std::to_string(column.id);
    }

    auto widen_columns() -> Result<void> {
        for (const auto& column : table_.wanted->columns) {
            const auto* const old = by_id(*table_.applied, column.id);
            if (old == nullptr || type_of(*old).sql == type_of(column).sql) continue;
            TRY(statement("ALTER COLUMN " + quoted(column.name) + " SET DATA TYPE " +
                          type_of(column).sql + using_clause(*old, column)));
        }
        return {};
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
    auto rename(const std::string& from, const std::string& to) -> Result<void> {
        TRY(statement("RENAME COLUMN " + quoted(from) + " TO " + quoted(to)));
        std::replace(table_.columns.begin(), table_.columns.end(), from, to);
        return {};
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
    if (from.identity != to.identity || key_ids(from) != key_ids(to))
        return cannot_follow(to, "its key changed");
    for (const auto& column : to.columns) {
        const auto* const old = by_id(from, column.id);
        if (old == nullptr) continue;
        if (type_of(*old).sql != type_of(column).sql && !widens(*old, column))
            return cannot_follow(to, "column " + column.name + " changed its type from " +
                                         type_of(*old).sql + " to " + type_of(column).sql);
    }
    return {};
}

auto converts_by_functions(const TableSchema& from, const TableSchema& to) -> bool {
    return std::any_of(to.columns.begin(), to.columns.end(), [&](const Column& column) {
        const auto* const old = by_id(from, column.id);
        return old != nullptr && !using_clause(*old, column).empty();
    });
}

auto successor(const TableSchema& from, const TableSchema& to) -> Result<SchemaPtr> {
    auto schema = std::make_shared<TableSchema>(to);
    schema->generation = from.generation;
    for (auto& column : schema->columns) {
        const auto* const old = by_id(from, column.id);
        if (old == nullptr) continue;
        column.default_value = old->default_value;
        if (!column.default_value || column.default_value->type->Equals(*column.type)) continue;
        const auto array = arrow::MakeArrayFromScalar(*column.default_value, 1);
        if (!array.ok()) return arrow_error(array.status());
        const auto widened = widen(*array, *old, column);
        if (!widened.ok()) return arrow_error(widened.status());
        column.default_value = *(*widened)->GetScalar(0);
    }
    return schema;
}

auto find_copy(Tables& tables, const TableSchema& schema) -> TargetTable* {
    for (const bool is_live : {true, false}) {
        const auto found = tables.find({schema.name, is_live});
        if (found == tables.end()) continue;
        const bool is_meant = schema.generation == 0
                                  ? is_live
                                  : found->second.wanted->generation == schema.generation;
        if (is_meant) return &found->second;
    }
    return nullptr;
}

auto aside_name(const TableName& table) -> std::string {
    return std::string(reserved) + "new_" + target_name(table);
}

auto alter(Connection& connection, TargetTable& table) -> Result<void> {
    if (table.wanted == table.applied) return {};
    if (table.applied && table.wanted->generation != table.applied->generation) {
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
