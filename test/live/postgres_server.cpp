// Servers of the live tests.
#include "postgres_server.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "server_tool.hpp"

namespace leat::live {

namespace {
constexpr auto tool = "pg_server.py";
}

PostgresServer::PostgresServer(const ServerOptions& options) {
    std::string pattern = std::filesystem::temp_directory_path() / "leat-live-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    std::vector<std::string> arguments = {"start", "--dir", folder_};
    if (options.major != 0) {
        const auto variable = "LEAT_POSTGRES_" + std::to_string(options.major);
        const auto cache = environment("LEAT_CACHE", environment("HOME", "") + "/.cache/leat");
        arguments.insert(
            arguments.end(),
            {"--bindir",
             environment(variable.c_str(), cache + "/postgres-" + std::to_string(options.major)) +
                 "/bin"});
    }
    for (const auto& [name, value] : options.settings)
        arguments.insert(arguments.end(), {"--set", name + "=" + value});
    port_ = number_in(run_server_tool(tool, arguments), "port");
}

PostgresServer::~PostgresServer() {
    run_server_tool(tool, {"stop", "--dir", folder_, "--mode", "immediate"});
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

auto PostgresServer::shared(int major_min) -> PostgresServer& {
    static PostgresServer server;
    static const int major =
        std::atoi(run_sql(server.uri(), "SHOW server_version_num").c_str()) / 10000;
    if (major >= major_min) return server;
    static PostgresServer later({15, {}});
    return later;
}

auto PostgresServer::uri(const std::string& database, const std::string& user) const
    -> std::string {
    return "postgresql://" + user + "@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

auto PostgresServer::make_database() -> std::string {
    const auto name = "test" + std::to_string(++databases_);
    run_sql(uri(), "CREATE DATABASE " + name);
    return uri(name);
}

auto PostgresServer::stop(const std::string& mode) -> void {
    run_server_tool(tool, {"stop", "--dir", folder_, "--mode", mode});
}

auto PostgresServer::restart(const std::string& mode) -> void {
    run_server_tool(tool, {"restart", "--dir", folder_, "--mode", mode});
}

auto connect(const std::string& uri) -> postgres::Connection {
    auto made = postgres::Connection::connect({uri, "leat test", false, std::chrono::seconds(10)});
    if (!made) {
        std::fprintf(stderr, "%s: %s\n", uri.c_str(), made.error().what.c_str());
        std::abort();
    }
    return std::move(made).value();
}

auto run_sql(postgres::Connection& connection, const std::string& sql) -> std::string {
    const auto rows = connection.query(sql);
    EXPECT_TRUE(rows.has_value()) << (rows ? "" : rows.error().what) << "\n" << sql;
    if (!rows || rows->count() == 0) return {};
    return std::string(rows->text(0, 0));
}

auto run_sql(const std::string& uri, const std::string& sql) -> std::string {
    auto connection = connect(uri);
    run_sql(connection, "SET search_path = public");
    return run_sql(connection, sql);
}

}  // namespace leat::live
