// The real disk, one write or read of which does half of what it was asked for.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "queue/log/disk.hpp"

namespace leat::log_queue {

class ShortFile final : public File {
public:
    struct Counts {
        std::atomic<std::uint64_t> writes{0};
        std::atomic<std::uint64_t> reads{0};
        std::uint64_t short_write = 0;
        std::uint64_t short_read = 0;
    };
    ShortFile(std::unique_ptr<File> file, Counts& counts)
        : file_(std::move(file)), counts_(counts) {}

    auto write(std::span<const std::string_view> pieces, std::uint64_t at)
        -> std::int64_t override {
        if (++counts_.writes != counts_.short_write) return file_->write(pieces, at);
        std::string bytes;
        for (const auto piece : pieces) bytes += piece;
        const auto half = std::string_view(bytes).substr(0, (bytes.size() + 1) / 2);
        return file_->write(std::span(&half, 1), at);
    }
    auto reserve(std::uint64_t begin, std::uint64_t end) -> int override {
        return file_->reserve(begin, end);
    }
    auto read(std::span<char> into, std::uint64_t at) -> std::int64_t override {
        const bool cut = ++counts_.reads == counts_.short_read;
        return file_->read(cut ? into.first((into.size() + 1) / 2) : into, at);
    }
    auto sync(Sync what) -> int override { return file_->sync(what); }
    auto size() -> std::int64_t override { return file_->size(); }
    auto close() -> int override { return file_->close(); }

private:
    std::unique_ptr<File> file_;
    Counts& counts_;
};

class ShortDisk final : public Disk {
public:
    auto open(const Path& path, Access access, std::unique_ptr<File>& file) -> int override {
        std::unique_ptr<File> real;
        const int failed = system_disk().open(path, access, real);
        if (failed == 0) file = std::make_unique<ShortFile>(std::move(real), counts);
        return failed;
    }
    auto rename(const Path& from, const Path& to) -> int override {
        return system_disk().rename(from, to);
    }
    auto remove(const Path& path) -> int override { return system_disk().remove(path); }
    auto sync_directory(const Path& path) -> int override {
        return system_disk().sync_directory(path);
    }
    auto list(const Path& path, std::vector<std::string>& names) -> int override {
        return system_disk().list(path, names);
    }

    ShortFile::Counts counts;
};

}  // namespace leat::log_queue
