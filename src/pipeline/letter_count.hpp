// LetterCount: how many dead letters of a sink are open, for the status. Read from the file, because
// letters of earlier runs count as much as those of this one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/clock.hpp"
#include "pipeline/status.hpp"

namespace leat {

// Owned and called by one thread.
class LetterCount {
public:
    explicit LetterCount(std::filesystem::path file) : file_(std::move(file)) {}

    // Counts anew when the lane has set rows aside since, and otherwise every ten seconds while
    // there are any, for they may be superseded.
    auto look(Status& status, std::size_t lane, Duration now) -> void;

private:
    const std::filesystem::path file_;
    std::optional<Duration> counted_;
    std::int64_t set_aside_ = 0;
    bool has_any_ = false;
};

}  // namespace leat
