// The format on disk: the golden segments of each version are read and written as they are, and
// other Arrow readers can look inside as FORMAT.md says.
#include <array>
#include <cstdlib>
#include <random>

#include "queue/log/frame_codec.hpp"
#include "queue/log/log_fixture.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

class FormatTest : public LogTest {
protected:
    FormatTest() {
        config.segment_bytes.count = 96 << 10;  // all of it in one
        surroundings.random = [this] { return ++counter; };
    }

    // Every kind of frame and of marker, the same on each machine.
    auto write_all_kinds() -> void {
        open();
        append(begin(1, Purpose::anew, {orders_name(), items_name()}));
        append(marker(MarkerKind::point, 1, {1, 5, 0, "point"}));
        append(image(1));
        append(marker(MarkerKind::table, 1, {1, 5, 0, ""}, {orders_name()}));
        append(change(6));
        append(marker(MarkerKind::end, 1, {1, 5, 0, "settled"}, {items_name()}));
        append(every_operation());
        append(frame_of({MarkerKind::left, 0, {}, {items_name()}}));
        append(position(8));
        append(begin(2, Purpose::rebuild, {orders_name()}, {"duckdb", "other"}));
        append(unfinished(9, 0));
        append(marker(MarkerKind::point, 2, {1, 8, 0, "again"}));
        append(change(9, orders(2), 10, true, 1));
        append(image(2, 2, 8));
        log.reset();
    }
    static auto every_operation() -> Frame {
        auto frame = change(7);
        frame.batches = {BatchFixture(orders(), 7)
                             .update({6, unsent})
                             .move({6}, {60, "moved"})
                             .remove({60})
                             .truncate()
                             .build()};
        return frame;
    }

    std::uint64_t counter = 0;
};

TEST_F(FormatTest, GoldenLogIsReadAndWrittenAsItIs) {
    const auto golden = source_dir() / "test/golden/log/v2";
    write_all_kinds();
    const std::array<std::string, 3> files = {"log.json", segment_name(SequenceKind::changes, 0),
                                              segment_name(SequenceKind::snapshot, 0)};
    if (std::getenv("LEAT_UPDATE_GOLDEN") != nullptr) {
        std::filesystem::create_directories(golden);
        for (const auto& file : files) write_file(golden / file, read_file(config.path / file));
    }
    for (const auto& file : files)
        EXPECT_TRUE(read_file(golden / file) == read_file(config.path / file)) << file;
    open();
    const auto written = read_all(start(1));
    const auto image_written = read_all(start(2));
    log.reset();
    std::filesystem::remove_all(config.path);
    std::filesystem::create_directories(config.path);
    for (const auto& file : files) std::filesystem::copy(golden / file, config.path / file);
    open();
    const auto read = read_all(start(1));
    ASSERT_EQ(read.size(), 11U);
    EXPECT_EQ(read_all(start(2)).size(), 2U);
    EXPECT_EQ(image_written.size(), 2U);
    ASSERT_EQ(read.size(), written.size());
    for (std::size_t i = 0; i < read.size(); ++i) {
        EXPECT_TRUE(same(read[i].frame, written[i].frame)) << i;
        EXPECT_EQ(read[i].after, written[i].after) << i;
    }
    const auto point = log->resume_point();
    ASSERT_OK(point);
    EXPECT_EQ((*point).position->token, "token-9");
    EXPECT_EQ((*point).tables, (std::set<TableName>{orders_name()}));
    ASSERT_EQ((*point).generations.size(), 2U);
    EXPECT_EQ((*point).generations[0].missing(), (std::set<TableName>{items_name()}));
    EXPECT_FALSE((*point).generations[1].has_ended);
    EXPECT_EQ((*point).generations[1].point->token, "again");
}

TEST_F(FormatTest, OlderLogIsRefusedWithTheWayOut) {
    open();
    log.reset();
    auto text = read_file(config.path / "log.json");
    const auto at = text.find("\"format\":2");
    ASSERT_NE(at, std::string::npos) << text;
    text[at + 9] = '1';
    write_file(config.path / "log.json", text);
    const auto made = try_open();
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().fault, Fault::config);
    EXPECT_EQ(made.error().what, "log has format 1, this version of leat reads 2");
    EXPECT_NE(made.error().hint.find("leat drop FILE"), std::string::npos);
}

// Runs exactly the program that FORMAT.md prints.
TEST_F(FormatTest, AnyArrowReaderCanLookInside) {
    const char* python = std::getenv("LEAT_PYTHON");
    ASSERT_NE(python, nullptr) << "ctest sets LEAT_PYTHON";
    const auto text = read_file(source_dir() / "src/queue/log/FORMAT.md");
    const auto begin = text.find("```python\n");
    const auto end = text.find("```\n", begin + 10);
    ASSERT_NE(end, std::string::npos);
    write_file(folder.path() / "look.py", text.substr(begin + 10, end - begin - 10));
    write_all_kinds();
    const auto command = std::string(python) + " " + (folder.path() / "look.py").string() + " " +
                         segment(SequenceKind::changes, 0).string() + " > " +
                         (folder.path() / "out").string() + " 2>&1";
    const int status = std::system(command.c_str());  // NOLINT: test
    const auto output = read_file(folder.path() / "out");
    EXPECT_EQ(status, 0) << output;
    EXPECT_NE(output.find("orders 4 rows"), std::string::npos) << output;
    EXPECT_NE(output.find("'note': 'moved'"), std::string::npos) << output;
}

