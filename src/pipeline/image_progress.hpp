// How far the image is that is being read: rows of it, what they are estimated to be, and when it
// will be there. Rows are only compared with the estimate of the same image.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "base/clock.hpp"
#include "change/table_name.hpp"

namespace leat {

// Of one table's newest image. What the chunks had that are read corrects the estimate of the rest.
struct ImageRows {
    std::int64_t read = 0;
    std::int64_t estimate = 0;            // of all chunks, before any was read
    std::int64_t read_of_done = 0;        // in chunks that are read to their ends
    std::int64_t estimate_of_done = 0;    // of the same chunks

    // In all, as it looks by now; never less than what was read.
    [[nodiscard]] auto estimated() const -> std::int64_t;
};

// Of all its tables together.
struct ImageProgress {
    std::int64_t rows = 0;
    std::int64_t rows_estimate = 0;             // 0: not known
    std::optional<std::int64_t> eta_seconds;    // nothing while it cannot be told
};

// `elapsed`: since the first of them was begun.
auto progress_of(const std::set<TableName>& tables, const std::map<TableName, ImageRows>& images,
                 Duration elapsed) -> ImageProgress;

}  // namespace leat
