// Power cuts: the script on a disk in memory, and at every sync what a real disk might show if the
// power failed there.
#pragma once

#include <cstdint>

namespace leat::log_queue {

struct PowerOptions {
    std::uint64_t images = 4000;  // about as many, spread over all syncs and both sector sizes
    std::uint64_t seed = 1;
};

// Prints the counts and every violation; 0: there was none.
auto cut_power(const PowerOptions& options) -> int;

}  // namespace leat::log_queue
