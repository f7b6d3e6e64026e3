// Queue and LaneReader: the pipeline's durable memory between capture and the lanes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/frame.hpp"
#include "change/progress.hpp"
#include "queue/durable.hpp"

namespace leat {

// What a queue is made with, besides its own options: `make(options, context)`.
struct QueueContext {
    std::string pipeline;
    std::vector<std::string> lanes;  // all that exist: what none of these still needs may be dropped
    const Clock* clock = nullptr;    // outlives the queue
};

// `id`: of these very offsets; a queue made anew has another. `incarnation`: the number that this
// process took when it opened the queue.
struct QueueIdentity {
    std::string id;
    Incarnation incarnation = 0;
};

// A snapshot generation as the queue knows it. `whole`: tables whose image is there. `sinks`: empty:
// all. `start`: where a lane goes that wants the image and what follows it.
struct GenerationState {
    Generation generation = 0;
    std::uint32_t lineage = 0;
    Purpose purpose = Purpose::anew;
    bool is_all = false;
    std::vector<std::string> sinks;
    std::vector<TableName> tables;
    std::vector<TableName> whole;
    std::optional<Position> point;
    bool has_ended = false;
    Place start;

    // Not there and not given up.
    [[nodiscard]] auto missing() const -> std::set<TableName> {
        std::set<TableName> left(tables.begin(), tables.end());
        for (const auto& table : whole) left.erase(table);
        return left;
    }
};

// Where capture goes on after a start. `position` is empty when the stream has no beginning yet:
// then it begins anew. `tables`: what it carries.
struct ResumePoint {
    std::optional<Position> position;  // last complete transaction (or position frame)
    std::vector<SchemaPtr> schemas;    // newest of every table up to there
    std::set<TableName> tables;
    std::vector<GenerationState> generations;  // oldest first; what no lane can need may be gone
};

// One frame for a lane, with the place that stands for "this frame and all before it are applied".
struct Delivery {
    Frame frame;
    Place after;
    bool at_end = false;  // nothing more is readable right now: the reader has caught up
};

// Owned and called by one lane thread. Independent of every other reader.
class LaneReader {
public:
    virtual ~LaneReader() = default;

    // The next frame: the image of its generation first (point, snapshot frames, table and end
    // markers), then changes and markers of all generations from `change_offset` on, rows at or
    // below the consistent point left out; whole transactions only. Which tables a lane feeds is
    // not the queue's business. Nothing within `wait`: empty. Never skips damage: Fault::fatal.
    virtual auto next(const std::stop_token& stop, Duration wait)
        -> Result<std::optional<Delivery>> = 0;
};

// append() is called by the change appender and, for frames of an image, by snapshot workers: safe
// from several threads. reader(), holds() and release() from lane threads.
class Queue {
public:
    virtual ~Queue() = default;

    // Returns when the frame is durable (fdatasync returned 0). Blocks while the queue is at its
    // cap (frames of an image: at their share); `stop` ends the wait with Fault::retry "stopped". A
    // failed sync is Fault::fatal and never retried.
    virtual auto append(const Frame& frame, const std::stop_token& stop) -> Result<Durable> = 0;

    // Called by capture before each (re)opening of the source, never beside append(): cuts what an
    // interrupted transaction left at the tail, and says where the source must go on.
    virtual auto resume_point() -> Result<ResumePoint> = 0;

    // As in ResumePoint, at any time.
    [[nodiscard]] virtual auto generations() const -> std::vector<GenerationState> = 0;
    [[nodiscard]] virtual auto tables() const -> std::set<TableName> = 0;

    // Everything from there on is still there. False also for a place ahead of the queue.
    [[nodiscard]] virtual auto holds(const Place& place) const -> bool = 0;

    // Fault::fatal "needs rebuild" when the queue does not hold the place any more.
    virtual auto reader(const std::string& lane, const Place& from)
        -> Result<std::unique_ptr<LaneReader>> = 0;

    // The lane goes on from here, whatever it released before: nothing behind is dropped.
    virtual auto retain(const std::string& lane, const Offsets& offsets) -> Result<void> = 0;

    // The sink is safe up to here: what all lanes have released may be dropped once it is outside
    // the rewind window. A hint only, it proves nothing.
    virtual auto release(const std::string& lane, const Offsets& offsets) -> Result<void> = 0;

    [[nodiscard]] virtual auto identity() const -> QueueIdentity = 0;

protected:
    // For implementations only, and only behind a completed sync.
    static auto proof(Position position) -> Durable { return Durable(std::move(position)); }
};

// How full a queue is. `held_bytes`: not released by some lane yet; at `bytes_max` append() waits.
// `waits`: why it waits now, also for another reason, such as a full disk; empty: it does not.
struct QueueRoom {
    std::uint64_t held_bytes = 0;
    std::uint64_t bytes_max = 0;
    std::string waits;
};

// A queue with a size of its own. Any thread; cheap enough for once a second.
class Bounded {
public:
    virtual ~Bounded() = default;
    [[nodiscard]] virtual auto room() const -> QueueRoom = 0;
    // Fault::fatal "needs rebuild" for a lane that was given up to make room.
    [[nodiscard]] virtual auto still_serves(const std::string& lane) const -> Result<void> = 0;
};

}  // namespace leat
