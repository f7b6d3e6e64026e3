// The format on disk: the golden segments of each version are read and written as they are, and
// other Arrow readers can look inside as FORMAT.md says.
#include <cstdlib>

#include "queue/log/frame_codec.hpp"
#include "queue/log/log_fixture.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

auto source_dir() -> std::filesystem::path {
    const char* folder = std::getenv("LEAT_SOURCE_DIR");
    return folder != nullptr ? folder : ".";
}

class FormatTest : public LogTest {
protected:
    FormatTest() {
        surroundings.random = [this] { return ++counter; };
    }

    // Every kind of frame, the same on each machine.
    auto write_all_kinds() -> void {
        open();
        append_image();
        append(change(6));
        append(every_operation());
        append(position(8));
        append(unfinished(9, 0));
        append(change(9, orders(2), 10, true, 1));
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
    const auto golden = source_dir() / "test/golden/log/v1";
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
    const auto written = read_all();
    log.reset();
    std::filesystem::remove_all(config.path);
    std::filesystem::create_directories(config.path);
    for (const auto& file : files) std::filesystem::copy(golden / file, config.path / file);
    open();
    const auto read = read_all();
    ASSERT_EQ(read.size(), 9U);
    ASSERT_EQ(read.size(), written.size());
    for (std::size_t i = 0; i < read.size(); ++i) {
        EXPECT_TRUE(same(read[i].frame, written[i].frame)) << i;
        EXPECT_EQ(read[i].after, written[i].after) << i;
    }
    EXPECT_EQ((*log->resume_point()).position->token, "token-9");
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

TEST(FrameCodec, MarkersAndStateComeBack) {
    const Marker marker{MarkerKind::point, 3, {1, 2, 3, "token"}, 4, {{"a", "b"}, {"public", "c"}}};
    const auto decoded = decode_marker(encode_marker(marker));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, marker);
    State state;
    state.generation = {1, 2, true, false, true, 5, 6, {7, 8, 9, "point"}};
    state.last = Position{1, 2, 3, "last"};
    state.last_time_us = 10;
    const auto again = decode_state(encode_state(state));
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ((*again).generation, state.generation);
    EXPECT_EQ((*again).generation.consistent_point.token, "point");
    EXPECT_EQ((*again).last->token, "last");
    EXPECT_FALSE(decode_state(encode_state(state).substr(1)));
    EXPECT_FALSE(decode_marker(encode_marker(marker) + "x"));
}

}  // namespace
}  // namespace leat::log_queue
