// log.json and LOCK.
#include "queue/log/manifest.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <utility>

namespace leat::log_queue {

namespace {

constexpr std::string_view manifest_name = "log.json";

auto unreadable(const Path& path, const std::string& why) -> Error {
    return Error{Fault::fatal, "log manifest cannot be read: " + why,
                 "Put the file back from a copy, or run `leat drop FILE`, move the warehouse files "
                 "away and start again.",
                 path.string(), Code::log_damaged};
}

auto parse(const Path& path, const std::string& text) -> Result<Manifest> {
    boost::system::error_code failed;
    const auto json = boost::json::parse(text, failed);
    if (failed || !json.is_object()) return unreadable(path, "not a JSON object");
    const auto& object = json.get_object();
    const auto* format = object.if_contains("format");
    const auto* log = object.if_contains("log");
    const auto* pipeline = object.if_contains("pipeline");
    if (format == nullptr || !format->is_int64() || log == nullptr || !log->is_string() ||
        pipeline == nullptr || !pipeline->is_string())
        return unreadable(path, "format, log or pipeline is missing");
    if (format->get_int64() != format_version) {
        const bool is_newer = format->get_int64() > format_version;
        return Error{Fault::config,
                     "log has format " + std::to_string(format->get_int64()) +
                         ", this version of leat reads " + std::to_string(format_version),
                     is_newer ? "Use the version of leat that wrote it, or a newer one."
                              : "Use the version of leat that wrote it, or run `leat drop FILE`, "
                                "move the warehouse files away and start again.",
                     path.string(), Code::log_version};
    }
    const auto uuid = parse_uuid(std::string_view(log->get_string()));
    if (!uuid) return unreadable(path, "log is not 32 hexadecimal digits");
    return Manifest{*uuid, std::string(pipeline->get_string()),
                    static_cast<std::uint32_t>(format->get_int64())};
}

auto read_owner(int descriptor) -> std::string {
    std::array<char, 32> owner{};
    const auto size = ::pread(descriptor, owner.data(), owner.size(), 0);
    std::string pid(owner.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    pid.resize(std::min(pid.size(), pid.find_first_of(" \n")));
    return pid;
}

}  // namespace

auto read_manifest(Disk& disk, const Path& folder) -> Result<std::optional<Manifest>> {
    const auto path = folder / manifest_name;
    std::unique_ptr<File> file;
    const int failed = disk.open(path, Access::read, file);
    if (failed == -ENOENT) return std::optional<Manifest>();
    if (failed != 0) return disk_error("opening the log's manifest", path, failed);
    constexpr std::size_t size_max = 64 << 10;
    std::string text(size_max, '\0');
    const auto size = read_some(*file, text, 0);
    if (size < 0) return disk_error("reading the log's manifest", path, static_cast<int>(size));
    text.resize(static_cast<std::size_t>(size));
    return std::optional(TRY(parse(path, text)));
}

auto write_manifest(Disk& disk, const Path& folder, const Manifest& manifest) -> Result<void> {
    const boost::json::object json = {{"format", manifest.format},
                                      {"log", to_string(manifest.log)},
                                      {"pipeline", manifest.pipeline}};
    const auto text = boost::json::serialize(json) + "\n";
    const std::string_view piece = text;
    const auto path = folder / manifest_name;
    const auto draft = folder / "log.json.new";
    disk.remove(draft);  // what a crash left; longer contents would show behind ours
    std::unique_ptr<File> file;
    int failed = disk.open(draft, Access::make, file);
    if (failed == 0) failed = write_all(*file, std::span(&piece, 1), 0);
    constexpr std::string_view step = "writing the log's manifest";
    if (failed != 0) return disk_error(step, path, failed);
    TRY(sync_and_close(*file, Sync::all, step, draft));
    failed = disk.rename(draft, path);
    if (failed != 0) return disk_error(step, path, failed);
    return sync_folder(disk, step, folder);
}

auto FolderLock::take(const Path& folder) -> Result<FolderLock> {
    const auto path = folder / "LOCK";
    const int descriptor = uninterrupted(
        [&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640); });
    if (descriptor < 0) return disk_error("opening the log's lock", path, -errno);
    FolderLock lock(descriptor);
    if (uninterrupted([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); }) != 0) {
        if (errno != EWOULDBLOCK) return disk_error("locking the log", path, -errno);
        const auto pid = read_owner(descriptor);
        return Error{
            Fault::config, "log is in use by another process" + (pid.empty() ? "" : ": pid " + pid),
            "Stop that process, or give this pipeline a folder of its own.", folder.string(),
            Code::log_in_use};
    }
    // Only for the message above: the lock itself is the kernel's. Always as long, because cutting
    // a file short costs a flush.
    auto pid = std::to_string(::getpid());
    pid.resize(16, ' ');
    pid += '\n';
    for (std::size_t written = 0; written < pid.size();) {
        const auto done = ::pwrite(descriptor, pid.data() + written, pid.size() - written,
                                   static_cast<off_t>(written));
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return disk_error("locking the log", path, done == 0 ? -EIO : -errno);
        written += static_cast<std::size_t>(done);
    }
    return lock;
}

auto FolderLock::still_there(const Path& folder) const -> Result<void> {
    struct stat ours {};
    struct stat found {};
    const auto path = folder / "LOCK";
    int failed = uninterrupted([&] { return ::stat(path.c_str(), &found); });
    const bool is_gone = failed != 0 && (errno == ENOENT || errno == ENOTDIR);
    if (failed == 0) failed = uninterrupted([&] { return ::fstat(descriptor_, &ours); });
    if (failed != 0 && !is_gone) return sync_error("looking for the log's folder", folder, -errno);
    const bool same = !is_gone && ours.st_dev == found.st_dev && ours.st_ino == found.st_ino;
    if (same) return {};
    return Error{Fault::fatal, "folder of the log is gone: unmounted, removed or replaced",
                 "Mount or put back the folder of the log, then start again: what was not "
                 "acknowledged is sent again.",
                 folder.string(), Code::log_folder_gone};
}

auto FolderLock::owner(const Path& folder) -> std::string {
    const int descriptor = ::open((folder / "LOCK").c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return "";
    const FolderLock closing(descriptor);
    // A shared lock that is held for a moment; a process that starts just now may meet it.
    if (::flock(descriptor, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return "";
    const auto pid = read_owner(descriptor);
    return pid.empty() ? "unknown" : pid;
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}
auto FolderLock::operator=(FolderLock&& other) noexcept -> FolderLock& {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}
FolderLock::~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace leat::log_queue
