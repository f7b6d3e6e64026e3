// Many generations in one log: what each reader sees, what is known of them, what outlives a crash.
#include <algorithm>

#include "queue/log/log_fixture.hpp"
#include "queue/log/memory_disk.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

auto items() -> SchemaPtr {
    auto schema = std::make_shared<TableSchema>(
        *keyed_table("items", {{"id", arrow::int64()}, {"note", arrow::utf8()}}));
    schema->version = 1;
    return schema;
}
auto items_image(Generation generation) -> Frame {
    auto frame = image(1, generation);
    auto schema = std::make_shared<TableSchema>(*items());
    schema->generation = generation;
    frame.batches = {BatchFixture(schema, 5).snapshot({1, std::string("item")}).build()};
    return frame;
}
auto point_at(Generation generation, std::uint64_t commit) -> Frame {
    return marker(MarkerKind::point, generation, {1, commit, 0, "point"});
}

class GenerationsTest : public LogTest {
protected:
    ~GenerationsTest() override { log.reset(); }  // before the disk
    GenerationsTest() {
        config.segment_bytes.count = 1 << 20;  // no other file is being made meanwhile
        surroundings.disk = disk.get();
    }

    auto state_of(Generation generation) -> GenerationState {
        for (auto& each : log->generations())
            if (each.generation == generation) return each;
        ADD_FAILURE() << "unknown generation " << generation;
        return {};
    }
    auto resumed() -> ResumePoint {
        auto point = log->resume_point();
        EXPECT_TRUE(point.has_value());
        return point ? *point : ResumePoint{};
    }
    auto version_of(const TableName& table) -> std::uint64_t {
        for (const auto& schema : resumed().schemas)
            if (schema->name == table) return schema->version;
        return 0;
    }
    // As if the process was killed now.
    auto crash() -> void {
        auto after = disk->copy();
        disk->judge([](auto, auto) { return Verdict{Act::fail}; });
        log.reset();
        disk = std::move(after);
        surroundings.disk = disk.get();
        open();
    }
    // The marker is durable, what the change sequence is to say of it is not.
    auto append_unrecorded(const Frame& frame) -> void {
        int writes = 0;
        disk->judge([&](std::uint64_t, Call call) {
            return call == Call::write && ++writes == 2 ? Verdict{Act::fail} : Verdict{};
        });
        EXPECT_FALSE(log->append(frame, {}));
        EXPECT_EQ(writes, 2);
        crash();
    }

    std::unique_ptr<MemoryDisk> disk = std::make_unique<MemoryDisk>();
};

TEST_F(GenerationsTest, EachReaderSeesItsOwnImageThenAllChanges) {
    open();
    append(marker(MarkerKind::begin, 1, {1, 0, 0, ""}));
    append(point_at(1, 5));
    append(image(10, 1));
    append(change(6));
    append(begin(2, Purpose::rebuild, {orders_name()}, {"duckdb"}));
    append(point_at(2, 6));
    append(image(20, 2, 6));
    append(image(11, 1));
    append(image(21, 2, 6));
    append_end(1);
    append(change(7));
    append_end(2);
    for (const bool reopened : {false, true}) {
        if (reopened) open();
        // Point, two frames, table, end; then changes, the begin of the other among them.
        const auto first = read_all(start(1));
        ASSERT_EQ(first.size(), 8U);
        EXPECT_EQ(first[5].frame.last.commit, 6U);
        ASSERT_TRUE(first[6].frame.marker);
        EXPECT_EQ(first[6].frame.marker->generation, 2U);
        EXPECT_EQ(first[6].frame.marker->sinks, (std::vector<std::string>{"duckdb"}));
        EXPECT_EQ(first[7].frame.last.commit, 7U);
        const auto second = read_all(start(2));
        ASSERT_EQ(second.size(), 6U);
        EXPECT_EQ(second[5].frame.last.commit, 7U);
        for (std::size_t i = 0; i < 5; ++i) {
            EXPECT_EQ(first[i].frame.generation, 1U) << i;
            EXPECT_EQ(second[i].frame.generation, 2U) << i;
        }
        // As a lane would begin that met the marker.
        auto met = start(2);
        EXPECT_EQ(met.snapshot_offset, first[6].frame.marker->snapshot_offset);
        EXPECT_EQ(met.change_offset, first[6].after.change_offset);
        EXPECT_FALSE(state_of(2).is_all);
        EXPECT_TRUE(is_for(state_of(2).sinks, "duckdb"));
        EXPECT_FALSE(is_for(state_of(2).sinks, "other"));
    }
}

