// Logging through spdlog's compiled library, to stderr.
#include "observe/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

#include "observe/live_area.hpp"

namespace leat {

namespace {

auto to_spdlog(LogLevel level) -> spdlog::level::level_enum {
    switch (level) {
        case LogLevel::debug: return spdlog::level::debug;
        case LogLevel::info: return spdlog::level::info;
        case LogLevel::warning: return spdlog::level::warn;
        case LogLevel::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

auto make_logger() -> std::shared_ptr<spdlog::logger> {
    const auto colour =
        std::getenv("NO_COLOR") != nullptr ? spdlog::color_mode::never : spdlog::color_mode::automatic;
    auto logger = std::make_shared<spdlog::logger>(
        "leat", std::make_shared<spdlog::sinks::stderr_color_sink_mt>(colour));
    logger->set_pattern("%H:%M:%S.%e %^%l%$ %v");
    return logger;
}

auto logger() -> spdlog::logger& {
    static const auto instance = make_logger();
    return *instance;
}

}  // namespace

auto log_line(LogLevel level, std::string_view line) -> void {
    const auto lock = write_above_live_area();
    logger().log(to_spdlog(level), "{}", line);
}

auto set_log_level(LogLevel level) -> void { logger().set_level(to_spdlog(level)); }

}  // namespace leat
