// The promises of sink/sink.hpp as tests that every sink passes. A connector adds one file here:
// its Target and one INSTANTIATE_TEST_SUITE_P of SinkConformance.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "change/batch_fixture.hpp"
#include "change/progress.hpp"
#include "sink/sink.hpp"

namespace leat::conformance {

// One row as "1|text|∅": values in the order asked for, ∅ for NULL. Numbers as C++ writes them
// shortest and zero without a sign (a target need not keep it), bytes in hex, times in ISO 8601,
// lists as "[1, NULL]".
using Lines = std::vector<std::string>;

// A column with a value that the target cannot hold.
struct Poison {
    fixture::ColumnOf column;
    fixture::Value value;
};

// Where a sink writes to, empty when made and removed when destroyed. At most one sink exists over
// it at a time.
class Target {
public:
    virtual ~Target() = default;
    virtual auto make_sink() -> Result<std::unique_ptr<Sink>> = 0;
    // All committed rows, in any order, read without the sink's code. No sink exists meanwhile.
    virtual auto read(const TableName& table, const std::vector<std::string>& columns)
        -> Result<Lines> = 0;
    virtual auto poison() -> Poison = 0;
    // Failpoints that a commit with rows and the settle(last) after it pass.
    virtual auto failpoints() -> std::vector<std::string_view> = 0;
};

struct SinkKind {
    std::string name;
    std::function<std::unique_ptr<Target>()> make_target;
};

inline auto operator<<(std::ostream& out, const SinkKind& kind) -> std::ostream& {
    return out << kind.name;
}

inline auto identity_of(Incarnation incarnation = 1) -> Identity {
    return {"shop", "warehouse", "queue-1", incarnation};
}

// `offset` stands for how much of the queue is applied.
inline auto progress_at(std::uint64_t offset, Incarnation incarnation = 1) -> Progress {
    Progress progress;
    progress.offsets.generation = 1;
    progress.offsets.consistent_point = {1, 5, 0, "point"};
    progress.offsets.image_complete = true;
    progress.offsets.change_offset = offset;
    progress.position = {1, 10 * offset, 3, std::string("to\0ken;", 7)};
    progress.commit_time_us = static_cast<std::int64_t>(offset) * 1'000'000;
    progress.incarnation = incarnation;
    return progress;
}

// A sink over a target, and short words for what the engine does with it. A failed call fails the
// test and aborts it.
class Session {
public:
    Session(Target& target, Incarnation incarnation = 1) : incarnation_(incarnation) {
        auto made = target.make_sink();
        expect(made);
        sink_ = std::move(made).value();
    }

    auto open() -> std::optional<Progress> {
        auto progress = sink_->open(identity_of(incarnation_));
        expect(progress);
        return std::move(progress).value();
    }
    auto write(const Batch& batch) -> Rejects {
        expect(sink_->evolve(batch.schema));
        auto rejects = sink_->write(batch);
        expect(rejects);
        return std::move(rejects).value();
    }
    auto write(const fixture::BatchFixture& rows) -> Rejects { return write(rows.build()); }
    auto commit(std::uint64_t offset) -> void {
        expect(sink_->commit(progress_at(offset, incarnation_)));
        settle(Rest::after_commit);
    }
    auto apply(std::uint64_t offset, const fixture::BatchFixture& rows) -> void {
        EXPECT_TRUE(write(rows).empty());
        commit(offset);
    }
    auto settle(Rest rest) -> std::optional<Offsets> {
        auto safe = sink_->settle(rest);
        expect(safe);
        return std::move(safe).value();
    }
    auto operator->() -> Sink* { return sink_.get(); }

private:
    template <class R>
    static auto expect(const R& result) -> void {
        if (result.has_value()) return;
        std::fprintf(stderr, "%s\n", result.error().what.c_str());
        CHECK(result.has_value());
    }

    Incarnation incarnation_;
    std::unique_ptr<Sink> sink_;
};

inline auto read_sorted(Target& target, const std::string& table,
                        const std::vector<std::string>& columns) -> Lines {
    auto lines = target.read({"public", table}, columns);
    if (!lines) ADD_FAILURE() << lines.error().what;
    if (!lines) return {};
    std::sort(lines.value().begin(), lines.value().end());
    return std::move(lines).value();
}

class SinkConformance : public ::testing::TestWithParam<SinkKind> {
protected:
    auto target() -> Target& {
        if (!target_) target_ = GetParam().make_target();
        return *target_;
    }
    auto fresh_target() -> Target& {
        target_.reset();
        return target();
    }
    auto lines(const std::string& table, const std::vector<std::string>& columns) -> Lines {
        return read_sorted(target(), table, columns);
    }
    // Opens a sink, lets `use` work with it, and closes it without a commit of its own.
    template <class Use>
    auto session(Use&& use) -> void {
        Session opened(target());
        opened.open();
        use(opened);
    }

private:
    std::unique_ptr<Target> target_;
};

}  // namespace leat::conformance
