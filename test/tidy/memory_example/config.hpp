// Options of the made-up sink that new_sink_test.py adds to a copy of the tree.
#pragma once

#include <cstdint>

#include "config/fields.hpp"

namespace leat::memory_example {

struct MemoryExampleConfig {
    std::uint64_t rows_max = 1'000'000;

    static constexpr auto fields() {
        return config::fields(
            config::field("rows_max", &MemoryExampleConfig::rows_max, "rows kept at most")
                .at_least(1));
    }
};

}  // namespace leat::memory_example
