// Making small files durable: sync one, then the folder that holds its name. The log, whose every
// call can be made to fail, has its own (queue/log/disk). Thread-safe.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string_view>

namespace leat {

// False: errno says why, and what was written may be lost.
inline auto sync_path(const std::filesystem::path& path, int kind) -> bool {
    const int handle = ::open(path.c_str(), kind | O_CLOEXEC);
    const bool synced = handle >= 0 && ::fsync(handle) == 0;
    if (handle >= 0) ::close(handle);
    return synced;
}
inline auto sync_file(const std::filesystem::path& file) -> bool {
    return sync_path(file, O_RDONLY);
}
inline auto sync_folder(const std::filesystem::path& folder) -> bool {
    return sync_path(folder, O_RDONLY | O_DIRECTORY);
}

// The file holds these bytes now, by way of a draft beside it. False: errno says why, and it may
// still be what it was.
auto replace_file(const std::filesystem::path& file, std::string_view bytes) -> bool;

}  // namespace leat
