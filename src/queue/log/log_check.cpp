// Looks at the folder, its manifest and its lock.
#include "queue/log/log_check.hpp"

#include <unistd.h>

#include <system_error>
#include <utility>

#include "queue/log/manifest.hpp"

namespace leat::log_queue {

namespace {

auto problem(Code code, std::string what, std::string remedy) -> Finding {
    return {Severity::problem, std::move(what), std::move(remedy), code};
}

// The nearest folder that exists, where the missing ones would be made.
auto nearest_folder(Path path) -> Path {
    std::error_code error;
    path = std::filesystem::absolute(path, error);
    while (path.has_relative_path() && !std::filesystem::exists(path, error))
        path = path.parent_path();
    return path;
}

// Room for changes while a sink is down; less is no mistake, but worth knowing.
auto check_space(const Path& folder, std::uint64_t wanted) -> Finding {
    std::error_code error;
    const auto space = std::filesystem::space(folder, error);
    constexpr std::uint64_t mib = 1024 * 1024;
    const auto text = std::to_string(space.available / mib) +
                      " MiB are free, max_bytes of the log is " + std::to_string(wanted / mib) +
                      " MiB";
    if (error || space.available >= wanted) return {Severity::ok, text, ""};
    return {
        Severity::notice, text,
        "Make room or lower queue.max_bytes; a full disk makes the source wait, nothing is lost."};
}

}  // namespace

auto LogCheck::make(const LogConfig& config, const QueueContext& context)
    -> Result<std::unique_ptr<LogCheck>> {
    return std::unique_ptr<LogCheck>(new LogCheck(config, context.pipeline));
}

auto LogCheck::check() -> Result<std::vector<Finding>> {
    const auto& folder = config_.path;
    const auto nearest = nearest_folder(folder);
    std::error_code error;
    if (!std::filesystem::is_directory(nearest, error))
        return std::vector{problem(Code::log_folder, "not a folder: " + nearest.string(),
                                   "Name another folder in queue.path, or remove that file.")};
    if (::access(nearest.c_str(), W_OK | X_OK) != 0)
        return std::vector{
            problem(Code::log_folder, "folder is not writable: " + nearest.string(),
                    "Give this user the right to write in it, or name another folder "
                    "in queue.path.")};
    const auto space = check_space(nearest, config_.max_bytes.count);
    const auto manifest = TRY(read_manifest(system_disk(), folder));
    if (!manifest)
        return std::vector{Finding{Severity::ok, "log will be made in " + folder.string(), ""},
                           space};
    if (manifest->pipeline != pipeline_)
        return std::vector{problem(Code::log_foreign,
                                   "log belongs to another pipeline: " + manifest->pipeline,
                                   "Give this pipeline a folder of its own.")};
    if (const auto owner = FolderLock::owner(folder); !owner.empty())
        return std::vector{
            problem(Code::log_in_use, "log is in use by another process: pid " + owner,
                    "That is this pipeline if it runs now; stop it to start another."),
            space};
    return std::vector{
        Finding{Severity::ok, "log in " + folder.string() + " is this pipeline's", ""}, space};
}

}  // namespace leat::log_queue
