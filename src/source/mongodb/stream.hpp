// ChangeStream: a change stream by raw commands: `aggregate` with $changeStream, then `getMore` of
// the same server and session. One thread. Protocol: MongoDB's change streams specification.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "source/mongodb/client.hpp"

namespace leat::mongodb {

// Where a stream begins: behind a resume token, or with the first change of a cluster time.
struct StreamStart {
    std::string token;  // a document; empty: `time` says it
    bson::Timestamp time{};
};

struct StreamRequest {
    std::string database;  // empty: the whole deployment
    Document match;        // of events; empty: all
    StreamStart start;
};

// One batch, in the order of the stream. `events`: an array of documents; views of `reply`.
// `token`: stands behind the last event, or, where `events` is empty, behind all that the server
// has looked at. An empty batch also says that nothing more was there.
struct StreamReply {
    Reply reply;
    std::string_view events;
    std::string_view token;
    bool is_empty = true;
    bool has_ended = false;  // the server has closed the cursor: behind an invalidate
};

class ChangeStream {
public:
    // The server's refusals as they are: history lost and foreign tokens are fatal.
    static auto open(Connection connection, const StreamRequest& request) -> Result<ChangeStream>;

    // Waits for an event, at most that long (the first batch is there already).
    auto next(std::chrono::milliseconds wait) -> Result<StreamReply>;

private:
    explicit ChangeStream(Connection connection) : connection_(std::move(connection)) {}
    auto take(Reply reply, std::string_view batch_name) -> Result<StreamReply>;
    auto adjust_to(std::size_t reply_bytes) -> void;

    Connection connection_;
    std::string database_;
    std::string collection_;  // as the cursor names it
    std::int64_t cursor_ = 0;
    std::int64_t events_at_once_ = 1024;
    std::optional<StreamReply> first_;
};

}  // namespace leat::mongodb
