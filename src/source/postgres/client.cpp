// libpq behind client.hpp: connecting with a deadline, asking, copying, and what errors mean.
#include "source/postgres/client.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace leat::postgres {

namespace {

using SteadyClock = std::chrono::steady_clock;

// Values must read the same in the change stream, in COPY and in catalog queries, whatever the
// server's, the database's or the role's settings say. Our waits are ours: no time limits.
constexpr auto session_settings =
    "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c timezone=UTC "
    "-c bytea_output=hex -c lc_monetary=C -c search_path=pg_catalog -c statement_timeout=0 "
    "-c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0 "
    "-c row_security=off";  // a policy that would hide rows from the image is an error instead

auto first_line(std::string_view text) -> std::string {
    while (!text.empty() && (text.front() == '\n' || text.front() == ' ')) text.remove_prefix(1);
    return std::string(text.substr(0, text.find('\n')));
}

struct Meaning {
    Fault fault;
    Code code;
    const char* hint;
};

auto meaning_of(std::string_view state) -> Meaning {
    const auto in_class = [&](const char* name) { return state.substr(0, 2) == name; };
    if (state == "28P01")
        return {Fault::config, Code::pg_login, "Correct user and password in source.uri."};
    if (state == "28000")
        return {Fault::config, Code::pg_login,
                "Allow the role, this host and replication in pg_hba.conf."};
    if (state == "3D000")
        return {Fault::config, Code::pg_database, "Correct the database name in source.uri."};
    if (state == "42501")
        return {Fault::config, Code::pg_right, "Grant the right that the message names."};
    if (state == "55006") return {Fault::retry, Code::pg_slot_in_use, ""};
    if (state == "57014" || state == "55P03" || in_class("40"))
        return {Fault::retry, Code::pg_refused, ""};
    if (state.empty() || in_class("08") || in_class("53") || in_class("57") || in_class("58"))
        return {Fault::retry, Code::pg_unreachable, "See whether the server runs and answers."};
    if (in_class("42") || in_class("3F")) return {Fault::config, Code::pg_refused, ""};
    return {Fault::fatal, Code::pg_refused, ""};
}

auto make_error(std::string_view doing, std::string_view state, std::string_view message) -> Error {
    const auto [fault, code, hint] = meaning_of(state);
    return Error{fault, std::string(doing) + ": " + first_line(message), hint,
                 state.empty() ? "postgres" : "postgres, SQLSTATE " + std::string(state), code};
}

constexpr auto start_server = "Start the server, or correct host and port in source.uri.";

// Connecting yields no result to ask for the SQLSTATE; in verbose form the message holds it:
// "FATAL:  28P01: password authentication failed …".
auto connect_error(PGconn* connection) -> Error {
    std::string message = PQerrorMessage(connection);
    constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (auto at = message.find(":  "); at != std::string::npos; at = message.find(":  ", at + 1)) {
        const auto state = std::string_view(message).substr(at + 3, 5);
        if (state.size() == 5 && state.find_first_not_of(digits) == std::string_view::npos &&
            message.compare(at + 8, 2, ": ") == 0) {
            return make_error("cannot connect", state, message.substr(at + 10));
        }
    }
    auto error = make_error("cannot connect", "", message);
    error.hint = start_server;
    if (PQconnectionNeedsPassword(connection) != 0) {
        error.fault = Fault::config;
        error.code = Code::pg_login;
        error.hint = "Put the password into source.uri, for instance as ${env:NAME}.";
    }
    return error;
}

auto wait_for_socket(PGconn* connection, short events, int timeout_ms) -> int {
    pollfd socket{PQsocket(connection), events, 0};
    return poll(&socket, 1, timeout_ms);
}

auto finish_connecting(PGconn* connection, std::chrono::seconds timeout) -> Result<void> {
    const auto deadline = SteadyClock::now() + timeout;
    auto state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) return connect_error(connection);
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
        if (left.count() <= 0)
            return Error{Fault::retry, "cannot connect: no answer in time", start_server,
                         "postgres", Code::pg_unreachable};
        const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (wait_for_socket(connection, events, static_cast<int>(left.count())) > 0)
            state = PQconnectPoll(connection);
    }
    return {};
}

auto not_a_uri() -> Error {
    return Error{Fault::config, "source.uri is not a PostgreSQL connection string",
                 "Write postgresql://user:password@host:port/database, with special characters of "
                 "the password as %40 and so on.",
                 "postgres", Code::pg_uri};
}

struct UriFacts {
    std::string settings;  // with the user's own `options` first, so that ours win
    std::string hosts;
    std::string addresses;
    std::string ports;
};

// The n-th of a list with commas; of a list of one that one.
auto entry(const std::string& list, std::size_t n) -> std::string {
    if (list.find(',') == std::string::npos) return list;
    std::size_t from = 0;
    for (; n > 0; --n) from = list.find(',', from) + 1;
    return list.substr(from, list.find(',', from) - from);
}

