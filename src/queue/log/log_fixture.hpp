// For tests: a log in a folder of its own, and frames that say what they are.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "change/batch_fixture.hpp"
#include "queue/log/log_queue.hpp"

namespace leat::log_queue::fixture {

using namespace leat::fixture;  // NOLINT: tests read better without

class TempFolder {
public:
    TempFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "leat-log-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    auto operator=(const TempFolder&) -> TempFolder& = delete;
    [[nodiscard]] auto path() const -> const std::filesystem::path& { return path_; }

private:
    std::filesystem::path path_;
};

inline auto source_dir() -> std::filesystem::path {
    const char* folder = std::getenv("LEAT_SOURCE_DIR");
    return folder != nullptr ? folder : ".";
}
inline auto read_file(const std::filesystem::path& path) -> std::string {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}
inline auto write_file(const std::filesystem::path& path, const std::string& bytes) -> void {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline auto orders(std::uint64_t version = 1, Generation generation = 1) -> SchemaPtr {
    auto schema = std::make_shared<TableSchema>(
        *keyed_table("orders", {{"id", arrow::int64()}, {"note", arrow::utf8()}}));
    schema->version = version;
    schema->generation = generation;
    return schema;
}

// One row, key and note telling the commit.
inline auto change(std::uint64_t commit, const SchemaPtr& schema = orders(), std::size_t note = 10,
                   bool ends = true, std::uint64_t ordinal = 0) -> Frame {
    Frame frame;
    frame.kind = FrameKind::changes;
    frame.first = {1, commit, ordinal, ""};
    frame.last = {1, commit, ordinal, "token-" + std::to_string(commit)};
    frame.ends_transaction = ends;
    frame.commit_time_us = static_cast<std::int64_t>(commit) * 1000;
    frame.batches.push_back(BatchFixture(schema, commit)
                                .first_ordinal(ordinal)
                                .insert({static_cast<std::int64_t>(commit),
                                         std::string(note, static_cast<char>('a' + commit % 26))})
                                .build());
    return frame;
}
inline auto unfinished(std::uint64_t commit, std::uint64_t ordinal, std::size_t note = 10)
    -> Frame {
    return change(commit, orders(), note, false, ordinal);
}
inline auto position(std::uint64_t commit) -> Frame {
    Frame frame;
    frame.kind = FrameKind::position;
    frame.first = frame.last = {1, commit, 0, "at-" + std::to_string(commit)};
    return frame;
}
inline auto orders_name() -> TableName {
    return orders()->name;
}
inline auto items_name() -> TableName {
    return {"public", "items"};
}
inline auto frame_of(Marker marker) -> Frame {
    Frame frame;
    frame.kind = FrameKind::marker;
    frame.generation = marker.generation;
    frame.first = frame.last = marker.position;
    frame.marker = std::move(marker);
    return frame;
}
inline auto begin(Generation generation, Purpose purpose, std::vector<TableName> tables,
                  std::vector<std::string> sinks = {}) -> Frame {
    Marker marker{MarkerKind::begin, generation, {1, 0, 0, ""}, std::move(tables), purpose};
    marker.is_all = purpose == Purpose::anew;
    marker.sinks = std::move(sinks);
    return frame_of(std::move(marker));
}
// A begin marker: of a stream of orders alone. `tables`: of an end the ones given up.
inline auto marker(MarkerKind kind, Generation generation, Position at,
                   std::vector<TableName> tables = {}) -> Frame {
    if (kind != MarkerKind::begin) return frame_of({kind, generation, at, std::move(tables)});
    auto frame = begin(generation, Purpose::anew, {orders_name()});
    frame.first = frame.last = frame.marker->position = at;
    return frame;
}
inline auto image(std::int64_t key, Generation generation = 1, std::uint64_t point = 5,
                  std::size_t note = 10) -> Frame {
    Frame frame;
    frame.kind = FrameKind::snapshot;
    frame.generation = generation;
    frame.first = frame.last = {static_cast<std::uint32_t>(generation), point, 0, ""};
    frame.batches.push_back(
        BatchFixture(orders(1, generation), point).snapshot({key, std::string(note, 's')}).build());
    return frame;
}

inline auto offsets_at(const Place& place, std::vector<Rebuild> rebuilds = {}) -> Offsets {
    Offsets offsets;
    static_cast<Place&>(offsets) = place;
    offsets.rebuilds = std::move(rebuilds);
    return offsets;
}
inline auto rebuild_at(const Place& place) -> Rebuild {
    Rebuild rebuild;
    static_cast<Place&>(rebuild) = place;
    return rebuild;
}
// The image is there as a whole.
inline auto is_whole(const GenerationState& state) -> bool {
    return state.has_ended && state.missing().empty();
}

// What must come back: everything but the identity of the objects.
inline auto same(const Frame& a, const Frame& b) -> testing::AssertionResult {
    if (a.kind != b.kind || a.first != b.first || a.last != b.last ||
        a.last.token != b.last.token || a.ends_transaction != b.ends_transaction ||
        a.commit_time_us != b.commit_time_us || a.generation != b.generation)
        return testing::AssertionFailure()
               << "headers differ: " << to_string(a.last) << " and " << to_string(b.last);
    if (a.marker.has_value() != b.marker.has_value() || a.batches.size() != b.batches.size())
        return testing::AssertionFailure() << "other contents at " << to_string(a.last);
    if (a.marker) {
        auto marker = *a.marker;
        marker.snapshot_offset = b.marker->snapshot_offset;  // filled in by the log
        if (marker != *b.marker || marker.position.token != b.marker->position.token)
            return testing::AssertionFailure() << "markers differ at " << to_string(a.last);
    }
    for (std::size_t i = 0; i < a.batches.size(); ++i) {
        if (!a.batches[i].rows->Equals(*b.batches[i].rows))
            return testing::AssertionFailure() << "rows differ at " << to_string(a.last);
        if (!same_shape(*a.batches[i].schema, *b.batches[i].schema) ||
            a.batches[i].schema->version != b.batches[i].schema->version)
            return testing::AssertionFailure() << "schemas differ at " << to_string(a.last);
    }
    return testing::AssertionSuccess();
}

#define ASSERT_OK(expression)                                          \
    do {                                                               \
        const auto& outcome = (expression);                            \
        ASSERT_TRUE(outcome.has_value())                               \
            << outcome.error().what << " " << outcome.error().context; \
    } while (false)

class LogTest : public testing::Test {
protected:
    LogTest() {
        config.path = folder.path() / "log";
        config.segment_bytes.count = 64 << 10;
        config.max_bytes.count = 64 << 20;
        config.rewind_bytes.count = 0;
        config.rewind_time = Duration::zero();
    }

    [[nodiscard]] auto context() const -> QueueContext { return {"shop", lanes, &clock}; }
    auto try_open() -> Result<std::unique_ptr<LogQueue>> {
        log.reset();
        return LogQueue::make(config, context(), surroundings);
    }
    auto open() -> void {
        auto made = try_open();
        ASSERT_TRUE(made.has_value()) << made.error().what << " " << made.error().context;
        log = std::move(made).value();
    }
    auto append(const Frame& frame) -> void {
        const auto durable = log->append(frame, {});
        ASSERT_TRUE(durable.has_value()) << durable.error().what;
    }
    // A complete generation with one row in its image and the consistent point at commit 5.
    auto append_image(Generation generation = 1) -> void {
        const auto lineage = static_cast<std::uint32_t>(generation);
        append(marker(MarkerKind::begin, generation, {lineage, 0, 0, ""}));
        append(marker(MarkerKind::point, generation, {lineage, 5, 0, "point"}));
        append(image(1, generation));
        append_end(generation, {lineage, 5, 0, ""});
    }
    // All of orders is there.
    auto append_end(Generation generation, const Position& at = {1, 5, 0, ""}) -> void {
        append(marker(MarkerKind::table, generation, at, {orders_name()}));
        append(marker(MarkerKind::end, generation, at));
    }
    auto release(const std::string& lane, const Place& place, std::vector<Rebuild> rebuilds = {})
        -> Result<void> {
        return log->release(lane, offsets_at(place, std::move(rebuilds)));
    }
    // Where a lane begins with the image of this generation; 0: of the newest.
    auto start(Generation generation = 0) -> Place {
        Place place;
        for (const auto& each : log->generations())
            if (generation == 0 || each.generation == generation) place = each.start;
        EXPECT_TRUE(generation == 0 || place.generation == generation);
        return place;
    }
    // All that a lane can read now.
    static auto drain(LaneReader& reader) -> std::vector<Delivery> {
        std::vector<Delivery> deliveries;
        while (true) {
            auto next = reader.next({}, Duration::zero());
            EXPECT_TRUE(next.has_value()) << next.error().what << " " << next.error().context;
            if (!next || !*next) return deliveries;
            deliveries.push_back(std::move(**next));
        }
    }
    auto read_all(const Place& from) -> std::vector<Delivery> {
        auto reader = log->reader("duckdb", from);
        EXPECT_TRUE(reader.has_value()) << reader.error().what;
        return reader ? drain(**reader) : std::vector<Delivery>();
    }
    auto read_all() -> std::vector<Delivery> { return read_all(start()); }
    // Commits of the change frames that a lane gets, in order.
    auto commits() -> std::vector<std::uint64_t> {
        std::vector<std::uint64_t> list;
        for (const auto& delivery : read_all())
            if (delivery.frame.kind == FrameKind::changes)
                list.push_back(delivery.frame.last.commit);
        return list;
    }
    [[nodiscard]] auto segment(SequenceKind kind, std::uint64_t number) const
        -> std::filesystem::path {
        return config.path / segment_name(kind, number);
    }

    TempFolder folder;
    ManualClock clock;
    LogConfig config;
    std::vector<std::string> lanes = {"duckdb"};
    Surroundings surroundings;
    std::unique_ptr<LogQueue> log;
};

}  // namespace leat::log_queue::fixture
