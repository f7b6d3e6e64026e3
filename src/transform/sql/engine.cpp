// Opening the embedded DuckDB, its parser and its list of functions; see engine.hpp.
#include "transform/sql/engine.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "transform/sql/tree.hpp"

namespace leat::sql {

namespace {

auto first_line(std::string_view message) -> std::string {
    return std::string(message.substr(0, message.find('\n')));
}

auto failed(std::string what) -> Error {
    return Error{Fault::fatal, "transform engine: " + std::move(what), "", "duckdb"};
}

auto text_at(duckdb_data_chunk chunk, idx_t column, idx_t row) -> std::string {
    const auto vector = duckdb_data_chunk_get_vector(chunk, column);
    auto* const validity = duckdb_vector_get_validity(vector);
    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) return "";
    auto* const values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
    return {duckdb_string_t_data(&values[row]), duckdb_string_t_length(values[row])};
}

// What is the same for every row of a query, but not for every run of it.
constexpr std::array state_readers = {"current_setting", "getvariable", "getenv"};

auto kind_of(std::string_view name, std::string_view type, std::string_view stability)
    -> FunctionKind {
    if (std::find(state_readers.begin(), state_readers.end(), name) != state_readers.end())
        return FunctionKind::volatile_;
    if (type == "aggregate") return FunctionKind::aggregate;
    if (type == "macro") return FunctionKind::macro;
    if (type == "scalar")
        return stability == "CONSISTENT" ? FunctionKind::row : FunctionKind::volatile_;
    return FunctionKind::table;
}

}  // namespace

auto literal(std::string_view text) -> std::string {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += '\'';
        out += c;
    }
    return out += '\'';
}

auto Outcome::message() -> std::string {
    const char* const message = duckdb_result_error(&result_);
    return first_line(message == nullptr ? "unknown" : message);
}

auto run(duckdb_connection connection, const std::string& sql) -> Result<void> {
    Outcome outcome;
    if (duckdb_query(connection, sql.c_str(), outcome.get()) != DuckDBSuccess)
        return failed(outcome.message());
    return {};
}

auto Engine::make() -> Result<std::shared_ptr<Engine>> {
    duckdb_config raw_config = nullptr;
    if (duckdb_create_config(&raw_config) != DuckDBSuccess) return failed("no memory");
    const Owned<duckdb_config, duckdb_destroy_config> config(raw_config);
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
             {"threads", "1"},
             {"memory_limit", "1GB"},
             {"autoinstall_known_extensions", "false"}})
        if (duckdb_set_config(raw_config, name, value) != DuckDBSuccess)
            return failed(std::string("setting refused: ") + name);
    duckdb_database raw = nullptr;
    char* message = nullptr;
    if (duckdb_open_ext(":memory:", &raw, raw_config, &message) != DuckDBSuccess) {
        auto error = failed(message == nullptr ? "unknown" : message);
        duckdb_free(message);
        return error;
    }
    auto engine = std::shared_ptr<Engine>(new Engine(Database(raw)));
    engine->connection_ = TRY(engine->connect());
    TRY(run(engine->connection_.get(),
            "SET GLOBAL disabled_optimizers = 'statistics_propagation'; "
            "SET GLOBAL TimeZone = 'UTC'; SET GLOBAL enable_external_access = false; "
            "SET GLOBAL lock_configuration = true"));
    TRY(engine->load_functions());
    return engine;
}

auto Engine::connect() -> Result<Connection> {
    duckdb_connection raw = nullptr;
    if (duckdb_connect(database_.get(), &raw) != DuckDBSuccess) return failed("connect");
    return Connection(raw);
}

auto Engine::ask(const std::string& sql) -> Result<std::string> {
    Outcome outcome;
    if (duckdb_query(connection_.get(), sql.c_str(), outcome.get()) != DuckDBSuccess)
        return failed(outcome.message());
    const Chunk chunk(duckdb_fetch_chunk(*outcome.get()));
    if (!chunk || duckdb_data_chunk_get_size(chunk.get()) == 0) return failed("no answer");
    return text_at(chunk.get(), 0, 0);
}

auto Engine::parse(std::string_view sql) -> Result<boost::json::value> {
    const auto text = TRY(ask("SELECT json_serialize_sql(" + literal(sql) + ")::VARCHAR"));
    boost::system::error_code error;
    boost::json::parse_options options;
    options.max_depth = 1024;
    auto tree = boost::json::parse(text, error, {}, options);
    if (error) return failed("parse tree: " + error.message());
    return tree;
}

auto Engine::unparse(const boost::json::value& tree) -> Result<std::string> {
    return ask("SELECT json_deserialize_sql(" + literal(boost::json::serialize(tree)) + "::JSON)");
}

auto Engine::load_functions() -> Result<void> {
    Outcome outcome;
    const auto* const sql =
        "SELECT DISTINCT function_name, function_type, coalesce(stability, ''), "
        "coalesce(macro_definition, '') FROM duckdb_functions()";
    if (duckdb_query(connection_.get(), sql, outcome.get()) != DuckDBSuccess)
        return failed(outcome.message());
    while (true) {
        const Chunk chunk(duckdb_fetch_chunk(*outcome.get()));
        if (!chunk) return {};
        for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk.get()); ++row) {
            auto name = text_at(chunk.get(), 0, row);
            const auto kind =
                kind_of(name, text_at(chunk.get(), 1, row), text_at(chunk.get(), 2, row));
            auto& function = functions_[std::move(name)];
            // Of several kinds of one name the most restricted counts, but a table function is
            // another thing than a scalar of its name.
            if (kind == FunctionKind::table && function.kind != FunctionKind::unknown) continue;
            if (function.kind == FunctionKind::unknown || function.kind == FunctionKind::table ||
                kind > function.kind)
                function = {kind, text_at(chunk.get(), 3, row)};
        }
    }
}

// A macro is what its definition is.
auto Engine::macro_kind(const std::string& definition) -> FunctionKind {
    const auto tree = parse("SELECT " + definition);
    if (!tree || is_error(*tree)) return FunctionKind::volatile_;
    auto worst = FunctionKind::row;
    for_each_expression(*tree, [&](const boost::json::object& node) {
        const auto type = class_of(node);
        if (type == "SUBQUERY") worst = FunctionKind::table;
        if (type == "WINDOW") worst = FunctionKind::aggregate;
        if (type == "COLUMN_REF" && names_clock(node)) worst = FunctionKind::volatile_;
        if (type != "FUNCTION") return;
        const auto kind = function_kind(text_of(node, "function_name"));
        if (kind != FunctionKind::row) worst = kind;
    });
    return worst;
}

auto Engine::function_kind(std::string_view name) -> FunctionKind {
    const auto found = functions_.find(name);
    if (found == functions_.end()) return FunctionKind::unknown;
    auto& function = found->second;
    if (function.kind == FunctionKind::macro) {
        function.kind = FunctionKind::volatile_;  // a macro that names itself ends here
        function.kind = macro_kind(function.definition);
    }
    return function.kind;
}

}  // namespace leat::sql
