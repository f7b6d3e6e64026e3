// Frame: what is appended to a queue at once. Marker: what the engine writes between the rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
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
//   begin   change sequence, before the point is taken: lanes that feed its tables read the changes
//           from here on once they have its image
//   point   snapshot sequence: the consistent point is known; the image's frames follow
//   table   snapshot sequence: the image of these tables is there as a whole; any number of times
//   end     snapshot sequence: nothing more comes; `position` is the settled point. Tables that are
//           not whole by now are given up, another generation takes them
// Beside generations:
//   left    change sequence: the stream no longer carries these tables
enum class MarkerKind : std::uint8_t { begin = 1, point = 2, table = 3, end = 4, left = 5 };

// Why an image is taken, which decides what a lane does with its live tables meanwhile.
enum class Purpose : std::uint8_t {
    anew = 1,     // the stream begins anew with it: all tables, all sinks; live tables stand still
    added = 2,    // tables that no sink has: nothing is fed until they are there
    rebuild = 3,  // tables that some sinks are to have again: live ones are fed meanwhile
};

// `sinks`, `tables`: of begin; no sinks: all. Other kinds name tables only. `is_all`: no table of
// the stream is missing, so that a sink can start from this image alone.
struct Marker {
    MarkerKind kind = MarkerKind::begin;
    Generation generation = 0;
    Position position;  // begin: only the lineage; point: consistent point; end: settled point
    std::vector<TableName> tables{};
    Purpose purpose = Purpose::anew;
    bool is_all = false;
    std::vector<std::string> sinks{};
    std::uint64_t snapshot_offset = 0;  // begin: no frame of its image is before; the queue fills it in

    friend auto operator==(const Marker&, const Marker&) -> bool = default;
};

// Whether a generation with these `sinks` is for that one.
[[nodiscard]] inline auto is_for(const std::vector<std::string>& sinks, const std::string& sink)
    -> bool {
    return sinks.empty() || std::find(sinks.begin(), sinks.end(), sink) != sinks.end();
}

// Rows that do not go on as they came, and why: not at all, or (`goes_on`) as a delete of the row
// that they would have changed, or without some of their values.
struct PassedOver {
    TableName table;
    std::string reason;
    std::int64_t rows = 0;
    bool goes_on = false;
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
    // Since the frame before; not stored. `looked_up`: rows with values read after the change, which
    // may be newer than it.
    std::vector<PassedOver> passed_over{};
    std::map<TableName, std::int64_t> looked_up{};

    [[nodiscard]] auto rows() const -> std::int64_t;
    [[nodiscard]] auto bytes() const -> std::size_t;
};

}  // namespace leat
