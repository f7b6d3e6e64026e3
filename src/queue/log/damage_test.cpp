// Damaged and torn files: damage is found and never served, a torn tail is cut and reported.
#include <algorithm>
#include <cstring>

#include "queue/log/crc32c.hpp"
#include "queue/log/log_fixture.hpp"
#include "queue/log/memory_disk.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

// A log of a few frames in memory, as a killed process leaves it.
class DamageTest : public LogTest {
protected:
    ~DamageTest() override { log.reset(); }  // before the disk
    DamageTest() {
        config.segment_bytes.count = 16 << 10;
        surroundings.disk = &disk;
    }

    auto fill() -> void {
        open();
        append_image();
        for (std::uint64_t commit = 6; commit < 13; ++commit) append(change(commit));
        begin = start();
        expected = read_all(begin);
        original = disk.copy();
        log.reset();
    }
    auto name(SequenceKind kind, std::uint64_t number) const -> std::filesystem::path {
        return segment(kind, number);
    }
    // Opens a changed copy. What is then delivered must be the beginning of what was written.
    struct Outcome {
        bool opened = false;
        bool read_to_end = false;
        bool served_other = false;
        std::size_t delivered = 0;
        std::uint64_t torn_bytes = 0;
        std::string error;
    };
    auto outcome_of(MemoryDisk& changed) -> Outcome {
        Outcome outcome;
        Surroundings damaged;
        damaged.disk = &changed;
        auto made = LogQueue::make(config, context(), damaged);
        if (!made) {
            outcome.error = made.error().what;
            EXPECT_NE(made.error().fault, Fault::retry);
            return outcome;
        }
        outcome.opened = true;
        outcome.torn_bytes = (*made)->report().torn_bytes;
        auto reader = (*made)->reader("duckdb", begin);
        if (!reader) {
            outcome.error = reader.error().what;
            return outcome;
        }
        while (true) {
            auto next = (*reader)->next({}, Duration::zero());
            if (!next) {
                outcome.error = next.error().what;
                return outcome;
            }
            if (!*next) break;
            const auto at = outcome.delivered++;
            if (at >= expected.size() || !same((*next)->frame, expected[at].frame))
                outcome.served_other = true;
        }
        outcome.read_to_end = outcome.delivered == expected.size();
        return outcome;
    }

    MemoryDisk disk;
    std::unique_ptr<MemoryDisk> original;
    Place begin;
    std::vector<Delivery> expected;
};

TEST_F(DamageTest, NoFlippedBitIsEverServed) {
    fill();
    std::size_t refused = 0;
    std::size_t cut = 0;
    for (const auto& file : original->names()) {
        if (!file.ends_with(".seg") && !file.ends_with("log.json")) continue;
        const auto size = original->contents(file).size();
        for (std::size_t at = 0; at < size; ++at) {
            // Every byte of headers and contents, some of the zeros.
            if (original->contents(file)[at] == '\0' && at % 61 != 0) continue;
            auto changed = original->copy();
            changed->contents(file)[at] ^= static_cast<char>(1 << (at % 8));
            const auto outcome = outcome_of(*changed);
            ASSERT_FALSE(outcome.served_other) << file << " byte " << at;
            if (!outcome.error.empty()) ++refused;
            else if (outcome.torn_bytes > 0) ++cut;
            else ASSERT_TRUE(outcome.read_to_end) << file << " byte " << at;
        }
    }
    EXPECT_GT(refused, 100U);
    EXPECT_GT(cut, 100U);
}

TEST_F(DamageTest, TailTornAtEveryByteIsCutAndReported) {
    fill();
    // The newest segment in use, as if the disk had taken only its first bytes.
    std::string newest;
    std::size_t end = 0;
    for (const auto& file : original->names()) {
        if (file.find("changes-") == std::string::npos) continue;
        const auto last = original->contents(file).find_last_not_of('\0');
        if (last == std::string::npos) continue;
        newest = file;
        end = last + 1;
    }
    ASSERT_GT(end, page_bytes);
    for (std::size_t at = page_bytes; at < end; ++at) {
        auto changed = original->copy();
        auto& bytes = changed->contents(newest);
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), '\0');
        // Whether the cut goes through the contents of a page, and leaves some of them.
        const std::string_view page = std::string_view(original->contents(newest))
                                          .substr(at / page_bytes * page_bytes, page_bytes);
        const bool torn = at % page_bytes != 0 && !all_zero(page.substr(at % page_bytes));
        const auto outcome = outcome_of(*changed);
        ASSERT_EQ(outcome.error, "") << at;
        ASSERT_FALSE(outcome.served_other) << at;
        ASSERT_EQ(outcome.torn_bytes > 0, torn) << at;
    }
}

