// DocumentLookup: reads documents by `_id`, for updates that come without their document. One
// thread, a connection of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "base/result.hpp"
#include "source/mongodb/client.hpp"

namespace leat::mongodb {

// The type and the bytes of an `_id`: one text per key.
auto key_bytes(const bson::Element& id) -> std::string;

// Documents by key_bytes() of their `_id`.
using Documents = std::unordered_map<std::string, std::string>;

struct LookupRequest {
    std::string database;
    std::string collection;
    std::span<const bson::Element> ids;  // each once
    std::uint64_t after = 0;  // cluster time: what is read is not older, and a majority has it
};

class DocumentLookup {
public:
    explicit DocumentLookup(ConnectOptions options) : options_(std::move(options)) {}

    // What is not among the answers does not exist any more.
    auto fetch(const LookupRequest& request) -> Result<Documents>;

private:
    const ConnectOptions options_;
    std::optional<Connection> connection_;
};

}  // namespace leat::mongodb
