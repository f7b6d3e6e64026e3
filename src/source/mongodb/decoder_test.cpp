// Batches of events into frames: transactions, tokens, lookups, split events.
#include "source/mongodb/decoder.hpp"

#include <gtest/gtest.h>

#include "source/mongodb/bson_fixture.hpp"

namespace leat::mongodb {
namespace {

using fixture::document;
using fixture::row_texts;
using Lines = std::vector<std::string>;

// A reply of the server as JSON of its events.
struct Feed {
    std::string events;
    std::uint32_t token_time = 0;  // 0: that of no token
};

auto token(std::uint32_t seconds, const std::string& rest = "2B0229296E04") -> std::string {
    char text[32];
    std::snprintf(text, sizeof text, "82%08X%08X", seconds, 1U);
    return R"({"_data": ")" + std::string(text) + rest + "\"}";
}

class Stream {
public:
    explicit Stream(std::size_t frame_bytes = 1U << 20U, UpdateMode mode = UpdateMode::document)
        : book_(*ShapeBook::open(folder_.path() / "shapes", {})) {
        DecoderOptions options;
        options.update_mode = mode;
        options.floor = commit_at(5);
        options.collections = {{{"", "orders"}, "shop", "orders", 0},
                               {{"", "late"}, "shop", "late", commit_at(50)}};
        options.look_up = [this](const LookupRequest& request) -> Result<Documents> {
            lookups_.push_back(request.ids.size());
            Documents found;
            for (const auto& id : request.ids) {
                const auto known = stored_.find(key_bytes(id));
                if (known != stored_.end()) found.insert(*known);
            }
            return found;
        };
        FrameOptions framing;
        framing.lineage = 1;
        framing.frame_bytes = frame_bytes;
        framing.token_of = [](std::string_view bytes) {
            const auto data = bson::find(bytes, "_data");
            return data ? std::string(bson::as_text(*data)) : std::string();
        };
        decoder_.emplace(std::move(options), FrameBuilder(std::move(framing), *book_, {}));
    }
    static auto commit_at(std::uint32_t seconds) -> std::uint64_t {
        return to_commit({seconds, 1});
    }

    // The document as a lookup finds it.
    auto store(const std::string& json) -> void {
        const auto bytes = document(json);
        stored_[key_bytes(*bson::find(bytes, "_id"))] = bytes;
    }
    auto feed(const Feed& feed) -> Result<void> {
        StreamReply reply;
        const auto events = document(R"({"e": [)" + feed.events + "]}");
        const auto resume = document(token(feed.token_time));
        reply.events = bson::as_document(*bson::find(events, "e"));
        if (feed.token_time > 0) reply.token = resume;
        reply.is_empty = feed.events.empty();
        return decoder_->feed(reply);
    }
    // "ends|first-last|token|rows" of each frame; "part" where the transaction goes on.
    auto frames() -> Lines {
        EXPECT_TRUE(decoder_->close_frame());
        Lines lines;
        while (auto frame = decoder_->take()) {
            std::string line = frame->ends_transaction ? "whole" : "part";
            line += " " + std::to_string(frame->first.commit >> 32U) + "." +
                    std::to_string(frame->first.ordinal) + "-" +
                    std::to_string(frame->last.commit >> 32U) + "." +
                    std::to_string(frame->last.ordinal);
            line += " behind " +
                    std::to_string(std::stoul(frame->last.token.substr(2, 8), nullptr, 16));
            for (const auto& row : row_texts(frame->batches)) line += " | " + row;
            lines.push_back(line);
        }
        return lines;
    }
    auto decoder() -> Decoder& { return *decoder_; }
    auto lookups() -> const std::vector<std::size_t>& { return lookups_; }

private:
    fixture::Folder folder_;
    std::unique_ptr<ShapeBook> book_;
    std::optional<Decoder> decoder_;
    Documents stored_;
    std::vector<std::size_t> lookups_;
};

auto event(const std::string& kind, std::uint32_t seconds, const std::string& more,
           const std::string& collection = "orders") -> std::string {
    return R"({"_id": )" + token(seconds, "2B022C0100296E") + R"(, "operationType": ")" + kind +
           R"(", "clusterTime": {"$timestamp": {"t": )" + std::to_string(seconds) +
           R"(, "i": 1}}, "ns": {"db": "shop", "coll": ")" + collection + "\"}" +
           (more.empty() ? "" : ", " + more) + "}";
}
auto insert(std::uint32_t seconds, int id, const std::string& more = "") -> std::string {
    const auto key = R"({"_id": )" + std::to_string(id) + "}";
    return event("insert", seconds,
                 R"("fullDocument": )" + key + R"(, "documentKey": )" + key + more);
}
auto change(const std::string& kind, std::uint32_t seconds, int id, const std::string& more = "")
    -> std::string {
    return event(kind, seconds, R"("documentKey": {"_id": )" + std::to_string(id) + "}" + more);
}
constexpr auto in_transaction = R"(, "lsid": {"id": 1}, "txnNumber": {"$numberLong": "1"})";

