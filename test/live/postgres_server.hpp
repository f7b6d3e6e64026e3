// PostgresServer: a private server for tests, started and stopped through tools/pg_server.py.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "source/postgres/client.hpp"

namespace leat::live {

struct ServerOptions {
    int major = 0;  // 0: any; tools/pg_server.py chooses
    std::map<std::string, std::string> settings;
};

class PostgresServer {
public:
    // Aborts the test program with the tool's own words when it does not start.
    explicit PostgresServer(const ServerOptions& options = {});
    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    auto operator=(const PostgresServer&) -> PostgresServer& = delete;

    // One for all tests of this program that need nothing special but what came with `major_min`.
    static auto shared(int major_min = 0) -> PostgresServer&;

    // A new empty database; its URI.
    auto make_database() -> std::string;
    [[nodiscard]] auto uri(const std::string& database = "postgres",
                           const std::string& user = "postgres") const -> std::string;

    auto stop(const std::string& mode) -> void;
    auto restart(const std::string& mode) -> void;

private:
    std::string folder_;
    int port_ = 0;
    int databases_ = 0;
};

// Runs SQL; a failure is a failure of the test. The first row's first column, or empty.
auto run_sql(const std::string& uri, const std::string& sql) -> std::string;
auto run_sql(postgres::Connection& connection, const std::string& sql) -> std::string;
auto connect(const std::string& uri) -> postgres::Connection;

}  // namespace leat::live
