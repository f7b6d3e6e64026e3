// Connection: one libmongoc client that speaks raw commands, with the server's errors turned into
// ours. No retries; nothing secret in any message. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "source/mongodb/document.hpp"

struct _mongoc_client_t;
struct _mongoc_client_session_t;

namespace leat::mongodb {

struct ConnectOptions {
    std::string uri;
    std::string application_name;
    std::chrono::milliseconds timeout{10'000};
    // Longest wait for an answer, unless the URI says otherwise: a server that is stopped keeps its
    // connections open. The default is for commands that may have to look through much.
    std::chrono::milliseconds answer{300'000};
};

// The database of a URI's path; empty: none. Not a URI: config.
auto database_of(const std::string& uri) -> Result<std::string>;

// A command's answer. Slices of it are good for as long as it lives; moving keeps them.
class Reply {
public:
    Reply();
    [[nodiscard]] auto bytes() const -> std::string_view;
    [[nodiscard]] auto find(std::string_view name) const -> std::optional<bson::Element> {
        return bson::find(bytes(), name);
    }
    // 0 and false where it is not there or of another type.
    [[nodiscard]] auto number(std::string_view name) const -> std::int64_t {
        return number_at(bytes(), name);
    }
    [[nodiscard]] auto truth(std::string_view name) const -> bool {
        return truth_at(bytes(), name);
    }
    [[nodiscard]] auto text(std::string_view name) const -> std::string {
        return text_at(bytes(), name);
    }
    // Empty where it is not there.
    [[nodiscard]] auto document(std::string_view name) const -> std::string_view {
        return document_at(bytes(), name);
    }
    [[nodiscard]] auto raw() -> bson_t* { return &held_->bson; }

private:
    struct Held {
        Held() { bson_init(&bson); }
        Held(const Held&) = delete;
        auto operator=(const Held&) -> Held& = delete;
        ~Held() { bson_destroy(&bson); }
        bson_t bson;
    };
    std::unique_ptr<Held> held_;
};

// What the server said of itself when it was chosen.
struct ServerFacts {
    std::string replica_set;  // empty: it is not a member of one
    bool is_router = false;
    bool is_primary = false;
    int version_major = 0;
    int version_minor = 0;
    int version_patch = 0;

    [[nodiscard]] auto is_at_least(int major, int minor, int patch = 0) const -> bool;
};

// All commands go to the server that was chosen at connect(), in one session, so that cursors can
// be read on: when that server goes or steps down, the connection is of no more use.
class Connection {
public:
    // Wrong credentials, certificate or URI: config. Not reachable: retry.
    static auto connect(const ConnectOptions& options) -> Result<Connection>;
    Connection(Connection&&) = default;
    auto operator=(Connection&& other) noexcept -> Connection&;
    ~Connection() = default;

    // `database`: "admin" for those of the whole deployment. The error carries the server's code in
    // its context: server_code().
    auto command(std::string_view database, const Document& command) -> Result<Reply>;

    // Newest cluster time that the server has told with an answer.
    [[nodiscard]] auto operation_time() const -> bson::Timestamp { return operation_time_; }
    [[nodiscard]] auto facts() const -> const ServerFacts& { return facts_; }

private:
    struct ClientDestroyer {
        auto operator()(_mongoc_client_t* client) const -> void;
    };
    struct SessionDestroyer {
        auto operator()(_mongoc_client_session_t* session) const -> void;
    };
    Connection() = default;
    auto choose_server() -> Result<void>;

    // In this order, as the session goes before its client, also when another takes their place.
    std::unique_ptr<_mongoc_client_t, ClientDestroyer> client_;
    std::unique_ptr<_mongoc_client_session_t, SessionDestroyer> session_;
    std::uint32_t server_id_ = 0;
    bson::Timestamp operation_time_{};
    ServerFacts facts_;
};

// The server's own number for why it refused a command; 0: it did not.
auto server_code(const Error& error) -> int;

}  // namespace leat::mongodb