TEST(Decoder, EveryKindOfChange) {
    Stream stream;
    ASSERT_TRUE(stream.feed(
        {insert(10, 1) + "," + change("update", 11, 1, R"(, "fullDocument": {"_id": 1, "a": 2})") +
             "," + change("replace", 12, 1, R"(, "fullDocument": {"_id": 1, "a": 3})") + "," +
             change("delete", 13, 1) + "," + event("drop", 14, ""),
         20}));
    EXPECT_EQ(stream.frames(),
              Lines{"whole 10.0-14.0 behind 20 | I _id=1 | U _id=1 a=2 | R _id=1 a=3 | D _id=1 a=- "
                    "| T _id=- a=-"});
    EXPECT_EQ(stream.decoder().told().commit, Stream::commit_at(20));
}

TEST(Decoder, InsertsThatMayMeetARowOfAnImageReplaceIt) {
    Stream stream;
    stream.decoder().write_whole_until(Stream::commit_at(10));
    ASSERT_TRUE(stream.feed({insert(10, 1) + "," + insert(11, 2), 11}));
    EXPECT_EQ(stream.frames(), Lines{"whole 10.0-11.0 behind 11 | R _id=1 | I _id=2"});
}

TEST(Decoder, UpdatesAreLookedUpOncePerKeyAndBatch) {
    Stream stream;
    stream.store(R"({"_id": 1, "a": 9})");
    ASSERT_TRUE(stream.feed({change("update", 10, 1) + "," + change("update", 11, 2) + "," +
                                 change("update", 12, 1) + "," + change("delete", 13, 2),
                             13}));
    EXPECT_EQ(stream.lookups(), std::vector<std::size_t>{2});
    EXPECT_EQ(stream.frames(),
              Lines{"whole 10.0-13.0 behind 13 | U _id=1 a=9 | U _id=1 a=9 | D _id=2 a=-"});
    Frame told;
    stream.decoder().tell(told);
    ASSERT_EQ(told.passed_over.size(), 1U);
    EXPECT_EQ(told.passed_over[0].reason, "row_gone");
    EXPECT_EQ(told.passed_over[0].rows, 1);
    EXPECT_EQ(told.looked_up, (std::map<TableName, std::int64_t>{{{"", "orders"}, 2}}));
}

TEST(Decoder, DeltasWhereTheyAreWantedAndPlain) {
    Stream stream(1U << 20U, UpdateMode::delta);
    stream.store(R"({"_id": 1, "a": {"b": 7}})");
    ASSERT_TRUE(stream.feed(
        {insert(9, 1) + "," + change("update", 10, 1, R"(, "updateDescription": {"updatedFields":
                                     {"a": 1}, "removedFields": []})") +
             "," + change("update", 11, 1, R"(, "updateDescription": {"updatedFields":
                                     {"a.b": 7}, "removedFields": []})"),
         11}));
    EXPECT_EQ(stream.frames(), Lines{"whole 9.0-11.0 behind 11 | I _id=1 | U _id=1 a=1 | U _id=1 "
                                     R"(a={"b":7})"});
    // A row of an image may be newer than the change.
    stream.decoder().write_whole_until(Stream::commit_at(99));
    ASSERT_TRUE(stream.feed({change("update", 12, 1, R"(, "updateDescription": {"updatedFields":
                                 {"a": 1}})"),
                             12}));
    EXPECT_EQ(stream.frames(), Lines{R"(whole 12.0-12.0 behind 12 | U _id=1 a={"b":7})"});
}

