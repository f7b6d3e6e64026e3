// What the writer said before it ended; the lines are described in writer.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/result.hpp"
#include "change/progress.hpp"

namespace leat::log_queue {

struct SinkRecord {
    std::uint64_t commit = 0;  // of the stream, of the consistent point if there is none
    Offsets offsets;
};
// The first frames that a lane still asks for; `snapshot_offset`: nothing, it waits for no image.
struct ReleaseRecord {
    std::uint64_t change_offset = 0;
    std::optional<std::uint64_t> snapshot_offset;
};

struct Record {
    std::size_t tried = 0;  // the last step that was begun
    std::set<std::size_t> proven;
    std::map<std::string, SinkRecord> sinks;
    std::map<std::string, ReleaseRecord> released;
};

auto add_line(const std::string& line, Record& record) -> Result<void>;
auto read_record(const std::filesystem::path& path) -> Result<Record>;

}  // namespace leat::log_queue
