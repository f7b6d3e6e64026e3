// Options of the embedded log.
#pragma once

#include <array>
#include <filesystem>

#include "config/fields.hpp"

namespace leat::log_queue {

// What happens when the log is at its size limit and the sinks do not keep up.
enum class OnLogFull {
    block,      // the source waits
    drop_lane,  // the slowest sink stops and needs a rebuild, the others and the source go on
};
constexpr auto names_of(OnLogFull) {
    using Name = config::EnumName<OnLogFull>;
    return std::array{Name{OnLogFull::block, "block"}, Name{OnLogFull::drop_lane, "drop_lane"}};
}

struct LogConfig {
    std::filesystem::path path;
    config::Bytes segment_bytes = config::Bytes::mib(64);
    config::Bytes max_bytes = config::Bytes::gib(20);
    OnLogFull on_log_full = OnLogFull::block;
    double snapshot_share = 0.5;
    config::Duration rewind_time = std::chrono::hours(24);
    config::Bytes rewind_bytes{10'000'000'000};
    config::Duration linger{};

    static constexpr auto fields() {
        using config::Bytes;
        using config::field;
        return config::fields(
            field("path", &LogConfig::path, "folder of the log, made when it is missing")
                .required(),
            field("segment_bytes", &LogConfig::segment_bytes, "size of one file of the log")
                .between(Bytes::mib(1), Bytes::gib(1)),
            field("max_bytes", &LogConfig::max_bytes,
                  "size at which the log stops taking changes until sinks have caught up")
                .at_least(Bytes::mib(64)),
            field("on_log_full", &LogConfig::on_log_full,
                  "at that size: the source waits (block), or the slowest sink stops and needs a "
                  "rebuild (drop_lane; the last one is never dropped)"),
            field("snapshot_share", &LogConfig::snapshot_share,
                  "part of max_bytes that images may take")
                .between(0.05, 0.9),
            field("rewind_time", &LogConfig::rewind_time,
                  "how long changes are kept after every sink has them, for a sink that goes back"),
            field("rewind_bytes", &LogConfig::rewind_bytes,
                  "size above which they are not kept that long"),
            field("linger", &LogConfig::linger, "how long a commit waits for others to join it")
                .at_most(std::chrono::milliseconds(100)));
    }
};

}  // namespace leat::log_queue
