// What is in a log on disk, for people and scripts: `leat log inspect`. Reads only, takes no lock,
// works beside a running pipeline.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace leat::log_queue {

enum class InspectForm { text, json };

struct Defect {
    std::string file;
    std::uint64_t at = 0;
    std::string what;
    // Behind the last valid frame of the newest segment: torn by a crash, or being written now.
    bool tail = false;
};

struct InspectSummary {
    std::uint64_t segments = 0;
    std::uint64_t frames = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    std::optional<Defect> first_defect;
};

// `path`: the folder of a log or one of its segments. `write` gets the output piece by piece, a
// line or less of each frame, so that a log of any size can be looked at.
auto inspect(const std::filesystem::path& path, InspectForm form,
             const std::function<void(std::string_view)>& write) -> Result<InspectSummary>;

}  // namespace leat::log_queue