TEST_F(GenerationsTest, ReaderOfAnInterruptedImageSeesWhatIsGivenUp) {
    open();
    append(begin(1, Purpose::anew, {orders_name(), items_name()}));
    EXPECT_FALSE(resumed().position);
    append(point_at(1, 5));
    append(image(1));
    append(marker(MarkerKind::table, 1, {1, 5, 0, ""}, {orders_name()}));
    auto reader = log->reader("duckdb", start());
    ASSERT_OK(reader);
    const auto half = drain(**reader);
    ASSERT_EQ(half.size(), 3U);
    open();
    // The stream goes on from the point; only what is missing is taken again.
    const auto point = resumed();
    ASSERT_TRUE(point.position);
    EXPECT_EQ(point.position->token, "point");
    EXPECT_EQ(point.generations.at(0).missing(), (std::set<TableName>{items_name()}));
    EXPECT_FALSE(point.generations.at(0).has_ended);
    append(marker(MarkerKind::end, 1, {1, 5, 0, ""}, {items_name()}));
    append(change(6));
    EXPECT_FALSE(log->append(image(2), {}));  // nothing more comes
    const auto rest = read_all(half.back().after);
    ASSERT_EQ(rest.size(), 2U);
    EXPECT_EQ(rest[0].frame.marker->kind, MarkerKind::end);
    EXPECT_EQ(rest[0].frame.marker->tables, (std::vector<TableName>{items_name()}));
    EXPECT_TRUE(rest[0].after.image_complete);
    EXPECT_EQ(rest[1].frame.last.commit, 6U);
}

TEST_F(GenerationsTest, NewStreamLeavesNothingOfTheOld) {
    open();
    append_image();
    append(begin(2, Purpose::added, {items_name()}));
    append(change(6, orders(3)));
    append(begin(3, Purpose::anew, {orders_name()}));
    for (const bool reopened : {false, true}) {
        if (reopened) open();
        EXPECT_FALSE(resumed().position);
    }
    append(point_at(3, 9));
    for (const bool reopened : {false, true}) {
        if (reopened) open();
        const auto point = resumed();
        EXPECT_EQ(point.position->commit, 9U);
        EXPECT_EQ(point.tables, (std::set<TableName>{orders_name()}));
        EXPECT_TRUE(point.schemas.empty());
    }
    // Also where no opening comes between, which would forget it too.
    append(change(10));
    append(begin(4, Purpose::anew, {orders_name()}));
    append(point_at(4, 12));
    for (const bool reopened : {false, true}) {
        if (reopened) open();
        EXPECT_EQ(resumed().position->commit, 12U);
    }
}

TEST_F(GenerationsTest, TablesThatAreThereOutliveReopeningAndCrash) {
    open();
    append(begin(1, Purpose::anew, {orders_name(), items_name()}));
    append(point_at(1, 5));
    append(image(1));
    append(marker(MarkerKind::table, 1, {1, 5, 0, ""}, {orders_name()}));
    open();
    EXPECT_EQ(state_of(1).whole, (std::vector<TableName>{orders_name()}));
    append(items_image(1));
    append_unrecorded(marker(MarkerKind::table, 1, {1, 5, 0, ""}, {items_name()}));
    EXPECT_EQ(state_of(1).whole, (std::vector<TableName>{orders_name(), items_name()}));
    EXPECT_EQ(version_of(items_name()), 1U);
    // And from then on the change sequence says so.
    const auto before = log->figures().changes_end;
    append(marker(MarkerKind::end, 1, {1, 5, 0, ""}));
    EXPECT_GT(log->figures().changes_end, before);
    EXPECT_EQ(read_all().size(), 6U);
}

