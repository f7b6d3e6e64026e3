// listCollections and its kin.
#include "source/mongodb/catalog.hpp"

#include "source/mongodb/server_error.hpp"

namespace leat::mongodb {

namespace {

auto is_system(std::string_view name) -> bool {
    return name.starts_with("system.");
}

auto list_of_database(Connection& connection, const std::string& database,
                      const std::string& default_database, std::vector<CatalogCollection>& found)
    -> Result<void> {
    Document list;
    list.add("listCollections", 1).add("authorizedCollections", true).add("nameOnly", false);
    // One batch: 16 MB hold a hundred thousand names.
    constexpr std::int64_t all_at_once = 100'000;
    list.add("cursor", Document().add("batchSize", all_at_once));
    const auto reply = TRY(connection.command(database, list));
    const auto batch = bson::find(reply.document("cursor"), "firstBatch");
    if (!batch || batch->type != bson::Type::array) return {};
    bson::Reader reader(bson::as_document(*batch));
    for (bson::Element item; reader.next(item);) {
        if (item.type != bson::Type::document) continue;
        const auto entry = bson::as_document(item);
        const auto name = text_at(entry, "name");
        if (is_system(name)) continue;
        CatalogCollection one;
        one.name = {database == default_database ? "" : database, name};
        one.type = text_at(entry, "type");
        const auto images =
            document_at(document_at(entry, "options"), "changeStreamPreAndPostImages");
        one.has_images = truth_at(images, "enabled");
        found.push_back(std::move(one));
    }
    return {};
}

}  // namespace

auto parse_collection_name(std::string_view name, const std::string& default_database)
    -> TableName {
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return {"", std::string(name)};
    const auto database = name.substr(0, dot);
    return {database == default_database ? "" : std::string(database),
            std::string(name.substr(dot + 1))};
}

auto database_of(const TableName& table, const std::string& default_database) -> std::string {
    return table.schema.empty() ? default_database : table.schema;
}

auto list_collections(Connection& connection, const std::vector<std::string>& databases,
                      const std::string& default_database)
    -> Result<std::vector<CatalogCollection>> {
    std::vector<CatalogCollection> found;
    for (const auto& database : databases)
        TRY(list_of_database(connection, database, default_database, found));
    return found;
}

auto list_databases(Connection& connection) -> Result<std::vector<std::string>> {
    Document list;
    list.add("listDatabases", 1).add("nameOnly", true);
    const auto reply = TRY(connection.command("admin", list));
    std::vector<std::string> names;
    bson::Reader reader(reply.document("databases"));
    for (bson::Element item; reader.next(item);) {
        if (item.type != bson::Type::document) continue;
        auto name = text_at(bson::as_document(item), "name");
        if (name != "admin" && name != "local" && name != "config")
            names.push_back(std::move(name));
    }
    return names;
}

// A collection that does not exist is empty.
auto size_of(Connection& connection, const std::string& database, const std::string& collection)
    -> Result<CollectionSize> {
    const auto reply = connection.command(database, Document().add("collStats", collection));
    if (!reply) {
        if (server_code(reply.error()) == code_not_found) return CollectionSize{};
        return reply.error();
    }
    return CollectionSize{reply->number("count"), reply->number("size")};
}

}  // namespace leat::mongodb
