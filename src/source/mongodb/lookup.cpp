// One find per batch of keys.
#include "source/mongodb/lookup.hpp"

#include "base/failpoint.hpp"
#include "source/mongodb/event.hpp"
#include "source/mongodb/find.hpp"

namespace leat::mongodb {

auto key_bytes(const bson::Element& id) -> std::string {
    std::string bytes(1, static_cast<char>(id.type));
    bytes += id.value;
    return bytes;
}

auto DocumentLookup::fetch(const LookupRequest& request) -> Result<Documents> {
    if (!connection_) connection_ = TRY(Connection::connect(options_));
    ArrayBuilder ids;
    for (const auto& id : request.ids) ids.add(id);
    FindRequest find{request.database, request.collection, {}, to_timestamp(request.after)};
    find.options.add("filter", Document().add("_id", Document().add_array("$in", ids.items())));
    Documents documents;
    const auto found = find_all(*connection_, find, [&](std::string_view document) -> Result<void> {
        if (const auto id = bson::find(document, "_id"))
            documents[key_bytes(*id)] = std::string(document);
        return {};
    });
    if (!found) {
        connection_.reset();
        return found.error();
    }
    failpoint("mongodb.looked_up");
    return documents;
}

}  // namespace leat::mongodb
