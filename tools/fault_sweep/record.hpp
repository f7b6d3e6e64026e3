// What the writer said before it ended; the lines are described in writer.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "base/result.hpp"
#include "change/progress.hpp"

namespace leat::log_queue {

struct SinkRecord {
    std::uint64_t commit = 0;
    Offsets offsets;
};
struct ReleaseRecord {
    std::uint64_t change_offset = 0;
    bool image_complete = false;
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
