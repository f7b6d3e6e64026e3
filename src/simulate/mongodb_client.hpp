// One libmongoc connection with its errors turned into ours. Nothing secret in any message. One
// thread at a time.
#pragma once

#include <mongoc/mongoc.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace leat::simulate {

using MongoClient = std::unique_ptr<mongoc_client_t, decltype(&mongoc_client_destroy)>;
using MongoDatabase = std::unique_ptr<mongoc_database_t, decltype(&mongoc_database_destroy)>;
using MongoCollection = std::unique_ptr<mongoc_collection_t, decltype(&mongoc_collection_destroy)>;
using MongoCursor = std::unique_ptr<mongoc_cursor_t, decltype(&mongoc_cursor_destroy)>;
using MongoBulk =
    std::unique_ptr<mongoc_bulk_operation_t, decltype(&mongoc_bulk_operation_destroy)>;
using MongoSession =
    std::unique_ptr<mongoc_client_session_t, decltype(&mongoc_client_session_destroy)>;

struct MongoConnection {
    MongoClient client;
    std::string database;  // the URI's, or else the default
    bool post_images;      // the server knows of them
};

// Has asked the server once. Writes are acknowledged by the primary alone (w: 1) unless the URI
// says otherwise.
auto connect_mongodb(const std::string& uri, const std::string& default_database)
    -> Result<MongoConnection>;

// To be retried: what other clients made impossible.
auto mongodb_error(const bson_error_t& error, std::string_view doing) -> Error;

}  // namespace leat::simulate
