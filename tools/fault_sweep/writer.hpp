// The writer of the fault sweep: runs the script through the log and says on a record what it
// relies on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "queue/log/config.hpp"
#include "queue/log/log_queue.hpp"

namespace leat::log_queue {

struct WriterOptions {
    std::filesystem::path folder;
    int attach_life = -1;           // wait in this life until the preparer's thread is traced
    std::uint64_t short_write = 0;  // this write, and this read, do half of what they are asked for
    std::uint64_t short_read = 0;
};

auto sweep_config(const std::filesystem::path& folder) -> LogConfig;
auto sweep_context(const Clock& clock) -> QueueContext;

// 0: all is written. 3: the log gave up, as the record says.
auto write_script(const WriterOptions& options) -> int;

}  // namespace leat::log_queue
