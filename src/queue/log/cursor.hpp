// Cursor: walks the visible frames of one sequence from an offset on, across segments. Owned by one
// lane thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "change/frame.hpp"
#include "queue/log/log_state.hpp"
#include "queue/log/payload.hpp"
#include "queue/log/segment_reader.hpp"

namespace leat::log_queue {

class Cursor {
public:
    Cursor(Log& log, SequenceKind kind, std::uint64_t offset)
        : log_(log), kind_(kind), offset_(offset) {}

    // The next frame to be read.
    [[nodiscard]] auto offset() const -> std::uint64_t { return offset_; }

    // The header of the next frame that lanes are given; nothing: none is visible. Checks every
    // frame on the way. Stays there until take() or skip().
    auto peek() -> Result<std::optional<FrameHeader>>;
    // The frame that peek() showed, decoded.
    auto take() -> Result<Frame>;
    auto skip() -> void;

private:
    auto enter(const Segment& segment) -> Result<void>;
    auto find() -> Result<void>;
    auto follow() -> Result<void>;
    auto read(Depth depth) -> Result<FoundFrame>;
    [[nodiscard]] auto damaged(std::string_view why) const -> Error;

    Log& log_;
    const SequenceKind kind_;
    std::uint64_t offset_;
    std::optional<SegmentReader> reader_;
    std::uint64_t number_ = 0;  // of the segment
    std::uint64_t at_ = 0;      // in it
    std::uint32_t chain_ = 0;
    std::uint64_t visible_end_ = 0;
    Dictionary dictionary_;  // of the segment
    std::optional<FrameHeader> shown_;
};

// "needs rebuild", with the reason.
auto needs_rebuild(std::string why) -> Error;

}  // namespace leat::log_queue
