// libmongoc behind mongodb_client.hpp.
#include "simulate/mongodb_client.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include "simulate/bson_document.hpp"

namespace leat::simulate {

namespace {

constexpr std::int32_t answer_ms_max = 10'000;
constexpr std::int64_t with_post_images = 17;  // the wire version of 6.0

// Once for the process, and without its log: what goes wrong comes back from the calls.
auto start_library() -> void {
    static std::once_flag started;
    std::call_once(started, [] {
        mongoc_init();
        mongoc_log_set_handler(nullptr, nullptr);
    });
}

auto wire_version(mongoc_client_t& client) -> std::int64_t {
    const std::unique_ptr<mongoc_server_description_t, decltype(&mongoc_server_description_destroy)>
        server(mongoc_client_select_server(&client, true, nullptr, nullptr),
               &mongoc_server_description_destroy);
    bson_iter_t at;
    if (server == nullptr ||
        !bson_iter_init_find(&at, mongoc_server_description_hello_response(server.get()),
                             "maxWireVersion"))
        return 0;
    return bson_iter_as_int64(&at);
}

}  // namespace

auto connect_mongodb(const std::string& uri, const std::string& default_database)
    -> Result<MongoConnection> {
    start_library();
    bson_error_t error;  // may quote the URI with its password: not shown
    const std::unique_ptr<mongoc_uri_t, decltype(&mongoc_uri_destroy)> parsed(
        mongoc_uri_new_with_error(uri.c_str(), &error), &mongoc_uri_destroy);
    if (parsed == nullptr)
        return Error{Fault::config, "not a MongoDB connection string",
                     "Write mongodb://user:password@host:port/database, with special characters of "
                     "the password as %40 and so on.",
                     "mongodb", Code::run_argument};
    if (mongoc_uri_get_option_as_int32(parsed.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 0) == 0)
        mongoc_uri_set_option_as_int32(parsed.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS,
                                       answer_ms_max);
    // The server's own default waits for a majority, after every write.
    if (mongoc_write_concern_is_default(mongoc_uri_get_write_concern(parsed.get()))) {
        const std::unique_ptr<mongoc_write_concern_t, decltype(&mongoc_write_concern_destroy)> one(
            mongoc_write_concern_new(), &mongoc_write_concern_destroy);
        mongoc_write_concern_set_w(one.get(), 1);
        mongoc_uri_set_write_concern(parsed.get(), one.get());
    }
    mongoc_uri_set_option_as_bool(parsed.get(), MONGOC_URI_SERVERSELECTIONTRYONCE, false);
    mongoc_uri_set_appname(parsed.get(), "leat simulate");
    const auto* const named = mongoc_uri_get_database(parsed.get());
    MongoConnection made{MongoClient(mongoc_client_new_from_uri_with_error(parsed.get(), &error),
                                     &mongoc_client_destroy),
                         named == nullptr ? default_database : named, false};
    if (made.client == nullptr) return mongodb_error(error, "cannot connect");
    const auto ping = bson_of({{"ping", value(1)}});
    if (!mongoc_client_command_simple(made.client.get(), made.database.c_str(), ping.get(), nullptr,
                                      nullptr, &error))
        return mongodb_error(error, "cannot connect");
    made.post_images = wire_version(*made.client) >= with_post_images;
    return made;
}

// What concurrent clients may do to each other.
auto is_conflict(const bson_error_t& error) -> bool {
    constexpr std::array<std::uint32_t, 12> codes = {
        24,     // LockTimeout
        26,     // NamespaceNotFound
        48,     // NamespaceExists
        112,    // WriteConflict
        117,    // ConflictingOperationInProgress
        175,    // QueryPlanKilled
        215,    // DatabaseDropPending
        225,    // TransactionTooOld
        246,    // SnapshotUnavailable
        251,    // NoSuchTransaction
        263,    // OperationNotSupportedInTransaction, where a collection has just gone
        11000,  // DuplicateKey
    };
    return error.domain != MONGOC_ERROR_STREAM && error.domain != MONGOC_ERROR_SERVER_SELECTION &&
           std::find(codes.begin(), codes.end(), error.code) != codes.end();
}

auto mongodb_error(const bson_error_t& error, std::string_view doing) -> Error {
    constexpr std::uint32_t unauthorized = 13;
    constexpr std::uint32_t authentication_failed = 18;
    Error made{is_conflict(error) ? Fault::retry : Fault::config,
               std::string(doing) + ": " + error.message, "", "mongodb", Code::simulate_server};
    if (error.code == authentication_failed || error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE)
        made.hint =
            "Correct user and password in the URI, and authSource where the user is not of "
            "its database.";
    else if (error.code == unauthorized)
        made.hint = "Grant the role readWrite on the database, for the mix nasty also dbAdmin.";
    else if (error.domain == MONGOC_ERROR_SERVER_SELECTION || error.domain == MONGOC_ERROR_STREAM)
        made.hint = "Start the server, or correct host and port in the URI.";
    return made;
}

}  // namespace leat::simulate
