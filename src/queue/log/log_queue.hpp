// LogQueue: the embedded durable log behind the Queue interface. README.md walks the folder,
// FORMAT.md describes the files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "queue/log/config.hpp"
#include "queue/log/log_state.hpp"
#include "queue/log/scan.hpp"
#include "queue/queue.hpp"

namespace leat::log_queue {

// How full the log is, for status.
struct LogFigures {
    std::uint64_t bytes = 0;
    std::uint64_t changes_end = 0;  // frames
    std::uint64_t snapshot_end = 0;
};

class LogQueue final : public Queue, public Bounded {
public:
    // Takes the folder's lock, makes the log if there is none, recovers. Refuses (config) a log
    // that another process uses, of another pipeline, of a newer format.
    static auto make(const LogConfig& config, const QueueContext& context)
        -> Result<std::unique_ptr<LogQueue>>;
    static auto make(const LogConfig& config, const QueueContext& context,
                     Surroundings surroundings) -> Result<std::unique_ptr<LogQueue>>;
    ~LogQueue() override;

    auto append(const Frame& frame, const std::stop_token& stop) -> Result<Durable> override;
    auto resume_point() -> Result<ResumePoint> override;
    [[nodiscard]] auto generations() const -> std::vector<GenerationState> override;
    [[nodiscard]] auto tables() const -> std::set<TableName> override;
    [[nodiscard]] auto holds(const Place& place) const -> bool override;
    auto reader(const std::string& lane, const Place& from)
        -> Result<std::unique_ptr<LaneReader>> override;
    auto retain(const std::string& lane, const Offsets& offsets) -> Result<void> override;
    auto release(const std::string& lane, const Offsets& offsets) -> Result<void> override;
    [[nodiscard]] auto identity() const -> QueueIdentity override;
    [[nodiscard]] auto room() const -> QueueRoom override;
    [[nodiscard]] auto still_serves(const std::string& lane) const -> Result<void> override;

    [[nodiscard]] auto report() const -> const RecoveryReport&;
    // Why appending waits (full disk, size limit); empty: it does not. Any thread.
    [[nodiscard]] auto pressure() const -> std::string;
    [[nodiscard]] auto figures() const -> LogFigures;

private:
    class Impl;
    explicit LogQueue(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace leat::log_queue
