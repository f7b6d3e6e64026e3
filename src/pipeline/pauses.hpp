// Pauses: which sinks a person has put to rest. Kept as one small file each, so that a pause outlives
// the process and can be given while none runs.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace leat {

// Notes durably that a sink is paused, or no longer is. What is so already is no error.
auto write_pause(const std::filesystem::path& folder, const std::string& sink, bool paused)
    -> Result<void>;

// Thread-safe. `folder`: made with the first pause; empty: nothing is kept (tests).
class Pauses {
public:
    // `sinks`: all of the pipeline; pauses of others are left alone.
    Pauses(std::filesystem::path folder, const std::vector<std::string>& sinks);

    // On disk first.
    auto set(const std::string& sink, bool paused) -> Result<void>;
    [[nodiscard]] auto is_paused(const std::string& sink) -> bool;
    [[nodiscard]] auto any() const -> bool;

    // Stopped when the sink is paused; a new one after each pause.
    [[nodiscard]] auto rest(const std::string& sink) -> std::stop_token;
    // Returns once the sink is no longer paused, or when stop is asked for.
    auto wait_for_end(const std::string& sink, const std::stop_token& stop) -> void;

private:
    const std::filesystem::path folder_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::map<std::string, std::stop_source> rests_;  // stop was asked for: it is paused
};

}  // namespace leat
