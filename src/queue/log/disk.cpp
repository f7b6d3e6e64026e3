// The real disk: thin wrappers over the system calls, and the loops that make them whole.
#include "queue/log/disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <utility>

namespace leat::log_queue {

namespace {

auto outcome(int result) -> int {
    return result == 0 ? 0 : -errno;
}

class SystemFile final : public File {
public:
    explicit SystemFile(int descriptor) : descriptor_(descriptor) {}
    ~SystemFile() override {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    SystemFile(const SystemFile&) = delete;
    auto operator=(const SystemFile&) -> SystemFile& = delete;

    auto write(std::span<const std::string_view> pieces, std::uint64_t at)
        -> std::int64_t override {
        std::array<iovec, 512> list;
        const auto count = std::min(pieces.size(), list.size());
        for (std::size_t i = 0; i < count; ++i)
            list[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};  // NOLINT
        const auto done =
            ::pwritev(descriptor_, list.data(), static_cast<int>(count), static_cast<off_t>(at));
        return done < 0 ? -errno : done;
    }
    auto reserve(std::uint64_t begin, std::uint64_t end) -> int override {
        return outcome(uninterrupted([&] {
            return ::fallocate(descriptor_, FALLOC_FL_ZERO_RANGE, static_cast<off_t>(begin),
                               static_cast<off_t>(end - begin));
        }));
    }
    auto read(std::span<char> into, std::uint64_t at) -> std::int64_t override {
        const auto done = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(at));
        return done < 0 ? -errno : done;
    }
    auto sync(Sync what) -> int override {
        return outcome(what == Sync::data ? ::fdatasync(descriptor_) : ::fsync(descriptor_));
    }
    auto size() -> std::int64_t override {
        struct stat status {};
        const int failed = uninterrupted([&] { return ::fstat(descriptor_, &status); });
        return failed == 0 ? status.st_size : -errno;
    }
    auto close() -> int override {
        const int descriptor = std::exchange(descriptor_, -1);
        return outcome(::close(descriptor));
    }

private:
    int descriptor_;
};

class SystemDisk final : public Disk {
public:
    auto open(const Path& path, Access access, std::unique_ptr<File>& file) -> int override {
        const int making = access == Access::make ? O_CREAT : 0;
        const int flags = access == Access::read ? O_RDONLY : O_RDWR | making;
        const int descriptor =
            uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0640); });
        if (descriptor < 0) return -errno;
        file = std::make_unique<SystemFile>(descriptor);
        return 0;
    }
    auto rename(const Path& from, const Path& to) -> int override {
        return outcome(uninterrupted([&] { return ::rename(from.c_str(), to.c_str()); }));
    }
    auto remove(const Path& path) -> int override {
        return outcome(uninterrupted([&] { return ::unlink(path.c_str()); }));
    }
    auto sync_directory(const Path& path) -> int override {
        const int descriptor =
            uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
        if (descriptor < 0) return -errno;
        const int synced = outcome(::fsync(descriptor));
        const int closed = outcome(::close(descriptor));
        return synced != 0 ? synced : closed;
    }
    auto list(const Path& path, std::vector<std::string>& names) -> int override {
        int failed = -EINTR;
        while (failed == -EINTR) failed = list_once(path, names);
        return failed;
    }

private:
    static auto list_once(const Path& path, std::vector<std::string>& names) -> int {
        names.clear();
        DIR* directory = ::opendir(path.c_str());
        if (directory == nullptr) return -errno;
        errno = 0;
        while (const dirent* entry = ::readdir(directory)) names.emplace_back(entry->d_name);
        const int failed = errno;
        ::closedir(directory);
        return -failed;
    }
};

// Nothing was done: whether to try the same again at once.
auto passing(std::int64_t code) -> bool {
    if (code == -EAGAIN) ::poll(nullptr, 0, 1);
    return code == -EINTR || code == -EAGAIN;
}

constexpr std::size_t zeros_size = 1 << 20;

auto zeros() -> std::string_view {
    static const std::string bytes(zeros_size, '\0');
    return bytes;
}

}  // namespace

