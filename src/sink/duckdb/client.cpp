// Owning wrappers over DuckDB's C API: opening, statements, results as text.
#include "sink/duckdb/client.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

namespace leat::duckdb {

namespace {

// DuckDB's message without the stack trace that internal errors carry.
auto first_line(std::string_view message) -> std::string {
    return std::string(message.substr(0, message.find('\n')));
}

auto quote_with(std::string_view text, char quote) -> std::string {
    std::string out(1, quote);
    for (const char c : text) {
        if (c == quote) out += quote;
        out += c;
    }
    return out += quote;
}

auto open_error(const std::string& path, std::string message) -> Error {
    const auto says = [&](std::string_view words) {
        return message.find(words) != std::string::npos;
    };
    if (says("lock on file"))
        return {Fault::config, "duckdb file is in use: " + first_line(message),
                "Stop the process that holds the file, or name another path.", path,
                Code::duckdb_in_use};
    if (says("not a valid DuckDB database"))
        return {Fault::config, "not a duckdb file: " + path,
                "Name a path that does not exist yet, or a DuckDB file.", path,
                Code::duckdb_file};
    if (says("Is a directory"))
        return {Fault::config, "duckdb path is a folder: " + path, "Name a file in that folder.",
                path, Code::duckdb_path};
    if (says("No such file or directory") || says("Permission denied"))
        return {Fault::config, "duckdb file cannot be opened: " + first_line(message),
                "Create the folder and give this user the right to write in it.", path,
                Code::duckdb_path};
    if (says("Trying to read a database file with version number"))
        return {Fault::config, "duckdb file is of another version: " + first_line(message),
                "Open it with the DuckDB that wrote it.", path, Code::duckdb_version};
    if (says("Could not set lock") || says("IO Error"))
        return {Fault::retry, "open duckdb file: " + first_line(message), "", path,
                Code::duckdb_busy};
    return {Fault::fatal, "open duckdb file: " + first_line(message),
            "Put back a copy of the file, or remove it to start anew.", path, Code::duckdb_file};
}

auto read_chunk(duckdb_data_chunk chunk, std::size_t rows_max, TextRows& rows) -> void {
    const auto columns = duckdb_data_chunk_get_column_count(chunk);
    const auto count =
        std::min<std::size_t>(duckdb_data_chunk_get_size(chunk), rows_max - rows.size());
    const auto first = rows.size();
    rows.resize(first + count);
    for (idx_t column = 0; column < columns; ++column) {
        const auto vector = duckdb_data_chunk_get_vector(chunk, column);
        auto* const validity = duckdb_vector_get_validity(vector);
        auto* const values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
        for (std::size_t row = 0; row < count; ++row) {
            auto& value = rows[first + row].emplace_back();
            if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) continue;
            value.emplace(duckdb_string_t_data(&values[row]), duckdb_string_t_length(values[row]));
        }
    }
}

// DuckDB tells what the disk or its own memory said in words only.
auto hint_for(std::string_view message) -> std::string {
    const auto says = [&](std::string_view words) {
        return message.find(words) != std::string_view::npos;
    };
    if (says("No space left") || says("Disk quota"))
        return "Make room on the disk of the warehouse; the sink goes on by itself then.";
    if (says("pin block") || says("allocate"))
        return "Raise memory_limit of the sink: about ten times the largest values of one commit.";
    if (says("Read-only file system"))
        return "Make the disk of the warehouse writable; the sink goes on by itself then.";
    return "";
}

}  // namespace

auto quoted(std::string_view identifier) -> std::string {
    return quote_with(identifier, '"');
}
auto literal(std::string_view text) -> std::string {
    return quote_with(text, '\'');
}

auto fault_of(duckdb_error_type type) -> Fault {
    switch (type) {
        case DUCKDB_ERROR_IO:
        case DUCKDB_ERROR_OUT_OF_MEMORY:
        case DUCKDB_ERROR_TRANSACTION:
        case DUCKDB_ERROR_CONNECTION:
        case DUCKDB_ERROR_INTERRUPT:
        case DUCKDB_ERROR_FATAL: return Fault::retry;
        default: return Fault::fatal;
    }
}

auto code_of(duckdb_error_type type) -> Code {
    switch (type) {
        case DUCKDB_ERROR_OUT_OF_MEMORY: return Code::duckdb_memory;
        case DUCKDB_ERROR_IO: return Code::duckdb_busy;
        default: return Code::duckdb_statement;
    }
}

auto QueryOutcome::error(std::string_view doing) -> Error {
    const char* const raw = duckdb_result_error(&result_);
    const std::string message = raw == nullptr ? "unknown" : raw;
    return {fault_of(duckdb_result_error_type(&result_)),
            std::string(doing) + ": " + first_line(message), hint_for(message), "duckdb",
            code_of(duckdb_result_error_type(&result_))};
}

