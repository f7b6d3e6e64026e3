// Power cuts and failing calls: whatever was acknowledged is there afterwards, in order, once.
#include <algorithm>
#include <cstdlib>

#include "queue/log/lane_fixture.hpp"
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
        TRY(end_unfinished(point));
        newest_ = point.generations.empty() ? 0 : point.generations.back().generation;
        if (!point.position) {
            if (acknowledged_ > 0) return Error{Fault::fatal, "the image is gone", "", ""};
            return take_image(Purpose::anew);
        }
        // Where the source goes on: what was being written may have become durable.
        TRY(check_resumed(point));
        commit_ = acknowledged_ = point.position->commit;
        return is_missing(point) ? take_image(Purpose::added) : Result<void>();
    }

    // As capture does: what has no end by now never gets more.
    auto end_unfinished(const ResumePoint& point) -> Result<void> {
        for (const auto& each : point.generations) {
            if (each.has_ended) continue;
            const auto missing = each.missing();
            TRY(log_->append(marker(MarkerKind::end, each.generation, each.point.value_or(Position{}),
                                    {missing.begin(), missing.end()}),
                             {}));
        }
        return {};
    }
    static auto is_missing(const ResumePoint& point) -> bool {
        return std::none_of(point.generations.begin(), point.generations.end(),
                            [](const auto& each) { return each.missing().empty(); });
    }

    // Changes go on beside an image that the stream does not begin with.
    auto take_image(Purpose purpose) -> Result<void> {
        const auto generation = ++newest_;
        auto first = begin(generation, purpose, {orders_name()});
        if (purpose == Purpose::anew) {
            anew_ = generation;
            commit_ = 5;
            acknowledged_ = 0;
            first.marker->position.lineage = lineage();
        }
        TRY(log_->append(first, {}));
        const Position at{lineage(), commit_, 0, "point"};
        TRY(log_->append(marker(MarkerKind::point, generation, at), {}));
        acknowledged_ = std::max(acknowledged_, at.commit);
        for (int i = 0; i < 3; ++i) {
            TRY(log_->append(image(i, generation, at.commit, 5000), {}));
            if (purpose != Purpose::anew) TRY(write());
        }
        TRY(log_->append(marker(MarkerKind::table, generation, at, {orders_name()}), {}));
        TRY(log_->append(marker(MarkerKind::end, generation, at), {}));
        return {};
    }

    // One transaction of one to four frames.
    auto write() -> Result<void> {
        const auto frames = random_() % 4 == 0 ? 1 + random_() % 4 : 1;
        const auto commit = commit_ + 1;
        for (std::uint64_t i = 0; i < frames; ++i) {
            auto frame = change(commit, orders(version_of(commit), anew_), random_() % 9000,
                                i + 1 == frames, i);
            frame.first.lineage = frame.last.lineage = lineage();
            TRY(log_->append(frame, {}));
        }
        commit_ = acknowledged_ = commit;
        return {};
    }

    auto read_and_release() -> Result<void> {
        TRY(lane_.follow(*log_));
        if (lane_.seen() != acknowledged_ && lane_.seen() != commit_)
            return Error{Fault::fatal,
                         "sink is at " + std::to_string(lane_.seen()) + ", acknowledged " +
                             std::to_string(acknowledged_),
                         "", ""};
        if (lane_.offsets()) TRY(log_->release("duckdb", *lane_.offsets()));
        return {};
    }

    auto check_resumed(const ResumePoint& point) const -> Result<void> {
        const auto commit = point.position->commit;
        // What the stream says counts, whatever images came later.
        const bool has_schema = point.schemas.size() == 1 &&
                                point.schemas[0]->version == version_of(commit) &&
                                point.schemas[0]->generation == anew_;
        if (commit > 5 && !has_schema)
            return Error{Fault::fatal, "other schemas than at " + std::to_string(commit), "", ""};
        if (acknowledged_ == 0 && commit == 5) return {};
        if (commit == acknowledged_ || commit == acknowledged_ + 1) return {};
        return Error{Fault::fatal,
                     "resumed at " + std::to_string(commit) + ", acknowledged " +
                         std::to_string(acknowledged_),
                     "", ""};
    }

    // Runs until something fails or the work is done.
    auto run(std::uint64_t transactions) -> Result<void> {
        TRY(open());
        for (std::uint64_t i = 0; i < transactions; ++i) {
            TRY(write());
            if (random_() % 5 == 0) TRY(read_and_release());
            if (random_() % 12 == 0) TRY(take_image(Purpose::rebuild));
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

    [[nodiscard]] auto filled() const -> std::size_t { return lane_.filled(); }

private:
    static auto version_of(std::uint64_t commit) -> std::uint64_t { return 1 + commit / 20; }
    [[nodiscard]] auto lineage() const -> std::uint32_t {
        return static_cast<std::uint32_t>(anew_);
    }

    std::mt19937_64 random_;
    TempFolder folder_;
    ManualClock clock_;
    LogConfig config_;
    std::unique_ptr<MemoryDisk> disk_;
    std::unique_ptr<LogQueue> log_;
    Generation newest_ = 0;
    Generation anew_ = 0;  // that the stream began with
    std::uint64_t commit_ = 0;
    std::uint64_t acknowledged_ = 0;
    CheckedLane lane_{"duckdb", 3};
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
    std::size_t filled = 0;
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
        filled += workload.filled();
    }
    if (only == nullptr) {
        EXPECT_GT(filled, count);
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
