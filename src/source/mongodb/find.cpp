// find and getMore.
#include "source/mongodb/find.hpp"

#include <algorithm>

namespace leat::mongodb {

namespace {

auto no_cursor() -> Error {
    return {Fault::fatal, "the server's answer holds no cursor", "Report this with its version.",
            "mongodb find", Code::mongo_stream};
}

// `cursor`: to read on; 0: all was there.
struct Answer {
    std::int64_t cursor = 0;
    std::int64_t documents = 0;
    std::int64_t bytes = 0;
};

auto hand_over(const Reply& reply, std::string_view batch_name, const DocumentReceiver& receive)
    -> Result<Answer> {
    const auto cursor = reply.document("cursor");
    const auto batch = bson::find(cursor, batch_name);
    const auto id = bson::find(cursor, "id");
    if (!batch || batch->type != bson::Type::array || !id) return no_cursor();
    Answer answer{.cursor = bson::whole_number(*id).value_or(0)};
    bson::Reader reader(bson::as_document(*batch));
    for (bson::Element item; reader.next(item);) {
        if (item.type != bson::Type::document) return no_cursor();
        ++answer.documents;
        answer.bytes += static_cast<std::int64_t>(item.value.size());
        TRY(receive(bson::as_document(item)));
    }
    if (!reader.ok()) return no_cursor();
    return answer;
}

// The server would fill 16 MB, which are out of the processor's caches before they are looked at.
auto next_documents(const Answer& last) -> std::int64_t {
    constexpr std::int64_t bytes_at_once = 2 << 20;
    const auto each =
        std::max(last.bytes / std::max(last.documents, std::int64_t{1}), std::int64_t{1});
    return std::max(bytes_at_once / each, std::int64_t{1});
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
    auto answer = TRY(hand_over(reply, "firstBatch", receive));
    while (answer.cursor != 0) {
        Document more;
        more.add("getMore", answer.cursor)
            .add("collection", request.collection)
            .add("batchSize", next_documents(answer));
        reply = TRY(connection.command(request.database, more));
        answer = TRY(hand_over(reply, "nextBatch", receive));
    }
    return {};
}

}  // namespace leat::mongodb
