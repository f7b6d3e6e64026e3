// A `find` and what follows of it, batch by batch.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "source/mongodb/client.hpp"

namespace leat::mongodb {

struct FindRequest {
    std::string database;
    std::string collection;
    Document options;         // filter, min, max, hint, sort, limit, projection
    bson::Timestamp after{};  // cluster time that the read is not older than; zero: any
};

// Called with each document, good for the call alone; its error ends the read.
using DocumentReceiver = std::function<Result<void>(std::string_view)>;

// Majority read. A collection that does not exist has no documents.
auto find_all(Connection& connection, const FindRequest& request, const DocumentReceiver& receive)
    -> Result<void>;

}  // namespace leat::mongodb
