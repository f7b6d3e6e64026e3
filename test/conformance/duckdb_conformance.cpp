// The DuckDB sink under the conformance tests; read back over DuckDB's own C API.
#include <duckdb.h>
#include <stdlib.h>

#include <filesystem>

#include "change/collapse_model.hpp"
#include "conformance/sink_conformance.hpp"
#include "sink/duckdb/duckdb_sink.hpp"

namespace leat::conformance {

namespace {

class Reader {
public:
    explicit Reader(const std::filesystem::path& path) {
        opened_ = duckdb_open(path.c_str(), &database_) == DuckDBSuccess &&
                  duckdb_connect(database_, &connection_) == DuckDBSuccess &&
                  duckdb_query(connection_, "SET TimeZone = 'UTC'", nullptr) == DuckDBSuccess;
    }
    Reader(const Reader&) = delete;
    auto operator=(const Reader&) -> Reader& = delete;
    ~Reader() {
        duckdb_disconnect(&connection_);
        duckdb_close(&database_);
    }

    auto read(const std::string& sql) -> Result<Lines> {
        duckdb_result result;
        const bool ran =
            opened_ && duckdb_query(connection_, sql.c_str(), &result) == DuckDBSuccess;
        if (!ran) {
            const char* why = opened_ ? duckdb_result_error(&result) : "cannot open";
            return Error{Fault::fatal, why == nullptr ? "no reason given" : why, "", sql};
        }
        Lines lines;
        for (idx_t row = 0; row < duckdb_row_count(&result); ++row) {
            std::string line;
            for (idx_t column = 0; column < duckdb_column_count(&result); ++column)
                line += (column == 0 ? "" : "|") + text(result, column, row);
            lines.push_back(std::move(line));
        }
        duckdb_destroy_result(&result);
        return lines;
    }

private:
    static auto text(duckdb_result& result, idx_t column, idx_t row) -> std::string {
        if (duckdb_value_is_null(&result, column, row)) return "∅";
        const auto type = duckdb_column_type(&result, column);
        if (type == DUCKDB_TYPE_DOUBLE)
            return model::real_text(duckdb_value_double(&result, column, row) + 0.0);
        if (type == DUCKDB_TYPE_FLOAT)
            return model::real_text(duckdb_value_float(&result, column, row) + 0.0F);
        const auto value = duckdb_value_string(&result, column, row);
        std::string copy(value.data, value.size);
        duckdb_free(value.data);
        return copy;
    }

    duckdb_database database_ = nullptr;
    duckdb_connection connection_ = nullptr;
    bool opened_ = false;
};

class DuckDbTarget final : public Target {
public:
    DuckDbTarget() {
        std::string name =
            (std::filesystem::temp_directory_path() / "leat-conform-XXXXXX").string();
        CHECK(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
        std::filesystem::create_directory(folder_ / "work");
        config_.path = folder_ / "target.duckdb";
        config_.memory_limit = config::Bytes::mib(64);
        config_.stage_bytes_max = config::Bytes::mib(16);
    }
    ~DuckDbTarget() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    auto make_sink() -> Result<std::unique_ptr<Sink>> override {
        return DuckDbSink::make(config_, {"shop", folder_ / "work", &clock_});
    }
    auto read(const TableName& table, const std::vector<std::string>& columns)
        -> Result<Lines> override {
        Reader reader(config_.path);
        const auto described = TRY(
            reader.read("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '" +
                        target_name(table) + "'"));
        std::string sql = "SELECT ";
        for (const auto& column : columns) {
            if (sql.size() > 7) sql += ", ";
            const bool is_blob =
                std::find(described.begin(), described.end(), column + "|BLOB") != described.end();
            const bool is_real =
                std::find_if(described.begin(), described.end(), [&](const std::string& line) {
                    return line == column + "|DOUBLE" || line == column + "|FLOAT";
                }) != described.end();
            const auto quoted = "\"" + column + "\"";
            sql += is_blob ? "lower(hex(" + quoted + "))" : is_real ? quoted : quoted + "::VARCHAR";
        }
        return reader.read(sql + " FROM \"" + target_name(table) + "\"");
    }
    auto poison() -> Poison override {
        return {{"word", arrow::utf8()}, fixture::Value(std::string("not utf-8: \xff"))};
    }
    auto failpoints() -> std::vector<std::string_view> override {
        return {"duckdb.evolve",
                "duckdb.staged",
                "duckdb.before_commit",
                "duckdb.after_commit",
                "duckdb.before_checkpoint",
                "duckdb.after_checkpoint"};
    }

private:
    std::filesystem::path folder_;
    DuckDbConfig config_;
    SystemClock clock_;
};

INSTANTIATE_TEST_SUITE_P(DuckDb, SinkConformance,
                         ::testing::Values(SinkKind{
                             "duckdb", [] { return std::make_unique<DuckDbTarget>(); }}),
                         [](const auto& each) { return each.param.name; });

}  // namespace

}  // namespace leat::conformance
