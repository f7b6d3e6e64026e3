// Disk and File: every system call that the log makes on its files, so that tests can let any of
// them fail, tear or lie. Calls answer as the kernel does, but that one which an interruption
// kept from doing anything is made again; the loops around short reads and writes are below.
#pragma once

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace leat::log_queue {

using Path = std::filesystem::path;

enum class Access { read, write, make };  // write: also reads; make: also makes a missing file
enum class Sync { data, all };            // fdatasync, fsync

// Sizes and counts are returned as they are, errors as -errno. Owned by one thread at a time.
class File {
public:
    virtual ~File() = default;
    // May do less than it was asked for.
    virtual auto write(std::span<const std::string_view> pieces, std::uint64_t at)
        -> std::int64_t = 0;
    // The range reads as zeros, and there is room for it. -EOPNOTSUPP: not on this disk.
    virtual auto reserve(std::uint64_t begin, std::uint64_t end) -> int = 0;
    virtual auto read(std::span<char> into, std::uint64_t at) -> std::int64_t = 0;
    virtual auto sync(Sync what) -> int = 0;
    virtual auto size() -> std::int64_t = 0;
    virtual auto close() -> int = 0;  // once; the destructor closes what was not closed
};

// Thread-safe. Returns 0 or -errno.
class Disk {
public:
    virtual ~Disk() = default;
    virtual auto open(const Path& path, Access access, std::unique_ptr<File>& file) -> int = 0;
    virtual auto rename(const Path& from, const Path& to) -> int = 0;
    virtual auto remove(const Path& path) -> int = 0;
    virtual auto sync_directory(const Path& path) -> int = 0;
    virtual auto list(const Path& path, std::vector<std::string>& names) -> int = 0;
};

// The real one.
auto system_disk() -> Disk&;

// Loops over short writes, EINTR and EAGAIN; no piece may be empty. 0 or -errno.
auto write_all(File& file, std::span<const std::string_view> pieces, std::uint64_t at) -> int;
auto write_zeros(File& file, std::uint64_t begin, std::uint64_t end) -> int;
// Zeros without writing them, where the disk can.
auto reserve_zeros(File& file, std::uint64_t begin, std::uint64_t end) -> int;
// The bytes that are there, fewer than asked for at the end of the file; or -errno.
auto read_some(File& file, std::span<char> into, std::uint64_t at) -> std::int64_t;

// No room: passing trouble, unlike every other failed write.
auto is_full(int code) -> bool;
// For calls that an interruption leaves undone; never for a sync or a close.
template <class Make>
auto uninterrupted(Make make) -> int {
    int result = make();
    while (result < 0 && errno == EINTR) result = make();
    return result;
}

// `code`: -errno. Missing, forbidden, read-only: config; no room: retry; everything else: fatal.
auto disk_error(std::string_view step, const Path& path, int code) -> Error;

// The last of writing a file: sync and close; then its folder, where the name is new. A failure is
// fatal whatever its reason, and nothing here may be tried again: the kernel may have given up the
// pages, and a second sync that succeeds would prove nothing.
auto sync_and_close(File& file, Sync what, std::string_view step, const Path& path) -> Result<void>;
auto close_written(File& file, std::string_view step, const Path& path) -> Result<void>;
auto sync_folder(Disk& disk, std::string_view step, const Path& folder) -> Result<void>;
// `code`: -errno of a sync or of a close.
auto sync_error(std::string_view step, const Path& path, int code) -> Error;

}  // namespace leat::log_queue
