// Retention: which segments no lane needs any more, and whether there is room for another frame.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "queue/log/log_state.hpp"

namespace leat::log_queue {

// Drops, oldest first, what every lane has released and the rewind window no longer covers.
// `incoming`: bytes that are about to be appended to `kind`.
auto drop_released(Log& log, SequenceKind kind, std::uint64_t incoming) -> Result<void>;

// Waits until a frame of this size may be appended: below the cap, an image below its share. An
// unfinished transaction never waits.
auto wait_for_room(Log& log, SequenceKind kind, std::uint64_t bytes, const std::stop_token& stop)
    -> Result<void>;

// Bytes that some lane has not released, or that no cut may pass: what counts towards the cap.
// With the lock held.
auto held_bytes(const Log& log) -> std::uint64_t;

// Fault::fatal "needs rebuild" for a lane that was dropped because the log was full.
auto refuse_dropped(Log& log, const std::string& lane) -> Result<void>;

// The earlier of two places, as far as retention is concerned.
auto earlier(const Offsets& a, const Offsets& b) -> const Offsets&;

}  // namespace leat::log_queue
