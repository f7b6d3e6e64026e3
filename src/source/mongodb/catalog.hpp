// What collections there are, and what `source.collections` means of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "change/table_name.hpp"
#include "source/mongodb/client.hpp"

namespace leat::mongodb {

// A namespace as the server writes it: the database ends at the first dot. Collections of the URI's
// database are known by an empty schema, so that sinks call them by their name alone.
auto parse_collection_name(std::string_view text, const std::string& default_database) -> TableName;
auto database_of(const TableName& table, const std::string& default_database) -> std::string;

struct CatalogCollection {
    TableName name;
    std::string type;         // "collection", "view", "timeseries"
    bool has_images = false;  // changeStreamPreAndPostImages is enabled
};

// Of these databases, the system's own left out.
auto list_collections(Connection& connection, const std::vector<std::string>& databases,
                      const std::string& default_database)
    -> Result<std::vector<CatalogCollection>>;

auto list_databases(Connection& connection) -> Result<std::vector<std::string>>;

struct CollectionSize {
    std::int64_t documents = 0;
    std::int64_t bytes = 0;  // uncompressed
};
auto size_of(Connection& connection, const std::string& database, const std::string& collection)
    -> Result<CollectionSize>;

}  // namespace leat::mongodb
