// Pauses on disk and in memory; see pauses.hpp.
#include "pipeline/pauses.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/sync.hpp"

namespace leat {

namespace {

auto failed(const char* what, const std::filesystem::path& path) -> Error {
    return Error{Fault::config, std::string("pause cannot be ") + what + ": " + std::strerror(errno),
                 "See that this user may write in the pipeline's data folder.", path.string(),
                 Code::run_folder};
}

}  // namespace

auto write_pause(const std::filesystem::path& folder, const std::string& sink, bool paused)
    -> Result<void> {
    const auto file = folder / sink;
    if (!paused) {
        if (::unlink(file.c_str()) != 0) {
            if (errno == ENOENT) return {};
            return failed("ended", file);
        }
    } else {
        std::error_code error;
        const bool is_new = std::filesystem::create_directories(folder, error);
        if (is_new && !sync_folder(folder.parent_path())) return failed("noted", folder);
        const int handle = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (handle < 0) return failed("noted", file);
        ::close(handle);  // its name is all it says
    }
    if (!sync_folder(folder)) return failed("noted", file);
    return {};
}

Pauses::Pauses(std::filesystem::path folder, const std::vector<std::string>& sinks)
    : folder_(std::move(folder)) {
    std::error_code none;
    for (const auto& sink : sinks) {
        auto& rest = rests_[sink];
        if (!folder_.empty() && std::filesystem::exists(folder_ / sink, none)) rest.request_stop();
    }
}

auto Pauses::set(const std::string& sink, bool paused) -> Result<void> {
    if (!folder_.empty()) TRY(write_pause(folder_, sink, paused));
    std::stop_source rest;  // its callbacks run without the lock
    {
        const std::lock_guard lock(mutex_);
        auto& known = rests_[sink];
        if (!paused && known.stop_requested()) known = std::stop_source();
        rest = known;
        changed_.notify_all();
    }
    if (paused) rest.request_stop();
    return {};
}

auto Pauses::is_paused(const std::string& sink) -> bool {
    return rest(sink).stop_requested();
}

auto Pauses::any() const -> bool {
    const std::lock_guard lock(mutex_);
    return std::any_of(rests_.begin(), rests_.end(),
                       [](const auto& one) { return one.second.stop_requested(); });
}

auto Pauses::rest(const std::string& sink) -> std::stop_token {
    const std::lock_guard lock(mutex_);
    return rests_[sink].get_token();
}

auto Pauses::wait_for_end(const std::string& sink, const std::stop_token& stop) -> void {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return !rests_[sink].stop_requested(); });
}

}  // namespace leat