auto system_disk() -> Disk& {
    static SystemDisk disk;
    return disk;
}

auto write_all(File& file, std::span<const std::string_view> pieces, std::uint64_t at) -> int {
    // What was begun and is not whole; `pieces` is what follows it.
    std::string_view rest;
    while (!rest.empty() || !pieces.empty()) {
        const auto done =
            rest.empty() ? file.write(pieces, at) : file.write(std::span(&rest, 1), at);
        if (done < 0 && passing(done)) continue;
        if (done <= 0) return done == 0 ? -EIO : static_cast<int>(done);
        at += static_cast<std::uint64_t>(done);
        auto left = static_cast<std::size_t>(done);
        if (!rest.empty()) {
            rest.remove_prefix(left);
            continue;
        }
        while (!pieces.empty() && left >= pieces.front().size()) {
            left -= pieces.front().size();
            pieces = pieces.subspan(1);
        }
        if (left > 0) {
            rest = pieces.front().substr(left);
            pieces = pieces.subspan(1);
        }
    }
    return 0;
}

auto write_zeros(File& file, std::uint64_t begin, std::uint64_t end) -> int {
    while (begin < end) {
        const auto piece = zeros().substr(0, std::min<std::uint64_t>(zeros_size, end - begin));
        if (const int failed = write_all(file, std::span(&piece, 1), begin); failed != 0)
            return failed;
        begin += piece.size();
    }
    return 0;
}

auto reserve_zeros(File& file, std::uint64_t begin, std::uint64_t end) -> int {
    const int failed = file.reserve(begin, end);
    return failed == -EOPNOTSUPP ? write_zeros(file, begin, end) : failed;
}

auto read_some(File& file, std::span<char> into, std::uint64_t at) -> std::int64_t {
    std::size_t have = 0;
    while (have < into.size()) {
        const auto done = file.read(into.subspan(have), at + have);
        if (done < 0 && passing(done)) continue;
        if (done < 0) return done;
        if (done == 0) break;
        have += static_cast<std::size_t>(done);
    }
    return static_cast<std::int64_t>(have);
}

auto is_full(int code) -> bool {
    return code == -ENOSPC || code == -EDQUOT;
}

auto disk_error(std::string_view step, const Path& path, int code) -> Error {
    Error error{Fault::fatal, std::string(step) + " failed: " + std::strerror(-code), "",
                path.string(), Code::log_disk};
    if (is_full(code)) {
        error.fault = Fault::retry;
        error.code = Code::log_disk_full;
        error.hint = "Make room on the disk.";
    } else if (code == -EROFS) {
        error.fault = Fault::config;
        error.hint = "Look at the disk, mount it so that it can be written to, then start again.";
    } else if (code == -EACCES || code == -EPERM || code == -ENOENT || code == -ENOTDIR) {
        error.fault = Fault::config;
        error.code = Code::log_folder;
        error.hint = "Give this user a folder that it can write to.";
    } else if (code == -EMFILE || code == -ENFILE) {
        error.fault = Fault::retry;
        error.hint = "Raise the limit of open files.";
    }
    return error;
}

auto sync_and_close(File& file, Sync what, std::string_view step, const Path& path)
    -> Result<void> {
    const int failed = file.sync(what);
    const int closed = file.close();
    if (failed == 0 && closed == 0) return {};
    return sync_error(step, path, failed != 0 ? failed : closed);
}

auto close_written(File& file, std::string_view step, const Path& path) -> Result<void> {
    if (const int failed = file.close(); failed != 0) return sync_error(step, path, failed);
    return {};
}

auto sync_folder(Disk& disk, std::string_view step, const Path& folder) -> Result<void> {
    if (const int failed = disk.sync_directory(folder); failed != 0)
        return sync_error(step, folder, failed);
    return {};
}

auto sync_error(std::string_view step, const Path& path, int code) -> Error {
    auto error = disk_error(step, path, code);
    error.fault = Fault::fatal;
    error.code = Code::log_disk;
    error.hint = "Look at the disk, then start again: what was not acknowledged is sent again.";
    return error;
}

}  // namespace leat::log_queue