TEST(Decoder, TransactionEndsWithTheNextTime) {
    Stream stream;
    ASSERT_TRUE(
        stream.feed({insert(10, 1, in_transaction) + "," + insert(10, 2, in_transaction), 10}));
    EXPECT_EQ(stream.frames(), Lines{});
    EXPECT_TRUE(stream.decoder().has_open());
    ASSERT_TRUE(stream.feed({insert(10, 3, in_transaction) + "," + insert(11, 4), 11}));
    EXPECT_EQ(stream.frames(),
              Lines{"whole 10.0-11.0 behind 11 | I _id=1 | I _id=2 | I _id=3 | I _id=4"});
}

TEST(Decoder, TransactionEndsWhereNothingMoreIsThere) {
    for (const auto& behind : {Feed{"", 10}, Feed{"", 12}}) {
        Stream stream;
        ASSERT_TRUE(stream.feed({insert(10, 1, in_transaction), 10}));
        EXPECT_EQ(stream.frames(), Lines{});
        ASSERT_TRUE(stream.feed(behind));
        EXPECT_FALSE(stream.decoder().has_open());
        EXPECT_EQ(stream.frames().size(), 1U);
    }
}

TEST(Decoder, LargeTransactionComesInPartsAndEndsInTheLast) {
    Stream stream(60);
    std::string events = insert(9, 0);
    for (int id = 1; id <= 5; ++id) events += "," + insert(10, id, in_transaction);
    ASSERT_TRUE(stream.feed({events, 10}));
    ASSERT_TRUE(stream.feed({"", 10}));
    const auto frames = stream.frames();
    ASSERT_GE(frames.size(), 3U);
    // Resuming behind what came before must not skip the transaction's beginning.
    EXPECT_EQ(frames[0], "whole 9.0-9.0 behind 9 | I _id=0");
    EXPECT_EQ(frames[1].substr(0, 4), "part");
    EXPECT_EQ(frames.back().substr(0, 5), "whole");
    std::string all;
    for (const auto& frame : frames) all += frame;
    for (int id = 0; id <= 5; ++id)
        EXPECT_NE(all.find("I _id=" + std::to_string(id)), std::string::npos) << id;
}

TEST(Decoder, TransactionThatFillsItsLastPartStillEnds) {
    for (int rows = 1; rows < 12; ++rows) {
        Stream stream(80);
        std::string events;
        for (int id = 1; id <= rows; ++id)
            events += (id == 1 ? "" : ",") + insert(10, id, in_transaction);
        ASSERT_TRUE(stream.feed({events + "," + insert(11, 99), 11}));
        const auto frames = stream.frames();
        ASSERT_FALSE(frames.empty());
        EXPECT_EQ(frames.back().substr(0, 5), "whole");
    }
}

TEST(Decoder, SplitEventsAreOneAgain) {
    Stream stream;
    const auto first = R"({"_id": )" + token(10, "2B04AA") +
                       R"(, "splitEvent": {"fragment": 1, "of": 2}, "operationType": "update",
        "clusterTime": {"$timestamp": {"t": 10, "i": 1}}, "ns": {"db": "shop", "coll": "orders"},
        "documentKey": {"_id": 1}})";
    const auto second =
        R"({"_id": )" + token(10, "2B04BB") +
        R"(, "splitEvent": {"fragment": 2, "of": 2}, "fullDocument": {"_id": 1, "a": 5}})";
    ASSERT_TRUE(stream.feed({insert(9, 3) + "," + first, 10}));
    EXPECT_EQ(stream.decoder().told().commit, 0U);
    ASSERT_TRUE(stream.feed({second + "," + insert(11, 2), 11}));
    EXPECT_EQ(stream.frames(),
              Lines{"whole 9.0-11.0 behind 11 | I _id=3 | U _id=1 a=5 | I _id=2 a=-"});
    EXPECT_TRUE(stream.lookups().empty());
}

