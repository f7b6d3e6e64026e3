// Power cuts and failing calls: whatever was acknowledged is there afterwards, in order, once.
#include <cstdlib>

#include "queue/log/log_fixture.hpp"
#include "queue/log/memory_disk.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

// A writer that goes on over crashes, and what it may rely on.
class Workload {
public:
    explicit Workload(std::uint64_t seed) : random_(seed) {
        config_.path = folder_.path() / "log";
        config_.segment_bytes.count = 16 << 10;
        config_.max_bytes.count = 64 << 20;
        config_.rewind_bytes.count = 32 << 10;
        config_.rewind_time = std::chrono::hours(1);
        disk_ = std::make_unique<MemoryDisk>();
    }

    ~Workload() {
        disk_->judge({});
        log_.reset();
    }
    Workload(const Workload&) = delete;
    auto operator=(const Workload&) -> Workload& = delete;

    auto open() -> Result<void> {
        log_.reset();
        Surroundings surroundings;
        surroundings.disk = disk_.get();
        log_ = TRY(LogQueue::make(config_, {"shop", {"duckdb"}, &clock_}, surroundings));
        const auto point = TRY(log_->resume_point());
        if (point.newest && !point.newest->complete && !point.newest->aborted)
            TRY(log_->append(marker(MarkerKind::aborted, point.newest->generation, {}), {}));
        if (point.position) {
            // Where the source goes on: what was being written may have become durable.
            TRY(check_resumed(*point.position));
            commit_ = acknowledged_ = point.position->commit;
            return {};
        }
        if (acknowledged_ > 0) return Error{Fault::fatal, "the image is gone", "", ""};
        generation_ = point.newest ? point.newest->generation + 1 : 1;
        return take_image();
    }

    auto take_image() -> Result<void> {
        const auto lineage = static_cast<std::uint32_t>(generation_);
        commit_ = 5;
        acknowledged_ = 0;
        TRY(log_->append(marker(MarkerKind::begin, generation_, {lineage, 0, 0, ""}), {}));
        TRY(log_->append(marker(MarkerKind::point, generation_, {lineage, 5, 0, "point"}), {}));
        for (int i = 0; i < 3; ++i) TRY(log_->append(image(i, generation_, 5, 5000), {}));
        TRY(log_->append(marker(MarkerKind::complete, generation_, {lineage, 5, 0, ""}), {}));
        acknowledged_ = 5;
        return {};
    }

    // One transaction of one to four frames.
    auto write() -> Result<void> {
        const auto frames = random_() % 4 == 0 ? 1 + random_() % 4 : 1;
        const auto commit = commit_ + 1;
        for (std::uint64_t i = 0; i < frames; ++i) {
            auto frame = change(commit, orders(1 + commit / 20, generation_), random_() % 9000,
                                i + 1 == frames, i);
            frame.first.lineage = frame.last.lineage = static_cast<std::uint32_t>(generation_);
            TRY(log_->append(frame, {}));
        }
        commit_ = acknowledged_ = commit;
        return {};
    }

    auto read_and_release() -> Result<void> {
        const auto reader = TRY(log_->reader("duckdb", sink_));
        while (auto delivery = TRY(reader->next({}, Duration::zero()))) TRY(take(*delivery));
        if (seen_ != acknowledged_ && seen_ != commit_)
            return Error{Fault::fatal,
                         "sink is at " + std::to_string(seen_) + ", acknowledged " +
                             std::to_string(acknowledged_),
                         "", ""};
        if (sink_) TRY(log_->release("duckdb", *sink_));
        return {};
    }

    // The sink must see every commit once, in order; an image starts it anew.
    auto take(const Delivery& delivery) -> Result<void> {
        const auto& frame = delivery.frame;
        if (frame.marker && frame.marker->kind == MarkerKind::point) seen_ = 5;
        if (frame.kind == FrameKind::changes && frame.ends_transaction) {
            if (frame.last.commit != seen_ + 1)
                return Error{Fault::fatal,
                             "commit " + std::to_string(frame.last.commit) + " after " +
                                 std::to_string(seen_),
                             "", ""};
            seen_ = frame.last.commit;
        }
        sink_ = delivery.after;
        return {};
    }

    auto check_resumed(const Position& position) const -> Result<void> {
        if (acknowledged_ == 0 && position.commit == 5) return {};
        if (position.commit == acknowledged_ || position.commit == acknowledged_ + 1) return {};
        return Error{Fault::fatal,
                     "resumed at " + std::to_string(position.commit) + ", acknowledged " +
                         std::to_string(acknowledged_),
                     "", ""};
    }

