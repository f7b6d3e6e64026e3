// Frame: what is appended to a queue at once. Marker: what the engine writes between the rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "change/batch.hpp"
#include "change/position.hpp"
#include "change/progress.hpp"

namespace leat {

enum class FrameKind : std::uint8_t {
    changes = 1,   // batches of the change stream
    position = 2,  // no batches: the source stands at `last`; never inside a transaction
    snapshot = 3,  // batches of an image
    marker = 4,    // an event in the life of a snapshot generation
};

// Life of a generation in the log, in this order:
//   begin      change sequence, before the point is taken; its own offset is F, the first change
//              offset that the generation's lanes read after the image
//   point      snapshot sequence: the consistent point is known; the image's frames follow
//   complete   snapshot sequence: all tables of the image are there; `position` is the settled point
//   aborted    change sequence: what has neither complete nor aborted when capture opens
enum class MarkerKind : std::uint8_t { begin = 1, point = 2, complete = 3, aborted = 4 };

struct Marker {
    MarkerKind kind = MarkerKind::begin;
    Generation generation = 0;
    Position position;  // begin: only the lineage; point: consistent point; complete: settled point
    std::uint64_t change_offset = 0;  // point, complete: F; filled in by the queue
    std::vector<TableName> tables;

    friend auto operator==(const Marker&, const Marker&) -> bool = default;
};

// first/last: positions of the first and last row (position frame: both the same). A transaction
// larger than the byte cap spans frames; ends_transaction tells the last. commit_time_us: source
// commit time of `last`, microseconds since 1970 UTC.
struct Frame {
    FrameKind kind = FrameKind::changes;
    Position first;
    Position last;
    bool ends_transaction = true;
    std::int64_t commit_time_us = 0;
    Generation generation = 0;  // snapshot frames: the image they belong to
    std::vector<Batch> batches;
    std::optional<Marker> marker;

    [[nodiscard]] auto rows() const -> std::int64_t;
    [[nodiscard]] auto bytes() const -> std::size_t;
};

}  // namespace leat
