// The sink's own tables: how far the others are, and which version of the source's each one is.
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>

#include <algorithm>

#include "change/batch.hpp"
#include "sink/duckdb/schema.hpp"

namespace leat::duckdb {

namespace {

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
            return Error{Fault::fatal,
                         "duckdb cannot follow table " + to_string(table.applied->name) +
                             ": somebody removed the table or its column " + column.name,
                         "Run `leat drop FILE`, move the warehouse file away and start again.",
                         to_string(table.applied->name), Code::duckdb_altered};
    return {};
}

auto truth(bool value) -> std::string {
    return value ? "true" : "false";
}

auto forget(Connection& connection, const TableName& table, bool is_live) -> Result<void> {
    TRY(connection.execute("DELETE FROM main._leat_tables WHERE source_schema = " +
                           literal(table.schema) + " AND source_table = " + literal(table.table) +
                           " AND is_live = " + truth(is_live)));
    return {};
}

}  // namespace

auto record(Connection& connection, const TargetTable& table) -> Result<void> {
    const auto& schema = *table.wanted;
    const auto bytes = TRY(to_bytes(schema));
    TRY(forget(connection, schema.name, table.is_live));
    TRY(connection.execute(
        "INSERT INTO main._leat_tables VALUES (" + literal(table.name) + ", " +
        literal(schema.name.schema) + ", " + literal(schema.name.table) + ", " +
        std::to_string(schema.version) + ", " + std::to_string(schema.generation) + ", unhex('" +
        hex(bytes) + "'), " + truth(table.is_live) + ")"));
    return {};
}

auto make_catalog(Connection& connection) -> Result<void> {
    TRY(connection.execute(
        "BEGIN; "
        "CREATE TABLE IF NOT EXISTS main._leat_progress (pipeline VARCHAR, lane VARCHAR, "
        "queue_id VARCHAR, incarnation UBIGINT, progress VARCHAR); "
        "CREATE TABLE IF NOT EXISTS main._leat_tables (target VARCHAR, source_schema VARCHAR, "
        "source_table VARCHAR, version UBIGINT, generation UBIGINT, schema BLOB, "
        "is_live BOOLEAN); "
        "COMMIT"));
    return {};
}

auto load_tables(Connection& connection) -> Result<Tables> {
    Tables tables;
    const auto rows = TRY(connection.rows(
        "SELECT target, hex(schema), is_live::VARCHAR FROM main._leat_tables"));
    for (const auto& row : rows) {
        TargetTable table;
        table.name = row.at(0).value_or("");
        table.applied = TRY(from_bytes(from_hex(row.at(1).value_or(""))));
        table.wanted = table.applied;
        table.is_live = row.at(2) == "true";
        TRY(load_columns(connection, table));
        CopyName name{table.applied->name, table.is_live};
        tables.emplace(std::move(name), std::move(table));
    }
    return tables;
}

auto make_live(Connection& connection, Tables& tables, const TableName& table) -> Result<void> {
    auto copy = std::move(tables.extract({table, false}).mapped());
    const auto target = target_name(table);
    if (tables.erase({table, true}) > 0)
        TRY(connection.execute("DROP TABLE main." + quoted(target)));
    if (copy.name != target)
        TRY(connection.execute("ALTER TABLE main." + quoted(copy.name) + " RENAME TO " +
                               quoted(target)));
    copy.name = target;
    copy.is_live = true;
    TRY(forget(connection, table, false));
    TRY(record(connection, copy));
    tables.emplace(CopyName{table, true}, std::move(copy));
    return {};
}

}  // namespace leat::duckdb
