// Named places where the crash tests let the process die. Armed by the environment only:
// LEAT_FAILPOINTS="lane.after_commit=3,log.frame_written=1" kills with SIGKILL at the 3rd and 1st
// hit. Costs one predictable branch when nothing is armed.
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace leat {

// Every name that failpoint() is called with; `leat version --json` prints them.
auto failpoint_names() -> std::span<const std::string_view>;

// Reads LEAT_FAILPOINTS once, before any thread starts. An unknown name is an error (config).
auto arm_failpoints(std::string_view specification) -> Result<void>;

namespace detail {
extern std::atomic<bool> failpoints_armed;
auto hit_failpoint(std::string_view name) -> void;
}  // namespace detail

inline auto failpoint(std::string_view name) -> void {
    if (detail::failpoints_armed.load(std::memory_order_relaxed)) [[unlikely]]
        detail::hit_failpoint(name);
}

}  // namespace leat