    // Runs until something fails or the work is done.
    auto run(std::uint64_t transactions) -> Result<void> {
        TRY(open());
        for (std::uint64_t i = 0; i < transactions; ++i) {
            TRY(write());
            if (random_() % 5 == 0) TRY(read_and_release());
        }
        return read_and_release();
    }

    auto disk() -> MemoryDisk& { return *disk_; }
    auto power_cut(std::uint64_t seed) -> void {
        auto after = disk_->image(seed);
        log_.reset();
        disk_ = std::move(after);
    }
    auto kill() -> void {
        auto after = disk_->copy();
        disk_->judge([](auto, auto) { return Verdict{Act::fail}; });
        log_.reset();
        disk_ = std::move(after);
    }

private:
    std::mt19937_64 random_;
    TempFolder folder_;
    ManualClock clock_;
    LogConfig config_;
    std::unique_ptr<MemoryDisk> disk_;
    std::unique_ptr<LogQueue> log_;
    Generation generation_ = 0;
    std::uint64_t commit_ = 0;
    std::uint64_t acknowledged_ = 0;
    std::uint64_t seen_ = 0;
    std::optional<Offsets> sink_;
};

auto rounds(std::uint64_t usual) -> std::uint64_t {
    const char* more = std::getenv("LEAT_LOG_IMAGES");
    return more != nullptr ? std::strtoull(more, nullptr, 10) : usual;
}

auto describe(const Result<void>& result) -> std::string {
    return result ? "" : result.error().what + " (" + result.error().context + ")";
}

TEST(CrashImage, PowerCutsLoseNothingThatWasAcknowledged) {
    const char* only = std::getenv("LEAT_LOG_SEED");  // repeats one of them
    const auto count = only != nullptr ? std::strtoull(only, nullptr, 10) : rounds(400);
    for (std::uint64_t seed = only != nullptr ? count : 1; seed <= count; ++seed) {
        std::mt19937_64 random(seed);
        Workload workload(seed);
        // Several lives, each cut at a random call; half of the cuts fall into recovery.
        for (int life = 0; life < 6; ++life) {
            const auto cut = 1 + random() % (life % 2 == 0 ? 400 : 40);
            workload.disk().judge([cut](std::uint64_t number, Call) {
                return Verdict{number == cut ? Act::power_cut : Act::go_on};
            });
            const auto result = workload.run(30);
            ASSERT_TRUE(result || workload.disk().dead())
                << "seed " << seed << ": " << describe(result);
            workload.power_cut(random());
        }
        const auto result = workload.run(10);
        ASSERT_TRUE(result) << "seed " << seed << ": " << describe(result);
    }
}

TEST(CrashImage, EveryFailingCallStopsTheLogAndLosesNothing) {
    std::uint64_t calls = 0;
    for (std::uint64_t fail_at = 1;; ++fail_at) {
        Workload workload(7);
        bool hit = false;
        workload.disk().judge([&, fail_at](std::uint64_t number, Call) {
            if (number != fail_at) return Verdict{};
            hit = true;
            return Verdict{Act::fail, -EIO};
        });
        const auto result = workload.run(25);
        if (!hit) {
            ASSERT_TRUE(result) << describe(result);
            break;
        }
        calls = fail_at;
        // A failure that nobody was told of must not have mattered.
        if (!result) {
            ASSERT_NE(result.error().fault, Fault::retry) << describe(result);
        }
        workload.kill();
        const auto after = workload.run(10);
        ASSERT_TRUE(after) << "call " << fail_at << ": " << describe(after);
    }
    EXPECT_GT(calls, 200U);
}

TEST(CrashImage, ShortWritesAndInterruptionsGoUnnoticed) {
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        std::mt19937_64 random(seed);
        Workload workload(seed);
        workload.disk().judge([&](std::uint64_t, Call call) {
            if (call != Call::write && call != Call::read) return Verdict{};
            if (random() % 3 == 0) return Verdict{Act::fail, random() % 2 == 0 ? -EINTR : -EAGAIN};
            return Verdict{random() % 3 == 0 ? Act::fall_short : Act::go_on};
        });
        const auto result = workload.run(20);
        ASSERT_TRUE(result) << describe(result);
    }
}

}  // namespace
}  // namespace leat::log_queue
