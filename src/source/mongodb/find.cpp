// find and getMore.
#include "source/mongodb/find.hpp"

namespace leat::mongodb {

namespace {

auto no_cursor() -> Error {
    return {Fault::fatal, "the server's answer holds no cursor", "Report this with its version.",
            "mongodb find", Code::mongo_stream};
}

// Yields the cursor to read on; 0: all was there.
auto hand_over(const Reply& reply, std::string_view batch_name, const DocumentReceiver& receive)
    -> Result<std::int64_t> {
    const auto cursor = reply.document("cursor");
    const auto batch = bson::find(cursor, batch_name);
    const auto id = bson::find(cursor, "id");
    if (!batch || batch->type != bson::Type::array || !id) return no_cursor();
    bson::Reader reader(bson::as_document(*batch));
    for (bson::Element item; reader.next(item);) {
        if (item.type != bson::Type::document) return no_cursor();
        TRY(receive(bson::as_document(item)));
    }
    if (!reader.ok()) return no_cursor();
    return bson::whole_number(*id).value_or(0);
}

}  // namespace

auto find_all(Connection& connection, const FindRequest& request, const DocumentReceiver& receive)
    -> Result<void> {
    Document find;
    find.add("find", request.collection);
    bson::Reader options(request.options.bytes());
    for (bson::Element option; options.next(option);) find.add(option.name, option);
    Document concern;
    concern.add("level", "majority");
    if (request.after != bson::Timestamp{}) concern.add("afterClusterTime", request.after);
    find.add("readConcern", concern);
    auto reply = TRY(connection.command(request.database, find));
    auto cursor = TRY(hand_over(reply, "firstBatch", receive));
    while (cursor != 0) {
        Document more;
        more.add("getMore", cursor).add("collection", request.collection);
        reply = TRY(connection.command(request.database, more));
        cursor = TRY(hand_over(reply, "nextBatch", receive));
    }
    return {};
}

}  // namespace leat::mongodb
