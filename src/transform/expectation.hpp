// Expectation: what must hold of every row that a transform lets through, and what happens to a row
// that breaks it. Plain data, read from the pipeline file.
#pragma once

#include <cstdint>
#include <string>

namespace leat {

enum class Otherwise : std::uint8_t {
    dead_letter,  // the row goes to the dead letters alone
    drop,         // as if the filter had excluded it
    warn,         // the row goes on and is counted
    stop,         // the lane stops before the row
};

// `that` is an SQL condition over the transform's output columns. It is met when it is true: false
// and NULL break it.
struct Expectation {
    std::string name;
    std::string that;
    Otherwise otherwise = Otherwise::dead_letter;
};

}  // namespace leat