auto Connection::execute(const std::string& sql) -> Result<std::int64_t> {
    QueryOutcome outcome;
    if (duckdb_query(handle_.get(), sql.c_str(), outcome.get()) != DuckDBSuccess)
        return outcome.error("duckdb statement failed");
    return static_cast<std::int64_t>(duckdb_rows_changed(outcome.get()));
}

auto Connection::rows(const std::string& sql, std::size_t rows_max) -> Result<TextRows> {
    Owned<duckdb_prepared_statement, duckdb_destroy_prepare> statement;
    duckdb_prepared_statement raw = nullptr;
    const auto prepared = duckdb_prepare(handle_.get(), sql.c_str(), &raw);
    statement.reset(raw);
    if (prepared != DuckDBSuccess)
        return Error{Fault::fatal,
                     "duckdb statement failed: " + first_line(duckdb_prepare_error(raw)), "",
                     "duckdb", Code::duckdb_statement};
    QueryOutcome outcome;
    if (duckdb_execute_prepared_streaming(raw, outcome.get()) != DuckDBSuccess)
        return outcome.error("duckdb statement failed");
    TextRows rows;
    while (rows.size() < rows_max) {
        const DataChunk chunk(duckdb_fetch_chunk(*outcome.get()));
        if (!chunk) break;
        read_chunk(chunk.get(), rows_max, rows);
    }
    if (const char* message = duckdb_result_error(outcome.get());
        message != nullptr && *message != '\0')
        return outcome.error("duckdb statement failed");
    return rows;
}

auto is_unborn_file(const std::string& path) -> bool {
    constexpr std::size_t headers_bytes = 3 * 4096;
    constexpr std::size_t mark_at = 8;  // behind a checksum
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return false;
    const auto bytes = std::filesystem::file_size(path, error);
    if (error || bytes >= headers_bytes) return false;
    if (bytes == 0) return true;
    std::array<char, mark_at + 4> begin{};
    std::ifstream(path, std::ios::binary).read(begin.data(), begin.size());
    return std::string_view(begin.data() + mark_at, 4) == "DUCK";
}

auto Database::open(const std::string& path, const std::vector<Setting>& settings)
    -> Result<Database> {
    if (duckdb_library_version() != version_required)
        return Error{Fault::config,
                     std::string("duckdb library has another version: ") + duckdb_library_version(),
                     "Put the pinned libduckdb.so beside the program.", "duckdb",
                     Code::duckdb_library};
    duckdb_config raw_config = nullptr;
    if (duckdb_create_config(&raw_config) != DuckDBSuccess)
        return Error{Fault::retry, "duckdb: no memory for its configuration", "", path};
    const Owned<duckdb_config, duckdb_destroy_config> config(raw_config);
    for (const auto& setting : settings)
        if (duckdb_set_config(raw_config, setting.name.c_str(), setting.value.c_str()) !=
            DuckDBSuccess)
            return Error{Fault::config, "duckdb refuses a setting: " + setting.name, "", path,
                         Code::duckdb_library};
    duckdb_database raw = nullptr;
    char* message = nullptr;
    if (duckdb_open_ext(path.c_str(), &raw, raw_config, &message) != DuckDBSuccess) {
        const std::string text = message == nullptr ? "unknown" : message;
        duckdb_free(message);
        return open_error(path, text);
    }
    return Database(raw);
}

auto Database::attach(const std::string& path, std::uint64_t row_group_rows,
                      const std::vector<Setting>& settings) -> Result<Database> {
    auto database = TRY(open(":memory:", settings));
    auto connection = TRY(database.connect());
    const auto sql = "ATTACH " + literal(path) + " AS " + attached_name + " (ROW_GROUP_SIZE " +
                     std::to_string(row_group_rows) + ")";
    QueryOutcome outcome;
    if (duckdb_query(connection.handle(), sql.c_str(), outcome.get()) != DuckDBSuccess) {
        const char* const message = duckdb_result_error(outcome.get());
        return open_error(path, message == nullptr ? "unknown" : message);
    }
    database.is_attached_ = true;
    return database;
}

auto Database::connect() -> Result<Connection> {
    duckdb_connection raw = nullptr;
    if (duckdb_connect(handle_.get(), &raw) != DuckDBSuccess)
        return Error{Fault::retry, "connect to the open duckdb file", "", "duckdb"};
    Connection connection(raw);
    if (is_attached_) TRY(connection.execute(std::string("USE ") + attached_name));
    return connection;
}

}  // namespace leat::duckdb