TEST(FrameCodec, HeadersComeBackAndNoOtherSeedReadsThem) {
    FrameHeader header;
    header.kind = DiskKind::snapshot;
    header.ends_transaction = false;
    header.payload_bytes = 1234567;
    header.body_crc = 1;
    header.previous_crc = 2;
    header.offset = 3;
    header.group_first = 4;
    header.incarnation = 5;
    header.rows = 6;
    header.generation = 7;
    header.commit_time_us = -8;
    header.written_us = 9;
    header.first = {10, 11, 12, ""};
    header.last = {13, 14, 15, std::string(9000, 't')};
    auto bytes = encode_header(header, 99);
    std::uint64_t wanted = 0;
    EXPECT_FALSE(decode_header(std::string_view(bytes).substr(0, page_bytes), 99, wanted));
    EXPECT_EQ(wanted, bytes.size());
    const auto decoded = decode_header(bytes, 99, wanted);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(encode_header(header, 99), bytes);
    EXPECT_EQ(decoded->last.token, header.last.token);
    EXPECT_EQ(decoded->last, header.last);
    EXPECT_EQ(decoded->first, header.first);
    EXPECT_EQ(decoded->commit_time_us, -8);
    EXPECT_EQ(decoded->chain, header.chain);
    EXPECT_FALSE(decode_header(bytes, 98, wanted));
}

auto some_tables(std::mt19937_64& random) -> std::vector<TableName> {
    std::vector<TableName> tables;
    for (auto count = random() % 4; count > 0; --count)
        tables.push_back({std::string(random() % 5, 's'), "table" + std::to_string(random() % 9)});
    return tables;
}
auto some_texts(std::mt19937_64& random) -> std::vector<std::string> {
    std::vector<std::string> texts;
    for (auto count = random() % 3; count > 0; --count)
        texts.emplace_back(random() % 300, static_cast<char>('a' + random() % 26));
    return texts;
}
auto some_position(std::mt19937_64& random) -> Position {
    return {static_cast<std::uint32_t>(random()), random(), random(),
            std::string(random() % 40, 't')};
}
auto some_marker(std::mt19937_64& random) -> Marker {
    Marker marker{static_cast<MarkerKind>(1 + random() % 5), random(), some_position(random),
                  some_tables(random), static_cast<Purpose>(1 + random() % 3)};
    marker.is_all = random() % 2 == 0;
    marker.sinks = some_texts(random);
    marker.snapshot_offset = random();
    return marker;
}
auto some_state(std::mt19937_64& random) -> State {
    State state;
    for (auto count = random() % 4; count > 0; --count) {
        auto& record = state.generations.emplace_back();
        record.generation = random();
        record.lineage = static_cast<std::uint32_t>(random());
        record.purpose = static_cast<Purpose>(1 + random() % 3);
        record.is_all = random() % 2 == 0;
        record.has_point = random() % 2 == 0;
        record.has_ended = random() % 2 == 0;
        record.begin_offset = random();
        record.snapshot_offset = random();
        record.consistent_point = some_position(random);
        record.sinks = some_texts(random);
        record.tables = some_tables(random);
        record.whole = some_tables(random);
    }
    for (auto& table : some_tables(random)) state.tables.insert(std::move(table));
    if (random() % 3 != 0) state.last = some_position(random);
    state.last_time_us = static_cast<std::int64_t>(random());
    return state;
}

TEST(FrameCodec, MarkersComeBackAndNoOtherLengthIsRead) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 200; ++round) {
        const auto marker = some_marker(random);
        const auto bytes = encode_marker(marker);
        const auto decoded = decode_marker(bytes);
        ASSERT_TRUE(decoded.has_value()) << round;
        EXPECT_EQ(*decoded, marker);
        EXPECT_EQ((*decoded).position.token, marker.position.token);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            ASSERT_FALSE(decode_marker(std::string_view(bytes).substr(0, size))) << size;
        EXPECT_FALSE(decode_marker(bytes + '\0'));
    }
}

TEST(FrameCodec, StateComesBackAndNoOtherLengthIsRead) {
    std::mt19937_64 random(2);
    for (int round = 0; round < 200; ++round) {
        const auto state = some_state(random);
        const auto bytes = encode_state(state);
        const auto decoded = decode_state(bytes);
        ASSERT_TRUE(decoded.has_value()) << round;
        EXPECT_EQ((*decoded).generations, state.generations);
        for (std::size_t i = 0; i < state.generations.size(); ++i)
            EXPECT_EQ((*decoded).generations[i].consistent_point.token,
                      state.generations[i].consistent_point.token);
        EXPECT_EQ((*decoded).tables, state.tables);
        EXPECT_EQ((*decoded).last, state.last);
        if (state.last) {
            EXPECT_EQ((*decoded).last->token, state.last->token);
        }
        EXPECT_EQ((*decoded).last_time_us, state.last_time_us);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            ASSERT_FALSE(decode_state(std::string_view(bytes).substr(0, size))) << size;
        EXPECT_FALSE(decode_state(bytes + '\0'));
    }
}

TEST(FrameCodec, UnknownKindsAndPurposesAreRefused) {
    auto bytes = encode_marker({});
    for (const std::size_t at : {0U, 1U})
        for (const char value : {'\0', '\6'}) {
            auto changed = bytes;
            changed[at] = value;
            EXPECT_FALSE(decode_marker(changed)) << at;
        }
    State state;
    state.generations.emplace_back();
    auto text = encode_state(state);
    constexpr std::size_t purpose_at = 4 + 8 + 4;
    text[purpose_at] = '\4';
    EXPECT_FALSE(decode_state(text));
}

}  // namespace
}  // namespace leat::log_queue
