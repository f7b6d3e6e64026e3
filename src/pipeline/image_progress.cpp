// Estimates of rows and time; see image_progress.hpp.
#include "pipeline/image_progress.hpp"

#include <algorithm>
#include <cmath>

namespace leat {

namespace {

// A rate over less is noise.
constexpr std::chrono::seconds elapsed_min(1);

}  // namespace

auto ImageRows::estimated() const -> std::int64_t {
    const auto of_rest = static_cast<double>(estimate - estimate_of_done);
    const double factor = estimate_of_done > 0 ? static_cast<double>(read_of_done) /
                                                     static_cast<double>(estimate_of_done)
                                               : 1.0;
    return std::max(read, read_of_done + static_cast<std::int64_t>(of_rest * factor));
}

auto progress_of(const std::set<TableName>& tables, const std::map<TableName, ImageRows>& images,
                 Duration elapsed) -> ImageProgress {
    ImageProgress progress;
    bool is_proved = false;  // some chunk with rows was read to its end
    for (const auto& table : tables) {
        const auto found = images.find(table);
        if (found == images.end()) continue;
        progress.rows += found->second.read;
        progress.rows_estimate += found->second.estimated();
        is_proved = is_proved || found->second.read_of_done > 0;
    }
    const auto left = progress.rows_estimate - progress.rows;
    if (!is_proved || left <= 0 || elapsed < elapsed_min) return progress;
    const auto seconds_a_row = std::chrono::duration<double>(elapsed).count() /
                               static_cast<double>(progress.rows);
    progress.eta_seconds =
        static_cast<std::int64_t>(std::ceil(seconds_a_row * static_cast<double>(left)));
    return progress;
}

}  // namespace leat
