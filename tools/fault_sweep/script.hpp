// The script of the fault sweep: what is appended to the log, and what is done between. The writer
// and the checker both build it; nothing in it is random.
#pragma once

#include <vector>

#include "queue/log/log_fixture.hpp"

namespace leat::log_queue {

enum class Do {
    append,
    resume,   // cut the unfinished transaction, as capture does before it opens the source again
    deliver,  // a lane takes what is there and releases it
    reopen,
    tick,  // time passes: hints are written
};

struct Step {
    Do what = Do::append;
    Frame frame;
    std::string lane;
};

inline constexpr std::uint64_t consistent_point = 5;
inline constexpr std::uint32_t script_lineage = 2;

inline constexpr std::size_t rebuild_frames = 2;  // of an image that was not given up

auto make_script() -> std::vector<Step>;

// Rows of all frames.
auto events(const std::vector<Step>& script) -> std::int64_t;

// A transaction behind the script, to see that the log goes on. As long as one row.
auto transaction(std::uint64_t commit) -> Frame;

}  // namespace leat::log_queue