TEST_F(GenerationsTest, PointAndEndOutliveACrashBeforeTheirRecord) {
    open();
    append_image();
    append(begin(2, Purpose::rebuild, {orders_name()}));
    append_unrecorded(point_at(2, 8));
    ASSERT_TRUE(state_of(2).point);
    EXPECT_EQ(state_of(2).point->commit, 8U);
    EXPECT_FALSE(state_of(2).has_ended);
    append(change(6));  // the point is recorded by now
    append_unrecorded(marker(MarkerKind::end, 2, {1, 8, 0, ""}, {orders_name()}));
    EXPECT_TRUE(state_of(2).has_ended);
    EXPECT_EQ(state_of(2).missing(), (std::set<TableName>{orders_name()}));
}

TEST_F(GenerationsTest, TableThatLeftIsNoLongerOfTheStream) {
    open();
    append(begin(1, Purpose::anew, {orders_name(), items_name()}));
    append(point_at(1, 5));
    append(change(6));
    append(change(7, items()));
    EXPECT_EQ(resumed().schemas.size(), 2U);
    append(frame_of({MarkerKind::left, 0, {}, {items_name()}}));
    for (const bool reopened : {false, true}) {
        if (reopened) open();
        EXPECT_EQ(resumed().tables, (std::set<TableName>{orders_name()}));
        ASSERT_EQ(resumed().schemas.size(), 1U);
        EXPECT_EQ(resumed().schemas[0]->name, orders_name());
    }
    append(marker(MarkerKind::end, 1, {1, 5, 0, ""}, {orders_name(), items_name()}));
    const auto all = read_all();
    EXPECT_EQ(all.back().frame.marker->kind, MarkerKind::left);
    // It comes back with an image of its own.
    append(begin(2, Purpose::added, {items_name()}));
    EXPECT_EQ(resumed().tables.size(), 2U);
    EXPECT_EQ(version_of(items_name()), 0U);
    append(point_at(2, 7));
    append(items_image(2));
    for (const bool reopened : {false, true}) {
        if (reopened) open();
        EXPECT_EQ(version_of(items_name()), 1U);
    }
}

TEST_F(GenerationsTest, ImagesSpeakFirstAndNeverAgainstTheStream) {
    open();
    append(marker(MarkerKind::begin, 1, {1, 0, 0, ""}));
    append(point_at(1, 5));
    append(image(1));
    for (const bool reopened : {false, true}) {
        if (reopened) open();
        EXPECT_EQ(version_of(orders_name()), 1U);
    }
    append(change(6, orders(4)));
    append_end(1);
    append(begin(2, Purpose::rebuild, {orders_name()}));
    append(point_at(2, 6));
    auto again = image(1, 2, 6);
    again.batches = {BatchFixture(orders(9, 2), 6).snapshot({1, std::string("again")}).build()};
    append(again);
    append_end(2);
    for (const bool reopened : {false, true}) {
        if (reopened) open();
        ASSERT_EQ(resumed().schemas.size(), 1U);
        EXPECT_EQ(version_of(orders_name()), 4U);
    }
}

TEST_F(GenerationsTest, MarkersOutOfOrderAreRefused) {
    open();
    append_image();
    EXPECT_FALSE(log->append(marker(MarkerKind::end, 1, {}), {}));
    EXPECT_FALSE(log->append(point_at(2, 6), {}));
    append(begin(3, Purpose::rebuild, {orders_name()}));
    EXPECT_FALSE(log->append(begin(2, Purpose::rebuild, {orders_name()}), {}));
    EXPECT_FALSE(log->append(marker(MarkerKind::table, 3, {}, {orders_name()}), {}));
    EXPECT_FALSE(log->append(image(1, 3), {}));
    append(point_at(3, 6));
    EXPECT_FALSE(log->append(point_at(3, 7), {}));
    append(unfinished(6, 0));
    EXPECT_FALSE(log->append(begin(4, Purpose::rebuild, {orders_name()}), {}));
    EXPECT_FALSE(log->append(frame_of({MarkerKind::left, 0, {}, {items_name()}}), {}));
    append(image(1, 3));
}

}  // namespace
}  // namespace leat::log_queue