TEST_F(DamageTest, DamageIsNamedByFileAndByte) {
    fill();
    const auto file = name(SequenceKind::changes, 0).string();
    // The second frame of the first segment.
    const auto at = 2 * page_bytes + 300;
    original->contents(file)[at] ^= 1;
    Surroundings damaged;
    damaged.disk = original.get();
    const auto made = LogQueue::make(config, context(), damaged);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().fault, Fault::fatal);
    EXPECT_EQ(made.error().context, file);
    EXPECT_NE(made.error().what.find("at byte " + std::to_string(2 * page_bytes)),
              std::string::npos)
        << made.error().what;
}

// An interrupted write cannot have been followed by another: only the last may be cut.
TEST_F(DamageTest, OnlyTheLastWriteOfTheNewestSegmentCanBeTorn) {
    config.segment_bytes.count = 64 << 10;
    fill();
    const auto file = name(SequenceKind::changes, 0).string();
    const auto end = whole_pages(original->contents(file).find_last_not_of('\0'));
    ASSERT_GT(end, 8 * page_bytes);
    for (auto at = page_bytes; at < end; at += page_bytes) {
        auto changed = original->copy();
        changed->contents(file)[at + 20] ^= 1;
        const auto outcome = outcome_of(*changed);
        EXPECT_EQ(outcome.opened, at + page_bytes == end) << at;
        EXPECT_EQ(outcome.torn_bytes > 0, at + page_bytes == end) << at;
    }
}

// Found by the power cuts: the report counted a page as cut.
TEST_F(DamageTest, FileThatWasOnlyBegunIsNotTorn) {
    fill();
    std::unique_ptr<File> file;
    auto number = std::uint64_t{0};
    for (const auto& path : original->names())
        if (const auto parsed = parse_segment_name(Path(path).filename().string());
            parsed && parsed->kind == SequenceKind::changes)
            number = std::max(number, parsed->number);
    const auto last = name(SequenceKind::changes, number);
    original->contents(last).clear();
    const auto outcome = outcome_of(*original);
    EXPECT_TRUE(outcome.opened) << outcome.error;
    EXPECT_EQ(outcome.torn_bytes, 0U);
}

TEST_F(DamageTest, MissingSegmentIsDamage) {
    fill();
    original->remove(name(SequenceKind::changes, 1));
    EXPECT_NE(outcome_of(*original).error.find("segment missing"), std::string::npos);
}

TEST_F(DamageTest, SwappedSegmentsAreDamage) {
    fill();
    std::swap(original->contents(name(SequenceKind::changes, 0)),
              original->contents(name(SequenceKind::changes, 1)));
    EXPECT_NE(outcome_of(*original).error.find("not its own"), std::string::npos);
}

TEST_F(DamageTest, SegmentOfAnotherLogIsRefused) {
    fill();
    MemoryDisk other;
    TempFolder elsewhere;
    auto other_config = config;
    other_config.path = elsewhere.path() / "log";
    Surroundings around;
    around.disk = &other;
    {
        auto made = LogQueue::make(other_config, context(), around);
        ASSERT_TRUE(made.has_value());
        ASSERT_TRUE((*made)->append(marker(MarkerKind::begin, 1, {1, 0, 0, ""}), {}).has_value());
    }
    original->contents(name(SequenceKind::changes, 0)) =
        other.contents(other_config.path / segment_name(SequenceKind::changes, 0));
    const auto outcome = outcome_of(*original);
    EXPECT_NE(outcome.error.find("belongs to another log"), std::string::npos) << outcome.error;
}

TEST_F(DamageTest, DurableFramesThatAreGoneAreNotTakenForATornTail) {
    fill();
    log.reset();  // an orderly end writes down how far the log was
    open();
    log.reset();
    auto after = disk.copy();
    std::string newest;
    for (const auto& file : after->names())
        if (file.find("changes-") != std::string::npos && !all_zero(after->contents(file)))
            newest = file;
    auto& bytes = after->contents(newest);
    const auto last = bytes.find_last_not_of('\0');
    const auto page = last / page_bytes * page_bytes;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(page), bytes.end(), '\0');
    EXPECT_NE(outcome_of(*after).error.find("durable are gone"), std::string::npos);
}

TEST_F(DamageTest, NewerFormatIsRefusedWithBothNumbers) {
    fill();
    auto& page = original->contents(name(SequenceKind::changes, 0));
    SegmentHeader header;
    auto newer = encode(header);
    newer[8] = 3;
    const auto crc = crc32c(std::string_view(newer).substr(0, page_bytes - 4));
    std::memcpy(newer.data() + page_bytes - 4, &crc, 4);
    std::copy(newer.begin(), newer.end(), page.begin());
    EXPECT_NE(outcome_of(*original).error.find("format 3"), std::string::npos);
}

TEST_F(DamageTest, LostHintsCostNothing) {
    fill();
    original->remove(config.path / "state");
    const auto outcome = outcome_of(*original);
    EXPECT_EQ(outcome.error, "");
    EXPECT_TRUE(outcome.read_to_end);
}

}  // namespace
}  // namespace leat::log_queue
