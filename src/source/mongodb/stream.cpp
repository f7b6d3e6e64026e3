// Commands and batches of a change stream.
#include "source/mongodb/stream.hpp"

#include <algorithm>
#include <utility>

#include "source/mongodb/server_error.hpp"

namespace leat::mongodb {

namespace {

auto stage(std::string_view name, const Document& options) -> Document {
    return Document().add(name, options);
}

auto stages(const Connection& connection, const StreamRequest& request) -> ArrayBuilder {
    Document stream;
    // Without images the server would refuse nothing and send no document: before 6.0 there are
    // none.
    if (connection.facts().is_at_least(6, 0)) stream.add("fullDocument", "whenAvailable");
    if (request.database.empty()) stream.add("allChangesForCluster", true);
    // Behind an invalidate only startAfter works; everywhere else both are the same.
    if (!request.start.token.empty()) stream.add("startAfter", Document(request.start.token));
    else stream.add("startAtOperationTime", request.start.time);
    ArrayBuilder pipeline;
    pipeline.add(stage("$changeStream", stream));
    if (!request.match.is_empty()) pipeline.add(stage("$match", request.match));
    // It must be the last one.
    if (connection.facts().is_at_least(6, 0, 9))
        pipeline.add(stage("$changeStreamSplitLargeEvent", Document()));
    return pipeline;
}

auto no_cursor() -> Error {
    return {Fault::fatal, "the server's answer holds no cursor", "Report this with its version.",
            "mongodb stream", Code::mongo_stream};
}

}  // namespace

auto ChangeStream::open(Connection connection, const StreamRequest& request)
    -> Result<ChangeStream> {
    ChangeStream made(std::move(connection));
    made.database_ = request.database.empty() ? "admin" : request.database;
    Document aggregate;
    aggregate.add("aggregate", 1)
        .add_array("pipeline", stages(made.connection_, request).items())
        .add("cursor", Document())
        .add("readConcern", Document().add("level", "majority"));
    auto answer = made.connection_.command(made.database_, aggregate);
    if (!answer && !request.start.token.empty() && is_bad_token(answer.error()))
        return bad_token(answer.error());
    auto reply = TRY(std::move(answer));
    const auto cursor = reply.document("cursor");
    const auto id = bson::find(cursor, "id");
    const auto ns = bson::find(cursor, "ns");
    if (!id || !ns || ns->type != bson::Type::string) return no_cursor();
    made.cursor_ = bson::whole_number(*id).value_or(0);
    const auto full_name = bson::as_text(*ns);
    made.collection_ = full_name.substr(full_name.find('.') + 1);
    made.first_ = TRY(made.take(std::move(reply), "firstBatch"));
    return made;
}

auto ChangeStream::next(std::chrono::milliseconds wait) -> Result<StreamReply> {
    if (first_) return *std::exchange(first_, std::nullopt);
    Document more;
    more.add("getMore", cursor_)
        .add("collection", collection_)
        .add("batchSize", events_at_once_)
        .add("maxTimeMS", static_cast<std::int64_t>(wait.count()));
    auto reply = TRY(connection_.command(database_, more));
    adjust_to(reply.bytes().size());
    return take(std::move(reply), "nextBatch");
}

// Some MB at a time: the server's 16 would be out of the caches before they are looked at.
auto ChangeStream::adjust_to(std::size_t reply_bytes) -> void {
    constexpr std::size_t few = 1U << 20U;
    constexpr std::size_t many = 4U << 20U;
    constexpr std::int64_t events_min = 16;
    constexpr std::int64_t events_max = 16'384;
    if (reply_bytes > many) events_at_once_ = std::max(events_at_once_ / 2, events_min);
    if (reply_bytes < few) events_at_once_ = std::min(events_at_once_ * 2, events_max);
}

auto ChangeStream::take(Reply reply, std::string_view batch_name) -> Result<StreamReply> {
    StreamReply taken;
    taken.reply = std::move(reply);
    const auto cursor = taken.reply.document("cursor");
    const auto batch = bson::find(cursor, batch_name);
    const auto id = bson::find(cursor, "id");
    const auto token = bson::find(cursor, "postBatchResumeToken");
    if (!batch || batch->type != bson::Type::array || !id) return no_cursor();
    taken.events = bson::as_document(*batch);
    if (token && token->type == bson::Type::document) taken.token = bson::as_document(*token);
    taken.has_ended = bson::whole_number(*id).value_or(0) == 0;
    bson::Element first;
    taken.is_empty = !bson::Reader(taken.events).next(first);
    return taken;
}

}  // namespace leat::mongodb
