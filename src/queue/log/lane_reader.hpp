// LogLaneReader: what queue.hpp promises a lane, over two cursors: the image of its generation,
// then the changes.
#pragma once

#include <memory>
#include <optional>

#include "queue/log/cursor.hpp"
#include "queue/log/log_state.hpp"
#include "queue/queue.hpp"

namespace leat::log_queue {

// Fault::fatal "needs rebuild" for a place that the log does not reach back to, or that lies ahead
// of it. With the lock held.
auto check_place(const LogState& state, const Place& place) -> Result<void>;

class LogLaneReader final : public LaneReader {
public:
    static auto make(Log& log, const Place& from) -> Result<std::unique_ptr<LogLaneReader>>;

    auto next(const std::stop_token& stop, Duration wait)
        -> Result<std::optional<Delivery>> override;

private:
    LogLaneReader(Log& log, const Place& from);

    auto step() -> Result<std::optional<Delivery>>;
    auto step_image() -> Result<std::optional<Delivery>>;
    auto deliver(Frame frame, const Cursor& cursor, SequenceKind kind) -> Delivery;
    auto leave_out_image(Frame& frame) const -> void;

    Log& log_;
    Place place_;
    std::optional<Cursor> image_;  // until it is complete
    Cursor changes_;
};

}  // namespace leat::log_queue
