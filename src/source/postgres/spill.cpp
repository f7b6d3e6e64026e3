// Spill files: 32-bit length of this machine and the message, one after the other.
#include "source/postgres/spill.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/failpoint.hpp"

namespace leat::postgres {

namespace {

constexpr std::size_t buffer_bytes = 256U << 10U;
constexpr std::size_t read_bytes = 1U << 20U;
constexpr auto prefix = "spill-";

}  // namespace

SpillFile::SpillFile(std::filesystem::path path) : path_(std::move(path)) {}

SpillFile::~SpillFile() {
    close();
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

auto SpillFile::failure(const char* doing) const -> Error {
    const int number = errno;
    return Error{Fault::retry,
                 std::string("cannot ") + doing + " spill file: " + std::strerror(number) + ": " +
                     path_.string(),
                 number == ENOSPC ? "Free space on that disk." : "", "postgres spill",
                 Code::pg_work_folder};
}

auto SpillFile::open(int flags) -> Result<void> {
    constexpr mode_t owner_only = 0600;
    descriptor_ = ::open(path_.c_str(), flags | O_CLOEXEC, owner_only);
    if (descriptor_ < 0) return failure("open");
    return {};
}

auto SpillFile::close() -> void {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

auto SpillFile::append(std::string_view message) -> Result<void> {
    const auto size = static_cast<std::uint32_t>(message.size());
    buffer_.append(reinterpret_cast<const char*>(&size), sizeof(size));
    buffer_.append(message);
    if (buffer_.size() >= buffer_bytes) return write_out();
    return {};
}

auto SpillFile::write_out() -> Result<void> {
    if (descriptor_ < 0) TRY(open(O_WRONLY | O_CREAT | O_APPEND));
    std::string_view rest = buffer_;
    while (!rest.empty()) {
        const auto written = ::write(descriptor_, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failure("write");
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    buffer_.clear();
    failpoint("spill.write");
    return {};
}

auto SpillFile::pause() -> Result<void> {
    TRY(write_out());
    close();
    buffer_.shrink_to_fit();
    return {};
}

// Makes `wanted` unread bytes available; false at the end of the file.
auto SpillFile::fill(std::size_t wanted) -> Result<bool> {
    if (buffer_.size() - read_at_ >= wanted) return true;
    buffer_.erase(0, read_at_);
    read_at_ = 0;
    while (buffer_.size() < wanted) {
        const auto have = buffer_.size();
        buffer_.resize(std::max(wanted, have + read_bytes));
        const auto got = ::read(descriptor_, buffer_.data() + have, buffer_.size() - have);
        buffer_.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0 && errno != EINTR) return failure("read");
        if (got == 0) return false;
    }
    return true;
}

auto SpillFile::next() -> Result<std::optional<std::string_view>> {
    if (descriptor_ < 0) {
        buffer_.clear();
        TRY(open(O_RDONLY));
    }
    std::uint32_t size = 0;
    if (!TRY(fill(sizeof(size)))) {
        if (buffer_.empty()) return std::optional<std::string_view>();
        return Error{Fault::retry, "spill file is cut short: " + path_.string(), "", "",
                     Code::pg_work_folder};
    }
    std::memcpy(&size, buffer_.data() + read_at_, sizeof(size));
    if (!TRY(fill(sizeof(size) + size)))
        return Error{Fault::retry, "spill file is cut short: " + path_.string(), "", "",
                     Code::pg_work_folder};
    const std::string_view message(buffer_.data() + read_at_ + sizeof(size), size);
    read_at_ += sizeof(size) + size;
    return std::optional(message);
}

auto spill_path(const std::filesystem::path& folder, std::uint32_t xid) -> std::filesystem::path {
    return folder / (prefix + std::to_string(xid));
}

auto remove_spill_files(const std::filesystem::path& folder) -> Result<void> {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failed))
        if (entry.path().filename().string().starts_with(prefix))
            std::filesystem::remove(entry.path(), failed);
    if (failed)
        return Error{Fault::config,
                     "cannot use work folder: " + failed.message() + ": " + folder.string(),
                     "Make it writable.", "postgres spill", Code::pg_work_folder};
    return {};
}

}  // namespace leat::postgres
