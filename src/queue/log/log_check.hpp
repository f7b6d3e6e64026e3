// LogCheck: what `leat check` says about the folder of a log, without opening the log: that would
// take its lock and cut its tail.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/finding.hpp"
#include "queue/log/config.hpp"
#include "queue/queue.hpp"

namespace leat::log_queue {

class LogCheck final : public Checkable {
public:
    static auto make(const LogConfig& config, const QueueContext& context)
        -> Result<std::unique_ptr<LogCheck>>;

    // The frames themselves are not read: a log may be large. `leat log inspect` does that.
    auto check() -> Result<std::vector<Finding>> override;

private:
    LogCheck(LogConfig config, std::string pipeline)
        : config_(std::move(config)), pipeline_(std::move(pipeline)) {}

    const LogConfig config_;
    const std::string pipeline_;
};

}  // namespace leat::log_queue
