// What the parts of one open log share: where its files are, what is durable, who waits for what.
// LogQueue owns it; everything in `state` is touched under `mutex` only.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/progress.hpp"
#include "queue/log/config.hpp"
#include "queue/log/disk.hpp"
#include "queue/log/frame_codec.hpp"
#include "queue/log/schema_book.hpp"
#include "queue/log/segment.hpp"

namespace leat::log_queue {

struct Segment {
    std::uint64_t number = 0;
    std::uint64_t base_offset = 0;
    std::uint64_t file_bytes = 0;
    std::int64_t created_us = 0;
};

// A file of zeros that becomes the next segment.
struct Prepared {
    std::uint64_t number = 0;
    std::uint64_t file_bytes = 0;
};

struct SequenceState {
    std::vector<Segment> segments;    // in use, oldest first; the last is written to
    std::uint64_t written_bytes = 0;  // of the last one
    std::uint64_t visible_end = 0;    // frames below are durable and may be read
    std::uint64_t readable_end = 0;   // end of the last of them that lanes are given
    bool in_transaction = false;      // the newest frame does not end its transaction
    std::uint64_t wanted_bytes = 0;   // the preparer is to make a file of this size; 0: none
    std::optional<Prepared> prepared;

    [[nodiscard]] auto used_bytes() const -> std::uint64_t {
        std::uint64_t bytes = written_bytes;
        for (std::size_t i = 0; i + 1 < segments.size(); ++i) bytes += segments[i].file_bytes;
        return bytes;
    }
    [[nodiscard]] auto next_number() const -> std::uint64_t {
        return segments.empty() ? 0 : segments.back().number + 1;
    }
};

// `current`: what is true now. `recorded`: the version of it that the change sequence tells, and the
// offset of the frame that does.
struct LogState {
    std::array<SequenceState, 2> sequences;
    State current;
    std::uint64_t recorded = 0;
    std::uint64_t recorded_at = 0;
    std::map<TableName, std::uint32_t> in_force;  // newest schema of every table
    std::map<std::string, std::optional<Offsets>> released;
    std::set<std::string> dropped;  // lanes that hold nothing any more: the log was full
    std::optional<Error> broken;                               // for ever
    std::map<std::string, std::string, std::less<>> pressure;  // who waits, and why
    std::uint64_t version = 0;                                 // of all of this

    auto of(SequenceKind kind) -> SequenceState& {
        return sequences[static_cast<std::size_t>(kind) - 1];
    }
    [[nodiscard]] auto of(SequenceKind kind) const -> const SequenceState& {
        return sequences[static_cast<std::size_t>(kind) - 1];
    }
};

// The surroundings, replaced by tests.
struct Surroundings {
    Disk* disk = nullptr;                   // null: the real one
    std::function<std::uint64_t()> random;  // empty: the system's
};

class FolderLock;

struct Log {
    Log(LogConfig options, const Clock& time) : config(std::move(options)), clock(time) {}

    [[nodiscard]] auto path_of(SequenceKind kind, std::uint64_t number) const -> Path {
        return config.path / segment_name(kind, number);
    }
    // Says that something in `state` is different now. With the lock held.
    auto changed_state() -> void {
        ++state.version;
        changed.notify_all();
    }
    // A failure after which nothing on disk can be trusted to be what was written: from now on
    // every call fails with it. Returns it.
    auto break_down(Error error) -> Error {
        const std::lock_guard lock(mutex);
        if (!state.broken) state.broken = error;
        changed_state();
        return error;
    }
    // Empty: `who` waits no longer.
    auto set_pressure(std::string_view who, std::string why) -> void {
        const std::lock_guard lock(mutex);
        if (why.empty()) {
            if (state.pressure.erase(std::string(who)) == 0) return;
        } else {
            state.pressure[std::string(who)] = std::move(why);
        }
        changed_state();
    }

    const LogConfig config;
    const Clock& clock;
    Disk* disk = nullptr;
    const FolderLock* folder_lock = nullptr;
    std::function<std::uint64_t()> random;
    Uuid uuid{};
    Incarnation incarnation = 0;
    SchemaBook schemas;

    std::mutex mutex;
    std::condition_variable_any changed;
    LogState state;

    // Held by whoever makes or removes segment files; taken before `mutex`.
    std::mutex files;
};

using SchemasInForce = std::map<TableName, std::uint32_t>;

// Applies a marker that became durable at `offset` of its sequence.
auto apply(const Marker& marker, std::uint64_t offset, State& state, SchemasInForce& in_force)
    -> void;
// Forgets generations that no lane can meet any more: their begin is before `first_offset`.
auto forget_before(std::uint64_t first_offset, State& state) -> void;
// Notes that a schema is written: what the stream says counts, an image only speaks first.
auto note_schema(const Log& log, SequenceKind kind, std::uint32_t number, const State& state,
                 SchemasInForce& in_force) -> void;
auto stopped() -> Error;

}  // namespace leat::log_queue
