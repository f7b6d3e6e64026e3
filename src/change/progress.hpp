// Offsets, Progress, Incarnation: how far a lane is, in the queue's own terms and in the source's.
// A sink stores a Progress with the rows it covers, in one atomic step.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "change/position.hpp"
#include "change/table_name.hpp"

namespace leat {

// Taken anew, one higher, by each writer that starts on a queue; a sink refuses one that is older
// than what it has stored before it writes anything.
using Incarnation = std::uint64_t;

// The number of a snapshot generation: an image of some tables taken at one consistent point.
// 0: none yet. The first is 1.
using Generation = std::uint64_t;

// A place in the queue: of a reader that follows one generation's image and then the changes. All
// offsets name the next frame to read.
//   generation        whose image comes first
//   consistent_point  where that image stands; changes at or below it are already in the image.
//                     Kept here so that skipping never depends on segments that may be gone
//   settled_point     from here on image and changes together are what the source had
//   snapshot_offset   next frame of the snapshot sequence while the image is not complete
//   image_complete    the image is applied; from now on changes are read
//   change_offset     next frame of the change sequence
struct Place {
    Generation generation = 0;
    Position consistent_point{};
    Position settled_point{};
    std::uint64_t snapshot_offset = 0;
    bool image_complete = false;
    std::uint64_t change_offset = 0;

    friend auto operator==(const Place&, const Place&) -> bool = default;
};

// Tables that are filled beside those that the lane feeds.
struct Rebuild : Place {
    std::set<TableName> tables{};

    friend auto operator==(const Rebuild&, const Rebuild&) -> bool = default;
};

// Where a lane stands.
//   is_swapped_in  the tables of its own generation are the live ones
//   absent         tables of the stream that it does not feed: on their way in a rebuild, or gone
//   rebuilds       in order of generation
struct Offsets : Place {
    bool is_swapped_in = false;
    std::set<TableName> absent{};
    std::vector<Rebuild> rebuilds{};

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
