// Log lines for people, on stderr. The one narrow door to the logging library.
#pragma once

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace leat {

enum class LogLevel { debug, info, warning, error };

// Thread-safe. One line; nothing secret, no row's values.
auto log_line(LogLevel level, std::string_view line) -> void;

template <class... Args>
auto log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) -> void {
    log_line(level, fmt::format(format, std::forward<Args>(args)...));
}

// Below `level` nothing is written.
auto set_log_level(LogLevel level) -> void;

}  // namespace leat
