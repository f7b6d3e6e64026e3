// The live area: lines at the foot of a terminal that are drawn again and again, on stderr. Log
// lines go above it, so that neither wipes out the other.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace leat {

// Replaces what was drawn last. Lines are cut at the terminal's width, and left out beyond its
// height: a wrapped line could not be found again. Any thread.
auto draw_live_area(const std::vector<std::string>& lines) -> void;

// Wipes the area for something that stays; the next drawing starts below it. Nobody draws while the
// lock is held.
[[nodiscard]] auto write_above_live_area() -> std::unique_lock<std::mutex>;

}  // namespace leat
