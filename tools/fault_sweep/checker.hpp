// The checker of the fault sweep: opens what a fault left and compares it with the record.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "queue/log/disk.hpp"
#include "record.hpp"

namespace leat::log_queue {

// What was found, in one line; an error says what was violated.
auto check_log(Disk& disk, const std::filesystem::path& folder, const Record& record)
    -> Result<std::string>;

}  // namespace leat::log_queue
