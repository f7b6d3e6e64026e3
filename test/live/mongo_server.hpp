// MongoServer: a private replica set for tests, started and stopped through tools/mongo_server.py.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

struct _mongoc_client_t;

namespace leat::live {

struct MongoOptions {
    std::string version = "6";
    int nodes = 1;
    int oplog_mb = 256;
    bool tls = false;
    bool auth = false;
    std::map<std::string, std::string> parameters = {};  // of the server, as in --setParameter
};

// For one thread. The commands below reach the server again after it was away.
class MongoServer {
public:
    // Aborts the test program with the tool's own words when it does not start.
    explicit MongoServer(const MongoOptions& options = {});
    ~MongoServer();
    MongoServer(const MongoServer&) = delete;
    auto operator=(const MongoServer&) -> MongoServer& = delete;

    // One for all tests of this program that need nothing special.
    static auto shared() -> MongoServer&;

    // The name of a database that nobody has used.
    auto make_database() -> std::string;
    [[nodiscard]] auto uri(const std::string& database = "") const -> std::string;

    // Runs a command in Extended JSON, on the primary; a failure is a failure of the test. The
    // reply, in canonical Extended JSON.
    auto run(const std::string& database, std::string_view command) -> std::string;
    // The code with which the server refuses the command; 0 when it does not.
    auto code_of(const std::string& database, std::string_view command) -> unsigned;

    auto stop() -> void;
    auto kill() -> void;     // a crash of the primary
    auto restart() -> void;  // also brings back what stop or kill ended
    auto step_down() -> void;

private:
    struct Reply;
    auto execute(const std::string& database, std::string_view command) -> Reply;

    std::string folder_;
    std::string uri_;
    std::unique_ptr<_mongoc_client_t, void (*)(_mongoc_client_t*)> client_;
    int databases_ = 0;
};

}  // namespace leat::live
