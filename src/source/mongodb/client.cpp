// Connecting, asking, and what an answer that is none means.
#include "source/mongodb/client.hpp"

#include <mongoc/mongoc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "base/check.hpp"
#include "source/mongodb/server_error.hpp"

namespace leat::mongodb {

namespace {

// Once for the process. Its own log lines would go to stderr beside ours.
auto initialise() -> void {
    static std::once_flag once;
    std::call_once(once, [] {
        mongoc_log_set_handler([](mongoc_log_level_t, const char*, const char*, void*) {}, nullptr);
        mongoc_init();
    });
}

struct UriDestroyer {
    auto operator()(mongoc_uri_t* uri) const -> void { mongoc_uri_destroy(uri); }
};
using Uri = std::unique_ptr<mongoc_uri_t, UriDestroyer>;

auto parse_uri(const std::string& text) -> Result<Uri> {
    initialise();
    bson_error_t error;
    Uri uri(mongoc_uri_new_with_error(text.c_str(), &error));
    // The library's own words may repeat a part of the URI, a password for one.
    if (!uri)
        return Error{Fault::config, "source.uri is not a MongoDB connection string",
                     "Write it as mongodb://user:password@host:port/database?replicaSet=name, with "
                     "reserved letters of the password as %XX.",
                     "mongodb", Code::mongo_uri};
    return uri;
}

// A seed list whose name server cannot tell at the moment is told from one that does not exist in
// words only.
auto no_client(const bson_error_t& error) -> Error {
    const std::string_view message = error.message;
    if (message.find("temporary error") != std::string_view::npos)
        return {Fault::retry, "the server is not reachable: " + std::string(message),
                "Look whether this host's name server answers.", "mongodb",
                Code::mongo_unreachable};
    return {Fault::config, "source.uri cannot be used: " + std::string(message),
            "Correct source.uri.", "mongodb", Code::mongo_uri};
}

auto timestamp(std::optional<bson::Element> element) -> bson::Timestamp {
    return element && element->type == bson::Type::timestamp ? bson::as_timestamp(*element)
                                                             : bson::Timestamp{};
}

auto is_after(bson::Timestamp a, bson::Timestamp b) -> bool {
    return a.seconds != b.seconds ? a.seconds > b.seconds : a.increment > b.increment;
}

}  // namespace

auto database_of(const std::string& uri) -> Result<std::string> {
    const auto parsed = TRY(parse_uri(uri));
    const char* const name = mongoc_uri_get_database(parsed.get());
    return std::string(name == nullptr ? "" : name);
}

Reply::Reply() : held_(std::make_unique<Held>()) {}

auto Reply::bytes() const -> std::string_view {
    return {reinterpret_cast<const char*>(bson_get_data(&held_->bson)), held_->bson.len};
}

auto ServerFacts::is_at_least(int major, int minor, int patch) const -> bool {
    return std::array{version_major, version_minor, version_patch} >=
           std::array{major, minor, patch};
}

auto Connection::ClientDestroyer::operator()(_mongoc_client_t* client) const -> void {
    mongoc_client_destroy(client);
}

auto Connection::SessionDestroyer::operator()(_mongoc_client_session_t* session) const -> void {
    mongoc_client_session_destroy(session);
}

auto Connection::operator=(Connection&& other) noexcept -> Connection& {
    session_ = std::move(other.session_);
    client_ = std::move(other.client_);
    server_id_ = other.server_id_;
    operation_time_ = other.operation_time_;
    facts_ = std::move(other.facts_);
    return *this;
}

auto Connection::connect(const ConnectOptions& options) -> Result<Connection> {
    const auto uri = TRY(parse_uri(options.uri));
    const auto timeout = static_cast<std::int32_t>(options.timeout.count());
    mongoc_uri_set_option_as_bool(uri.get(), MONGOC_URI_SERVERSELECTIONTRYONCE, false);
    for (const auto* const limit :
         {MONGOC_URI_SERVERSELECTIONTIMEOUTMS, MONGOC_URI_CONNECTTIMEOUTMS})
        if (!mongoc_uri_has_option(uri.get(), limit))
            mongoc_uri_set_option_as_int32(uri.get(), limit, timeout);
    if (!mongoc_uri_has_option(uri.get(), MONGOC_URI_SOCKETTIMEOUTMS))
        mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_SOCKETTIMEOUTMS,
                                       static_cast<std::int32_t>(options.answer.count()));
    bson_error_t error;
    Connection made;
    made.client_.reset(mongoc_client_new_from_uri_with_error(uri.get(), &error));
    if (!made.client_) return no_client(error);
    mongoc_client_set_error_api(made.client_.get(), MONGOC_ERROR_API_VERSION_2);
    mongoc_client_set_appname(made.client_.get(), options.application_name.c_str());
    TRY(made.choose_server());
    made.session_.reset(mongoc_client_start_session(made.client_.get(), nullptr, &error));
    if (!made.session_) return error_of(error, {});
    return made;
}

auto Connection::choose_server() -> Result<void> {
    bson_error_t error;
    mongoc_server_description_t* const server = mongoc_client_select_server(
        client_.get(), false, mongoc_client_get_read_prefs(client_.get()), &error);
    if (server == nullptr) return error_of(error, {});
    server_id_ = mongoc_server_description_id(server);
    mongoc_server_description_destroy(server);

    const auto hello = TRY(command("admin", Document().add("hello", 1)));
    facts_.replica_set = hello.text("setName");
    facts_.is_router = hello.text("msg") == "isdbgrid";
    facts_.is_primary = hello.truth("isWritablePrimary");
    const auto build = TRY(command("admin", Document().add("buildInfo", 1)));
    bson::Reader numbers(build.document("versionArray"));
    bson::Element number;
    for (int* const part : {&facts_.version_major, &facts_.version_minor, &facts_.version_patch})
        if (numbers.next(number)) *part = static_cast<int>(bson::whole_number(number).value_or(0));
    return {};
}

auto Connection::command(std::string_view database, const Document& command) -> Result<Reply> {
    bson_t options;
    bson_init(&options);
    BSON_APPEND_INT32(&options, "serverId", static_cast<std::int32_t>(server_id_));
    bson_error_t error;
    const bool has_session =
        session_ == nullptr || mongoc_client_session_append(session_.get(), &options, &error);
    Reply reply;
    // libmongoc makes the reply anew, also when it fails.
    bson_destroy(reply.raw());
    const bool done = has_session && mongoc_client_command_with_opts(
                                         client_.get(), std::string(database).c_str(),
                                         command.get(), mongoc_client_get_read_prefs(client_.get()),
                                         &options, reply.raw(), &error);
    if (!has_session) bson_init(reply.raw());
    bson_destroy(&options);
    if (!done) return error_of(error, reply.bytes());
    const auto time = timestamp(reply.find("operationTime"));
    if (is_after(time, operation_time_)) operation_time_ = time;
    return reply;
}

}  // namespace leat::mongodb
