// Connection: one libpq connection, for SQL or for replication, with the server's errors turned
// into ours. No retries; nothing secret in any message. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/pgoutput/lsn.hpp"

struct pg_conn;
struct pg_result;

namespace leat::postgres {

using pgoutput::Lsn;
using pgoutput::parse_lsn;

struct ConnectOptions {
    std::string uri;
    std::string application_name;
    bool replication = false;          // a walsender for the URI's database
    std::chrono::seconds timeout{10};  // for each host of the URI
};

// The rows of one answer. Views live as long as the Rows.
class Rows {
public:
    explicit Rows(pg_result* result);
    [[nodiscard]] auto count() const -> int;
    [[nodiscard]] auto is_null(int row, int column) const -> bool;
    [[nodiscard]] auto text(int row, int column) const -> std::string_view;
    [[nodiscard]] auto number(int row, int column) const -> std::int64_t;  // 0 when not one
    [[nodiscard]] auto truth(int row, int column) const -> bool;

private:
    std::unique_ptr<pg_result, void (*)(pg_result*)> result_;
};

class Connection {
public:
    // Values come as the decoders want them (ISO dates, UTC, exact floats); time limits are off.
    // Of several hosts in the URI the primary is taken, unless its target_session_attrs says
    // otherwise. Wrong password, unknown database: config. Not reachable: retry.
    static auto connect(const ConnectOptions& options) -> Result<Connection>;

    // With parameters the extended protocol is used, which a replication connection lacks.
    auto query(const std::string& sql, const std::vector<std::string>& parameters = {})
        -> Result<Rows>;

    // The same for statements that may wait long: `while_waiting` is called about once a second,
    // stop cancels.
    auto query_patiently(const std::string& sql, const std::stop_token& stop,
                         const std::function<void()>& while_waiting) -> Result<Rows>;

    // The same for a server that may be hung: gives up after `within` or when stop is asked for.
    // The connection is then of no use any more.
    auto query_within(const std::string& sql, Duration within, const std::stop_token& stop)
        -> Result<Rows>;

    // Starts `COPY … TO STDOUT`; then copied() until it yields nothing. The view lives until the
    // next call.
    auto start_copy(const std::string& sql) -> Result<void>;
    auto copied() -> Result<std::optional<std::string_view>>;

    [[nodiscard]] auto server_version() const -> int;  // 150004
    [[nodiscard]] auto backend_pid() const -> int;
    [[nodiscard]] auto raw() -> pg_conn* { return connection_.get(); }

    // An answer that came by way of raw(): its rows, or the server's error.
    auto answer(pg_result* result, std::string_view doing) -> Result<Rows>;
    // The connection's present trouble (no answer at all) as an Error.
    [[nodiscard]] auto failure(std::string_view doing) const -> Error;

private:
    struct Host {  // one of a URI's list; empty: the URI has one only
        std::string name;
        std::string address;
        std::string port;
    };
    static auto connect_to(const Host& host, const std::string& settings,
                           const ConnectOptions& options) -> Result<Connection>;
    explicit Connection(pg_conn* connection);

    std::unique_ptr<pg_conn, void (*)(pg_conn*)> connection_;
    std::unique_ptr<char, void (*)(void*)> copy_buffer_;
};

// "name" and 'text' for use in SQL.
auto quote_name(std::string_view name) -> std::string;
auto quote_text(std::string_view text) -> std::string;

// The SQLSTATE that query() put into an error's context, or empty.
auto sqlstate(const Error& error) -> std::string_view;

}  // namespace leat::postgres
