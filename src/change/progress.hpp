// Offsets, Progress, Incarnation: how far a lane is, in the queue's own terms and in the source's.
// A sink stores a Progress with the rows it covers, in one atomic step.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "change/position.hpp"

namespace leat {

// Taken anew, one higher, by each writer that starts on a queue; a sink refuses one that is older
// than what it has stored before it writes anything.
using Incarnation = std::uint64_t;

// The number of a snapshot generation: an image of some tables taken at one consistent point.
// 0: none yet. The first is 1.
using Generation = std::uint64_t;

// A place in the queue. All offsets name the next frame to read.
//   generation        whose image this lane follows
//   consistent_point  where that image stands; changes at or below it are already in the image.
//                     Kept here so that skipping never depends on segments that may be gone
//   snapshot_offset   next frame of the snapshot sequence while the image is not complete
//   image_complete    the image is applied as a whole; from now on changes are read
//   change_offset     next frame of the change sequence
struct Offsets {
    Generation generation = 0;
    Position consistent_point;
    std::uint64_t snapshot_offset = 0;
    bool image_complete = false;
    std::uint64_t change_offset = 0;

    friend auto operator==(const Offsets&, const Offsets&) -> bool = default;
};

// What a sink commits with its rows. `position` and `commit_time_us` (microseconds since 1970 UTC,
// as the source stamped the commit) say what the offsets stand for.
struct Progress {
    Offsets offsets;
    Position position;
    std::int64_t commit_time_us = 0;
    Incarnation incarnation = 0;

    friend auto operator==(const Progress&, const Progress&) -> bool = default;
};

// One line of text, version in front, the same in every sink; decode refuses anything else.
auto encode(const Progress& progress) -> std::string;
auto decode_progress(std::string_view text) -> Result<Progress>;

}  // namespace leat
