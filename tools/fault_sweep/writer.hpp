// The writer of the fault sweep: runs the script through the log and says on a record what it
// relies on.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "queue/log/config.hpp"
#include "queue/log/log_queue.hpp"

namespace leat::log_queue {

struct WriterOptions {
    std::filesystem::path folder;
    std::function<void(const std::string& line)> say;  // a line of the record
    Disk* disk = nullptr;                              // null: the real one
    int attach_life = -1;  // wait in this life until the preparer's thread is traced
};

auto sweep_config(const std::filesystem::path& folder) -> LogConfig;
auto sweep_context(const Clock& clock) -> QueueContext;

// 0: all is written. 3: the log gave up, as the record says.
auto write_script(const WriterOptions& options) -> int;

}  // namespace leat::log_queue
