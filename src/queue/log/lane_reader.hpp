// LogLaneReader: what queue.hpp promises a lane, over two cursors: the image of its generation,
// then the changes.
#pragma once

#include <memory>
#include <optional>

#include "queue/log/cursor.hpp"
#include "queue/log/log_state.hpp"
#include "queue/queue.hpp"

namespace leat::log_queue {

class LogLaneReader final : public LaneReader {
public:
    // Refuses a place that the log does not reach back to, or that lies ahead of it.
    static auto make(Log& log, const std::optional<Offsets>& from)
        -> Result<std::unique_ptr<LogLaneReader>>;

    auto next(const std::stop_token& stop, Duration wait)
        -> Result<std::optional<Delivery>> override;

private:
    enum class Phase {
        waiting,  // for a generation with a point
        image,
        changes,
    };

    explicit LogLaneReader(Log& log) : log_(log) {}

    auto step() -> Result<std::optional<Delivery>>;
    auto step_waiting() -> Result<bool>;
    auto step_image() -> Result<std::optional<Delivery>>;
    auto step_changes() -> Result<std::optional<Delivery>>;
    auto start_image(const GenerationRecord& generation) -> Result<void>;
    auto deliver(Frame frame, const Cursor& cursor) -> Delivery;
    auto leave_out_image(Frame& frame) const -> void;
    auto newest() const -> GenerationRecord;

    Log& log_;
    Phase phase_ = Phase::waiting;
    Offsets offsets_;
    std::optional<Cursor> image_;
    std::optional<Cursor> changes_;
};

}  // namespace leat::log_queue
