// DuckDbSink as Checkable: what `leat check` says about the database file. Opens it read-only, so
// that nothing is made or replayed into it.
#include <unistd.h>

#include <system_error>

#include "sink/duckdb/duckdb_sink.hpp"

namespace leat {

namespace {

auto problem(Code code, std::string what, std::string remedy) -> Finding {
    return {Severity::problem, std::move(what), std::move(remedy), code};
}

auto folder_of(const std::filesystem::path& path) -> std::filesystem::path {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

auto check_folder(const std::filesystem::path& path) -> Finding {
    const auto folder = folder_of(path);
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error))
        return problem(Code::duckdb_path,
                       "folder of the duckdb file does not exist: " + folder.string(),
                       "Run: mkdir -p '" + folder.string() + "'");
    if (::access(folder.c_str(), W_OK | X_OK) != 0)
        return problem(Code::duckdb_path,
                       "folder of the duckdb file is not writable: " + folder.string(),
                       "Give this user the right to write in it, or name another path.");
    return {Severity::ok, "duckdb file will be made: " + path.string(), ""};
}

// The pipeline whose rows the file holds; empty: nobody's.
auto owner_of(duckdb::Connection& connection) -> Result<std::string> {
    const auto known = TRY(
        connection.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = "
                        "current_database() AND schema_name = 'main' AND table_name = "
                        "'_leat_progress'"));
    if (known.empty()) return std::string();
    const auto rows = TRY(connection.rows("SELECT pipeline FROM main._leat_progress"));
    return rows.empty() ? std::string() : rows.front().at(0).value_or("");
}

auto check_file(const std::filesystem::path& path, const std::string& pipeline) -> Result<Finding> {
    auto database = TRY(duckdb::Database::open(
        path.string(), {{"access_mode", "READ_ONLY"}, {"enable_external_access", "false"}}));
    auto connection = TRY(database.connect());
    const auto owner = TRY(owner_of(connection));
    if (!owner.empty() && owner != pipeline)
        return problem(Code::duckdb_foreign,
                       "duckdb file belongs to another pipeline: " + owner + ", not " + pipeline,
                       "Name another file for this sink, or remove this one to fill it anew.");
    if (::access(path.c_str(), W_OK) != 0 || ::access(folder_of(path).c_str(), W_OK | X_OK) != 0)
        return problem(Code::duckdb_path, "duckdb file is not writable: " + path.string(),
                       "Give this user the right to write the file and in its folder.");
    return Finding{Severity::ok,
                   "duckdb file " + path.string() +
                       (owner.empty() ? " exists; this pipeline's tables will be added"
                                      : " holds this pipeline's tables"),
                   ""};
}

}  // namespace

auto DuckDbSink::check() -> Result<std::vector<Finding>> {
    std::error_code error;
    const auto& path = config_.path;
    if (!std::filesystem::exists(path, error) || duckdb::is_unborn_file(path.string()))
        return std::vector{check_folder(config_.path)};
    return std::vector{TRY(check_file(config_.path, context_.pipeline))};
}

}  // namespace leat
