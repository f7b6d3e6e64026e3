// Sinks and queues that misbehave on purpose, around ones that do not. Each is a decorator of the
// interface, so that every part of the engine meets faults where it would meet them in life.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "queue/queue.hpp"
#include "scenario/memory_sink.hpp"
#include "sink/sink.hpp"

namespace leat::scenario {

enum class Step { make, open, evolve, write, commit, adopt, settle, append, read, snapshot };

// `after`: the call did its work all the same, and only the answer was lost.
struct Failure {
    Fault fault = Fault::retry;
    bool after = false;
};

// Asked before each call; called from the thread of whoever calls the decorated object.
using FaultPlan = std::function<std::optional<Failure>(Step)>;

inline auto scripted_error(const Failure& failure) -> Error {
    return Error{failure.fault, "scripted failure", "Read the test.", ""};
}

// Calls `work` unless `plan` has a failure before it; its answer is lost by a failure after it.
template <class Work>
auto with_faults(const FaultPlan& plan, Step step, Work work) -> decltype(work()) {
    const auto failure = plan(step);
    if (failure && !failure->after) return scripted_error(*failure);
    auto result = work();
    if (failure) return scripted_error(*failure);
    return result;
}

// Holds the engine to the contract: after an error nothing but open() may be called.
class FailingSink final : public Sink {
public:
    FailingSink(std::unique_ptr<Sink> sink, const FaultPlan& plan)
        : sink_(std::move(sink)), plan_(plan) {}

    auto open(const Identity& identity) -> Result<std::optional<Progress>> override {
        has_failed_ = false;
        return call(Step::open, [&] { return sink_->open(identity); });
    }
    auto evolve(const SchemaPtr& schema) -> Result<void> override {
        return call(Step::evolve, [&] { return sink_->evolve(schema); });
    }
    auto write(const Batch& batch) -> Result<Rejects> override {
        return call(Step::write, [&] { return sink_->write(batch); });
    }
    auto commit(const Progress& progress) -> Result<void> override {
        return call(Step::commit, [&] { return sink_->commit(progress); });
    }
    auto adopt(Generation generation, const TableFilter& wanted) -> Result<void> override {
        return call(Step::adopt, [&] { return sink_->adopt(generation, wanted); });
    }
    auto settle(Rest rest) -> Result<std::optional<Offsets>> override {
        return call(Step::settle, [&] { return sink_->settle(rest); });
    }

private:
    template <class Work>
    auto call(Step step, Work work) -> decltype(work()) {
        if (has_failed_)
            return Error{Fault::fatal, "the sink was used after an error, without open()", "", ""};
        auto result = with_faults(plan_, step, std::move(work));
        has_failed_ = !result;
        return result;
    }

    std::unique_ptr<Sink> sink_;
    const FaultPlan& plan_;
    bool has_failed_ = false;
};

// Tells of every write before it is done.
class WatchedSink final : public Sink {
public:
    WatchedSink(std::unique_ptr<Sink> sink, std::function<void()> on_write)
        : sink_(std::move(sink)), on_write_(std::move(on_write)) {}

    auto open(const Identity& identity) -> Result<std::optional<Progress>> override {
        return sink_->open(identity);
    }
    auto evolve(const SchemaPtr& schema) -> Result<void> override { return sink_->evolve(schema); }
    auto write(const Batch& batch) -> Result<Rejects> override {
        on_write_();
        return sink_->write(batch);
    }
    auto commit(const Progress& progress) -> Result<void> override {
        return sink_->commit(progress);
    }
    auto adopt(Generation generation, const TableFilter& wanted) -> Result<void> override {
        return sink_->adopt(generation, wanted);
    }
    auto settle(Rest rest) -> Result<std::optional<Offsets>> override { return sink_->settle(rest); }

private:
    std::unique_ptr<Sink> sink_;
    const std::function<void()> on_write_;
};

// Holds up whoever passes while it is shut.
class Gate {
public:
    auto shut() -> void { set(false); }
    auto open() -> void { set(true); }
    auto pass() -> void {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return open_; });
        --waiting_;
    }
    // Until somebody stands before it.
    auto wait_for_visitor() -> void {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return waiting_ > 0 && !open_; });
    }

private:
    auto set(bool open) -> void {
        const std::lock_guard lock(mutex_);
        open_ = open;
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = true;
    int waiting_ = 0;
};

// Takes its time for each commit, or stands before a gate.
class SlowSink final : public Sink {
public:
    SlowSink(std::unique_ptr<Sink> sink, Duration per_commit, Gate* gate = nullptr)
        : sink_(std::move(sink)), per_commit_(per_commit), gate_(gate) {}