TEST(Decoder, ChangesUpToTheFloorAreKnown) {
    Stream stream;
    ASSERT_TRUE(stream.feed({insert(4, 1) + "," + change("update", 5, 1) + "," + insert(6, 2), 6}));
    EXPECT_EQ(stream.frames(), Lines{"whole 6.0-6.0 behind 6 | I _id=2"});
    EXPECT_EQ(stream.lookups(), std::vector<std::size_t>{});
}

TEST(Decoder, ChangesBeforeAnImageThatIsToComeAreItsOwn) {
    Stream stream;
    ASSERT_TRUE(
        stream.feed({event("insert", 50, R"("fullDocument": {"_id": 1})", "late") + "," +
                         event("insert", 51, R"("fullDocument": {"_id": 2})", "late") + "," +
                         event("update", 50, R"("documentKey": {"_id": 1})", "late") + "," +
                         event("insert", 52, R"("fullDocument": {"_id": 3})", "other"),
                     52}));
    EXPECT_EQ(stream.frames(), Lines{"whole 51.0-51.0 behind 52 | I _id=2"});
    EXPECT_EQ(stream.lookups(), std::vector<std::size_t>{});
}

TEST(Decoder, RenamedAwayIsEmptiedAndRenamedOntoIsReadAnew) {
    Stream stream;
    ASSERT_TRUE(stream.feed(
        {insert(9, 1) + "," + event("rename", 10, R"("to": {"db": "shop", "coll": "elsewhere"})"),
         10}));
    EXPECT_EQ(stream.frames(), Lines{"whole 9.0-10.0 behind 10 | I _id=1 | T _id=-"});
    const auto onto =
        stream.feed({event("rename", 11, R"("to": {"db": "shop", "coll": "orders"})", "new"), 11});
    ASSERT_FALSE(onto);
    EXPECT_EQ(onto.error().fault, Fault::retry);
    EXPECT_EQ(stream.decoder().stale(), (std::set<TableName>{{"", "orders"}}));
}

TEST(Decoder, UnknownEventsArePassedOverAndCounted) {
    Stream stream;
    ASSERT_TRUE(stream.feed({event("reshardCollection", 10, ""), 10}));
    Frame told;
    stream.decoder().tell(told);
    ASSERT_EQ(told.passed_over.size(), 1U);
    EXPECT_EQ(told.passed_over[0].reason, "event_type");
}

// Events may still come at the very time at which a stream begins.
TEST(Decoder, FirstTokenOfAnEmptyBatchIsNotBelieved) {
    Stream stream;
    ASSERT_TRUE(stream.feed({"", 10}));
    EXPECT_EQ(stream.decoder().told().commit, 0U);
    ASSERT_TRUE(stream.feed({"", 10}));
    EXPECT_EQ(stream.decoder().told().commit, Stream::commit_at(10));
}

TEST(Decoder, WhatIsNoEventIsAnError) {
    Stream stream;
    for (const auto* const event : {"{}", R"({"_id": {"_data": "82"}})", R"({"_id": 1})"})
        EXPECT_FALSE(stream.feed({event, 1})) << event;
}

TEST(Token, TimeIsReadFromItsFirstDigits) {
    const auto time = [](const std::string& data) {
        return token_time(document(R"({"_data": ")" + data + "\"}"));
    };
    EXPECT_EQ(time("8265F1C0FF0000000A2B0229296E04"), to_commit({0x65F1C0FF, 10}));
    for (const auto* const bad :
         {"", "82", "8265F1C0FF0000000", "9265F1C0FF0000000A2B", "82zzF1C0FF0000000A"})
        EXPECT_EQ(time(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace leat::mongodb