auto parse_uri(const std::string& uri) -> Result<UriFacts> {
    char* message = nullptr;
    auto* parsed = PQconninfoParse(uri.c_str(), &message);
    PQfreemem(message);  // may quote the URI with its password: never shown
    if (parsed == nullptr) return not_a_uri();
    UriFacts facts;
    bool sound = true;
    for (auto* option = parsed; option->keyword != nullptr; ++option) {
        if (option->val == nullptr) continue;
        const std::string_view keyword = option->keyword;
        const std::string_view text = option->val;
        if (keyword == "options") facts.settings = std::string(text) + " ";
        if (keyword == "host") facts.hosts = text;
        if (keyword == "hostaddr") facts.addresses = text;
        if (keyword == "port") facts.ports = text;
        // An @ in the password that is not escaped ends up in the host, and host and port are
        // what libpq quotes in its messages.
        if (keyword == "host" && text.find('@') != std::string_view::npos) sound = false;
        if (keyword == "port" && text.find_first_not_of("0123456789,") != std::string_view::npos)
            sound = false;
    }
    PQconninfoFree(parsed);
    if (!sound) return not_a_uri();
    facts.settings += session_settings;
    return facts;
}

auto result_error(PGconn* connection, const PGresult* result, std::string_view doing) -> Error {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    auto error = make_error(doing, state == nullptr ? "" : state,
                            primary == nullptr ? PQerrorMessage(connection) : primary);
    if (PQstatus(connection) == CONNECTION_BAD) {
        error.fault = Fault::retry;
        error.code = Code::pg_unreachable;
    }
    return error;
}

auto succeeded(const PGresult* result) -> bool {
    const auto status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_COPY_IN ||
           status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

}  // namespace

Rows::Rows(pg_result* result) : result_(result, &PQclear) {}

auto Rows::count() const -> int {
    return PQntuples(result_.get());
}

auto Rows::is_null(int row, int column) const -> bool {
    return PQgetisnull(result_.get(), row, column) != 0;
}

