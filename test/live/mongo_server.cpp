// MongoDB servers of the live tests.
#include "mongo_server.hpp"

#include <gtest/gtest.h>
#include <mongoc/mongoc.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "server_tool.hpp"

namespace leat::live {

namespace {

constexpr auto tool = "mongo_server.py";

// For the whole program, and never undone: a server that is shared outlives main.
auto start_library() -> void {
    static const bool once = [] {
        mongoc_init();
        mongoc_log_set_handler(nullptr, nullptr);  // otherwise it writes debug lines to stderr
        return true;
    }();
    (void)once;
}

auto connect(const std::string& uri) -> mongoc_client_t* {
    // A server that restarts is waited for instead of being given up at once.
    auto* client = mongoc_client_new((uri + "&serverSelectionTryOnce=false").c_str());
    if (client == nullptr) {
        std::fprintf(stderr, "not a URI of MongoDB: %s\n", uri.c_str());
        std::abort();
    }
    mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
    return client;
}

}  // namespace

struct MongoServer::Reply {
    bool accepted = false;
    unsigned code = 0;
    std::string message;
    std::string json;
};

MongoServer::MongoServer(const MongoOptions& options) : client_(nullptr, mongoc_client_destroy) {
    start_library();
    std::string pattern = std::filesystem::temp_directory_path() / "leat-live-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    std::vector<std::string> arguments = {"start",
                                          "--dir",
                                          folder_,
                                          "--version",
                                          options.version,
                                          "--nodes",
                                          std::to_string(options.nodes),
                                          "--oplog",
                                          std::to_string(options.oplog_mb)};
    if (options.tls) arguments.emplace_back("--tls");
    if (options.auth) arguments.emplace_back("--auth");
    for (const auto& [name, value] : options.parameters)
        arguments.insert(arguments.end(), {"--set", name + "=" + value});
    uri_ = text_in(run_server_tool(tool, arguments), "uri");
    client_.reset(connect(uri_));
}

MongoServer::~MongoServer() {
    client_.reset();
    run_server_tool(tool, {"kill_all", "--dir", folder_});
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

auto MongoServer::shared() -> MongoServer& {
    static MongoServer server;
    return server;
}

auto MongoServer::make_database() -> std::string {
    return "test" + std::to_string(++databases_);
}

auto MongoServer::uri(const std::string& database) const -> std::string {
    // The tool's own names none, so its path ends with the slash.
    auto whole = uri_;
    return whole.insert(whole.find("/?") + 1, database);
}

auto MongoServer::run(const std::string& database, std::string_view command) -> std::string {
    auto reply = execute(database, command);
    EXPECT_TRUE(reply.accepted) << reply.code << " " << reply.message << "\n" << command;
    return std::move(reply.json);
}

auto MongoServer::code_of(const std::string& database, std::string_view command) -> unsigned {
    return execute(database, command).code;
}

auto MongoServer::execute(const std::string& database, std::string_view command) -> Reply {
    bson_error_t error{};
    Reply result;
    auto* parsed = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(command.data()),
                                      static_cast<ssize_t>(command.size()), &error);
    if (parsed == nullptr) return {false, error.code, error.message, {}};
    bson_t reply;
    result.accepted = mongoc_client_command_simple(client_.get(), database.c_str(), parsed, nullptr,
                                                   &reply, &error);
    if (!result.accepted) {
        result.code = error.code;
        result.message = error.message;
    }
    if (auto* text = bson_as_canonical_extended_json(&reply, nullptr); text != nullptr) {
        result.json = text;
        bson_free(text);
    }
    bson_destroy(&reply);
    bson_destroy(parsed);
    return result;
}

auto MongoServer::stop() -> void {
    run_server_tool(tool, {"stop", "--dir", folder_});
}

auto MongoServer::kill() -> void {
    run_server_tool(tool, {"kill", "--dir", folder_});
}

auto MongoServer::restart() -> void {
    run_server_tool(tool, {"restart", "--dir", folder_});
}

auto MongoServer::step_down() -> void {
    run_server_tool(tool, {"step_down", "--dir", folder_});
}

}  // namespace leat::live