    auto open(const Identity& identity) -> Result<std::optional<Progress>> override {
        return sink_->open(identity);
    }
    auto evolve(const SchemaPtr& schema) -> Result<void> override { return sink_->evolve(schema); }
    auto write(const Batch& batch) -> Result<Rejects> override { return sink_->write(batch); }
    auto commit(const Progress& progress) -> Result<void> override {
        if (gate_ != nullptr) gate_->pass();
        std::this_thread::sleep_for(per_commit_);
        return sink_->commit(progress);
    }
    auto adopt(Generation generation, const TableFilter& wanted) -> Result<void> override {
        return sink_->adopt(generation, wanted);
    }
    auto settle(Rest rest) -> Result<std::optional<Offsets>> override { return sink_->settle(rest); }

private:
    std::unique_ptr<Sink> sink_;
    const Duration per_commit_;
    Gate* const gate_;
};

// Stands further back than when it was left, now and then: an older copy was put back meanwhile.
class ForgettingSink final : public Sink {
public:
    using Amount = std::function<std::size_t()>;  // commits to forget at this open

    ForgettingSink(MemoryTarget& target, Amount amount)
        : target_(target), amount_(std::move(amount)), sink_(target.make_sink()) {}

    auto open(const Identity& identity) -> Result<std::optional<Progress>> override {
        target_.forget(amount_());
        return sink_->open(identity);
    }
    auto evolve(const SchemaPtr& schema) -> Result<void> override { return sink_->evolve(schema); }
    auto write(const Batch& batch) -> Result<Rejects> override { return sink_->write(batch); }
    auto commit(const Progress& progress) -> Result<void> override {
        return sink_->commit(progress);
    }
    auto adopt(Generation generation, const TableFilter& wanted) -> Result<void> override {
        return sink_->adopt(generation, wanted);
    }
    auto settle(Rest rest) -> Result<std::optional<Offsets>> override { return sink_->settle(rest); }

private:
    MemoryTarget& target_;
    const Amount amount_;
    std::unique_ptr<Sink> sink_;
};

// Rejects every row of one table.
class RejectingSink final : public Sink {
public:
    RejectingSink(std::unique_ptr<Sink> sink, std::string table)
        : sink_(std::move(sink)), table_(std::move(table)) {}

    auto open(const Identity& identity) -> Result<std::optional<Progress>> override {
        return sink_->open(identity);
    }
    auto evolve(const SchemaPtr& schema) -> Result<void> override { return sink_->evolve(schema); }
    auto write(const Batch& batch) -> Result<Rejects> override {
        if (batch.schema->name.table == table_) return Rejects{{0, "text", "does not fit"}};
        return sink_->write(batch);
    }
    auto commit(const Progress& progress) -> Result<void> override {
        return sink_->commit(progress);
    }
    auto adopt(Generation generation, const TableFilter& wanted) -> Result<void> override {
        return sink_->adopt(generation, wanted);
    }
    auto settle(Rest rest) -> Result<std::optional<Offsets>> override { return sink_->settle(rest); }

private:
    std::unique_ptr<Sink> sink_;
    const std::string table_;
};

// Fails appends; remembers the last proof it handed out.
class FailingQueue final : public Queue {
public:
    FailingQueue(std::unique_ptr<Queue> queue, FaultPlan plan)
        : queue_(std::move(queue)), plan_(std::move(plan)) {}

    auto append(const Frame& frame, const std::stop_token& stop) -> Result<Durable> override {
        return with_faults(plan_, Step::append, [&] { return queue_->append(frame, stop); });
    }
    auto resume_point() -> Result<ResumePoint> override { return queue_->resume_point(); }
    [[nodiscard]] auto generations() const -> std::vector<GenerationState> override {
        return queue_->generations();
    }
    [[nodiscard]] auto tables() const -> std::set<TableName> override { return queue_->tables(); }
    [[nodiscard]] auto holds(const Place& place) const -> bool override {
        return queue_->holds(place);
    }
    auto reader(const std::string& lane, const Place& from)
        -> Result<std::unique_ptr<LaneReader>> override {
        return queue_->reader(lane, from);
    }
    auto retain(const std::string& lane, const Offsets& offsets) -> Result<void> override {
        return queue_->retain(lane, offsets);
    }
    auto release(const std::string& lane, const Offsets& offsets) -> Result<void> override {
        return queue_->release(lane, offsets);
    }
    [[nodiscard]] auto identity() const -> QueueIdentity override { return queue_->identity(); }

private:
    std::unique_ptr<Queue> queue_;
    const FaultPlan plan_;
};

}  // namespace leat::scenario