auto Rows::text(int row, int column) const -> std::string_view {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

auto Rows::number(int row, int column) const -> std::int64_t {
    const auto digits = text(row, column);
    std::int64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

auto Rows::truth(int row, int column) const -> bool {
    return text(row, column) == "t";
}

Connection::Connection(pg_conn* connection)
    : connection_(connection, &PQfinish), copy_buffer_(nullptr, &PQfreemem) {}

// libpq would try the hosts of a list within one deadline, so that one that is switched off would
// take all of it.
auto Connection::connect(const ConnectOptions& options) -> Result<Connection> {
    const auto facts = TRY(parse_uri(options.uri));
    const auto& list = facts.addresses.empty() ? facts.hosts : facts.addresses;
    const auto count = 1 + std::count(list.begin(), list.end(), ',');
    if (count == 1) return connect_to({}, facts.settings, options);
    std::optional<Error> failure;
    for (std::size_t n = 0; n < static_cast<std::size_t>(count); ++n) {
        const auto port = entry(facts.ports, n);
        auto made = connect_to(
            {entry(facts.hosts, n), entry(facts.addresses, n), port.empty() ? "5432" : port},
            facts.settings, options);
        if (made || made.error().fault == Fault::config) return made;
        if (!failure) failure = std::move(made).error();
        else failure->what += "; " + made.error().what;
    }
    return *std::move(failure);
}

auto Connection::connect_to(const Host& host, const std::string& settings,
                            const ConnectOptions& options) -> Result<Connection> {
    // What comes before dbname the URI may override: how soon a dead peer is noticed, and that of
    // several hosts the primary is meant. An empty value is none.
    const std::array<const char*, 14> names = {"keepalives_idle",
                                               "keepalives_interval",
                                               "keepalives_count",
                                               "tcp_user_timeout",
                                               "target_session_attrs",
                                               "dbname",
                                               "host",
                                               "hostaddr",
                                               "port",
                                               "application_name",
                                               "client_encoding",
                                               "options",
                                               "replication",
                                               nullptr};
    const std::array<const char*, 14> values = {"30",
                                                "10",
                                                "3",
                                                "60000",
                                                host.port.empty() ? "any" : "primary",
                                                options.uri.c_str(),
                                                host.name.c_str(),
                                                host.address.c_str(),
                                                host.port.c_str(),
                                                options.application_name.c_str(),
                                                "UTF8",
                                                settings.c_str(),
                                                options.replication ? "database" : "false",
                                                nullptr};
    Connection made(PQconnectStartParams(names.data(), values.data(), 1));
    if (made.raw() == nullptr)
        return Error{Fault::retry, "cannot connect: out of memory", "", "postgres"};
    PQsetErrorVerbosity(made.raw(), PQERRORS_VERBOSE);
    if (PQstatus(made.raw()) == CONNECTION_BAD) return connect_error(made.raw());
    TRY(finish_connecting(made.raw(), options.timeout));
    PQsetNoticeProcessor(
        made.raw(), [](void*, const char*) {}, nullptr);
    return made;
}

auto Connection::query(const std::string& sql, const std::vector<std::string>& parameters)
    -> Result<Rows> {
    PGresult* answer = nullptr;
    if (parameters.empty()) {
        answer = PQexec(raw(), sql.c_str());
    } else {
        std::vector<const char*> values;
        values.reserve(parameters.size());
        for (const auto& parameter : parameters) values.push_back(parameter.c_str());
        answer = PQexecParams(raw(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                              values.data(), nullptr, nullptr, 0);
    }
    Rows rows(answer);
    if (!succeeded(answer)) return result_error(raw(), answer, first_line(sql).substr(0, 60));
    return rows;
}

auto Connection::query_patiently(const std::string& sql, const std::stop_token& stop,
                                 const std::function<void()>& while_waiting) -> Result<Rows> {
    const auto doing = first_line(sql).substr(0, 60);
    if (PQsendQuery(raw(), sql.c_str()) == 0) return failure(doing);
    bool cancelled = false;
    int waited_ms = 0;
    while (PQisBusy(raw()) != 0) {
        constexpr int tick_ms = 100;
        if (wait_for_socket(raw(), POLLIN, tick_ms) > 0) {
            if (PQconsumeInput(raw()) == 0) return failure(doing);
            continue;
        }
        waited_ms += tick_ms;
        if (stop.stop_requested() && !std::exchange(cancelled, true)) {
            std::array<char, 256> ignored{};
            auto* cancel = PQgetCancel(raw());
            PQcancel(cancel, ignored.data(), static_cast<int>(ignored.size()));
            PQfreeCancel(cancel);
        }
        if (waited_ms % 1000 == 0 && while_waiting) while_waiting();
    }
    auto* answer = PQgetResult(raw());
    Rows rows(answer);
    if (!succeeded(answer)) {
        auto error = result_error(raw(), answer, doing);
        while (auto* rest = PQgetResult(raw())) PQclear(rest);
        if (cancelled) return Error{Fault::retry, "stopped", "", "postgres"};
        return error;
    }
    if (PQresultStatus(answer) != PGRES_COPY_BOTH)
        while (auto* rest = PQgetResult(raw())) PQclear(rest);
    return rows;
}

auto Connection::query_within(const std::string& sql, Duration within, const std::stop_token& stop)
    -> Result<Rows> {
    const auto doing = first_line(sql).substr(0, 60);
    const auto deadline = std::chrono::steady_clock::now() + within;
    if (PQsendQuery(raw(), sql.c_str()) == 0) return failure(doing);
    while (PQisBusy(raw()) != 0) {
        constexpr int tick_ms = 100;
        if (wait_for_socket(raw(), POLLIN, tick_ms) > 0) {
            if (PQconsumeInput(raw()) == 0) return failure(doing);
            continue;
        }
        if (stop.stop_requested()) return Error{Fault::retry, "stopped", "", "postgres"};
        if (std::chrono::steady_clock::now() >= deadline)
            return Error{Fault::retry, "server does not answer",
                         "Look whether it is overloaded, stopped, or cut off by the network.",
                         "postgres", Code::pg_unreachable};
    }
    auto* answer = PQgetResult(raw());
    Rows rows(answer);
    if (!succeeded(answer)) return result_error(raw(), answer, doing);
    while (auto* rest = PQgetResult(raw())) PQclear(rest);
    return rows;
}

auto Connection::start_copy(const std::string& sql) -> Result<void> {
    const Rows rows = TRY(query(sql));
    return {};
}

auto Connection::copied() -> Result<std::optional<std::string_view>> {
    char* data = nullptr;
    const int size = PQgetCopyData(raw(), &data, 0);
    copy_buffer_.reset(data);
    if (size > 0) return std::optional(std::string_view(data, static_cast<std::size_t>(size)));
    if (size < -1) return failure("COPY");
    auto* answer = PQgetResult(raw());
    const Rows owner(answer);
    if (answer == nullptr || !succeeded(answer)) {
        auto error = result_error(raw(), answer, "COPY");
        while (auto* rest = PQgetResult(raw())) PQclear(rest);
        return error;
    }
    while (auto* rest = PQgetResult(raw())) PQclear(rest);
    return std::optional<std::string_view>();
}

auto Connection::server_version() const -> int {
    return PQserverVersion(connection_.get());
}

auto Connection::backend_pid() const -> int {
    return PQbackendPID(connection_.get());
}

auto Connection::answer(pg_result* result, std::string_view doing) -> Result<Rows> {
    Rows rows(result);
    if (result == nullptr || !succeeded(result)) return result_error(raw(), result, doing);
    return rows;
}

auto Connection::failure(std::string_view doing) const -> Error {
    return make_error(doing, "", PQerrorMessage(connection_.get()));
}

auto quote_name(std::string_view name) -> std::string {
    std::string quoted = "\"";
    for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

auto quote_text(std::string_view text) -> std::string {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    return quoted + "'";
}

auto sqlstate(const Error& error) -> std::string_view {
    constexpr std::string_view mark = "SQLSTATE ";
    const auto at = std::string_view(error.context).find(mark);
    return at == std::string_view::npos ? std::string_view{}
                                        : std::string_view(error.context).substr(at + mark.size());
}

}  // namespace leat::postgres
