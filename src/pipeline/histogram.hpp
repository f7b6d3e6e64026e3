// Histogram: how many of a series of durations were how long, in fixed logarithmic buckets. A plain
// value inside the status, so that a look at the pipeline copies it with everything else.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace leat {

struct Histogram {
    // Upper bounds in seconds, 1 ms to 5 min; longer ones are only in `count` and `sum_seconds`.
    static constexpr std::array<double, 17> bounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                      0.1,   0.25,   0.5,   1,    2.5,   5,
                                                      10,    30,     60,    120,  300};

    std::array<std::int64_t, bounds.size()> within{};  // per bucket, not cumulated
    std::int64_t count = 0;
    double sum_seconds = 0;

    auto add(double seconds) -> void {
        const auto* const bound = std::lower_bound(bounds.begin(), bounds.end(), seconds);
        if (bound != bounds.end()) ++within[static_cast<std::size_t>(bound - bounds.begin())];
        ++count;
        sum_seconds += seconds;
    }
};

}  // namespace leat
