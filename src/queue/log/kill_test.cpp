// SIGKILL at every failpoint of the log, on a real disk: the next start finds all that was
// acknowledged, and nothing twice.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "base/failpoint.hpp"
#include "queue/log/lane_fixture.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

class KillTest : public LogTest {
protected:
    KillTest() {
        config.segment_bytes.count = 32 << 10;
        config.max_bytes.count = 1 << 20;
        acknowledged = static_cast<std::atomic<std::uint64_t>*>(
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    }
    ~KillTest() override { ::munmap(acknowledged, 4096); }

    // Transactions of one to three frames from where the log stands; what is read is released.
    auto work(std::uint64_t transactions) -> Result<void> {
        auto writer = TRY(try_open());
        auto point = TRY(writer->resume_point());
        auto commit = point.position ? point.position->commit : std::uint64_t{5};
        for (const auto& each : point.generations) {
            const auto missing = each.missing();
            if (each.has_ended) continue;
            TRY(writer->append(marker(MarkerKind::end, each.generation, {1, commit, 0, ""},
                                      {missing.begin(), missing.end()}),
                               {}));
        }
        auto generation = point.generations.empty() ? 0 : point.generations.back().generation;
        TRY(take_image(*writer, ++generation, point.position ? Purpose::rebuild : Purpose::anew,
                       commit));
        for (std::uint64_t i = 0; i < transactions; ++i) {
            ++commit;
            const auto frames = 1 + commit % 3;
            for (std::uint64_t ordinal = 0; ordinal < frames; ++ordinal)
                TRY(writer->append(change(commit, orders(), 5000, ordinal + 1 == frames, ordinal),
                                   {}));
            acknowledged->store(commit);
            if (i % 5 == 0) TRY(deliver(*writer));
            if (i % 7 == 0) TRY(take_image(*writer, ++generation, Purpose::rebuild, commit));
        }
        // A transaction that is never ended, over several segments.
        for (std::uint64_t ordinal = 0; ordinal < 12; ++ordinal)
            TRY(writer->append(unfinished(commit + 1, ordinal, 8000), {}));
        TRY(writer->resume_point());
        return {};
    }

    static auto take_image(LogQueue& writer, Generation generation, Purpose purpose,
                           std::uint64_t commit) -> Result<void> {
        const Position at{1, commit, 0, "point"};
        TRY(writer.append(begin(generation, purpose, {orders_name()}), {}));
        TRY(writer.append(marker(MarkerKind::point, generation, at), {}));
        TRY(writer.append(image(1, generation, commit, 5000), {}));
        TRY(writer.append(marker(MarkerKind::table, generation, at, {orders_name()}), {}));
        TRY(writer.append(marker(MarkerKind::end, generation, at), {}));
        return {};
    }

    // A sink that is a file with its progress.
    auto deliver(LogQueue& writer) -> Result<void> {
        const auto lane = TRY(catch_up(writer));
        if (!lane.offsets()) return {};
        Progress progress;
        progress.offsets = *lane.offsets();
        progress.position.commit = lane.seen();
        write_file(folder.path() / "sink.new", encode(progress));
        std::filesystem::rename(folder.path() / "sink.new", folder.path() / "sink");
        return writer.release("duckdb", progress.offsets);
    }
    // The lane as it is when it has read on from what the sink holds.
    auto catch_up(LogQueue& writer) -> Result<CheckedLane> {
        CheckedLane lane("duckdb", 1);
        if (const auto text = read_file(folder.path() / "sink"); !text.empty()) {
            const auto progress = TRY(decode_progress(text));
            lane.restore(progress.offsets, progress.position.commit);
        }
        TRY(lane.follow(writer));
        return lane;
    }

    // True when the failpoint was hit.
    auto killed_at(std::string_view name, int hits) -> bool {
        const pid_t child = ::fork();
        if (child == 0) {
            const auto armed = arm_failpoints(std::string(name) + "=" + std::to_string(hits));
            const auto result = armed ? work(20) : armed;
            if (!result) std::fprintf(stderr, "%s\n", result.error().what.c_str());
            ::_exit(result ? 0 : 3);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << name << " hit " << hits;
        return WIFSIGNALED(status);
    }

    std::atomic<std::uint64_t>* acknowledged = nullptr;
};

TEST_F(KillTest, NothingIsLostAtAnyFailpoint) {
    constexpr std::string_view names[] = {"log.frame_written",  "log.frame_synced",
                                          "log.segment_switch", "log.preallocate",
                                          "log.cut_tail",       "log.retention_drop"};
    for (const auto name : names) {
        for (int hits = 1; hits < 200; hits = hits * 3 / 2 + 1) {
            const bool killed = killed_at(name, hits);
            EXPECT_TRUE(killed || hits > 1) << name;
            auto made = try_open();
            ASSERT_TRUE(made.has_value()) << name << " hit " << hits << ": " << made.error().what;
            const auto point = (*made)->resume_point();
            ASSERT_OK(point);
            const auto at = (*point).position ? (*point).position->commit : 0;
            ASSERT_GE(at, acknowledged->load()) << name << " hit " << hits;
            // One transaction may be durable and not yet counted, also the first behind the image.
            ASSERT_LE(at, std::max<std::uint64_t>(acknowledged->load(), 5) + 1)
                << name << " hit " << hits;
            const auto lane = catch_up(**made);
            ASSERT_TRUE(lane.has_value())
                << name << " hit " << hits << ": " << lane.error().what;
            ASSERT_EQ((*lane).seen(), at) << name << " hit " << hits;
            acknowledged->store(at);
            if (!killed) break;
        }
        std::filesystem::remove_all(config.path);
        std::filesystem::remove(folder.path() / "sink");
        acknowledged->store(0);
    }
}

}  // namespace
}  // namespace leat::log_queue
