// For tests: a disk in memory that knows what is durable. It can fail any call, and after a power
// cut it shows one of the images that a real disk might show: any subset of the sectors and of the
// directory entries that were not synced.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "queue/log/disk.hpp"

namespace leat::log_queue::fixture {

enum class Act {
    go_on,
    fail,        // with `code`
    fall_short,  // writes and reads do a part of what they were asked for
    power_cut,   // a part is done, and nothing ever again
};
struct Verdict {
    Act act = Act::go_on;
    int code = -EIO;
};
enum class Call { open, write, read, sync, close, rename, remove, sync_directory };

class MemoryDisk final : public Disk {
public:
    // Asked before every call, with its number from 1.
    using Judge = std::function<Verdict(std::uint64_t number, Call call)>;

    explicit MemoryDisk(Judge judge = {}) : judge_(std::move(judge)) {}

    auto open(const Path& path, Access access, std::unique_ptr<File>& file) -> int override;
    auto rename(const Path& from, const Path& to) -> int override {
        return change(Call::rename, [&] {
            const auto at = names_.find(from.string());
            if (at == names_.end()) return -ENOENT;
            names_[to.string()] = at->second;
            names_.erase(from.string());
            return 0;
        });
    }
    auto remove(const Path& path) -> int override {
        return change(Call::remove, [&] { return names_.erase(path.string()) == 1 ? 0 : -ENOENT; });
    }
    auto sync_directory(const Path&) -> int override {
        return change(Call::sync_directory, [&] {
            durable_names_ = names_;
            return 0;
        });
    }
    auto list(const Path& path, std::vector<std::string>& names) -> int override {
        const std::lock_guard lock(mutex_);
        for (const auto& [name, inode] : names_)
            if (Path(name).parent_path() == path) names.push_back(Path(name).filename().string());
        return 0;
    }

    // What is left after the power failed now. The disk itself is dead from now on.
    auto image(std::uint64_t seed) -> std::unique_ptr<MemoryDisk>;
    // An exact copy, as if the process had been killed.
    auto copy() -> std::unique_ptr<MemoryDisk>;

    auto judge(Judge judge) -> void {
        const std::lock_guard lock(mutex_);
        judge_ = std::move(judge);
        calls_ = 0;
    }
    [[nodiscard]] auto calls() const -> std::uint64_t {
        const std::lock_guard lock(mutex_);
        return calls_;
    }
    [[nodiscard]] auto dead() const -> bool {
        const std::lock_guard lock(mutex_);
        return dead_;
    }
    auto contents(const Path& path) -> std::string& { return names_.at(path.string())->now; }
    auto names() -> std::vector<std::string> {
        std::vector<std::string> list;
        for (const auto& [name, inode] : names_) list.push_back(name);
        return list;
    }

private:
    static constexpr std::size_t sector = 512;
    struct Inode {
        std::string now;
        std::string durable;
        std::set<std::size_t> dirty;  // sectors
    };
    using Names = std::map<std::string, std::shared_ptr<Inode>>;
    class MemoryFile;

    // With the lock held.
    auto ask(Call call) -> Verdict {
        if (dead_) return {Act::fail, -EIO};
        ++calls_;
        auto verdict = judge_ ? judge_(calls_, call) : Verdict{};
        if (verdict.act == Act::power_cut) dead_ = true;
        return verdict;
    }
    template <class Do>
    auto change(Call call, Do act) -> int {
        const std::lock_guard lock(mutex_);
        const auto verdict = ask(call);
        if (verdict.act == Act::fail) return verdict.code;
        if (verdict.act == Act::power_cut) {
            if (call != Call::sync_directory) act();
            return -EIO;
        }
        return act();
    }

    mutable std::mutex mutex_;
    Judge judge_;
    std::uint64_t calls_ = 0;
    bool dead_ = false;
    Names names_;
    Names durable_names_;
};

class MemoryDisk::MemoryFile final : public File {
public:
    MemoryFile(MemoryDisk& disk, std::shared_ptr<Inode> inode)
        : disk_(disk), inode_(std::move(inode)) {}

    auto write(std::span<const std::string_view> pieces, std::uint64_t at)
        -> std::int64_t override {
        const std::lock_guard lock(disk_.mutex_);
        const auto verdict = disk_.ask(Call::write);
        if (verdict.act == Act::fail) return verdict.code;
        std::string bytes;
        for (const auto piece : pieces) bytes += piece;
        if (verdict.act != Act::go_on) bytes.resize((bytes.size() + 1) / 2);
        if (inode_->now.size() < at + bytes.size()) inode_->now.resize(at + bytes.size(), '\0');
        std::copy(bytes.begin(), bytes.end(),
                  inode_->now.begin() + static_cast<std::ptrdiff_t>(at));
        for (auto touched = at / sector; touched * sector < at + bytes.size(); ++touched)
            inode_->dirty.insert(touched);
        if (verdict.act == Act::power_cut) return -EIO;
        return static_cast<std::int64_t>(bytes.size());
    }
    auto read(std::span<char> into, std::uint64_t at) -> std::int64_t override {
        const std::lock_guard lock(disk_.mutex_);
        const auto verdict = disk_.ask(Call::read);
        if (verdict.act == Act::fail || verdict.act == Act::power_cut) return verdict.code;
        if (at >= inode_->now.size()) return 0;
        auto size = std::min<std::size_t>(into.size(), inode_->now.size() - at);
        if (verdict.act == Act::fall_short) size = (size + 1) / 2;
        std::copy_n(inode_->now.begin() + static_cast<std::ptrdiff_t>(at), size, into.begin());
        return static_cast<std::int64_t>(size);
    }
    auto sync(Sync) -> int override {
        return disk_.change(Call::sync, [&] {
            if (disk_.dead_) return -EIO;  // cut in the middle: the image decides what was written
            inode_->durable = inode_->now;
            inode_->dirty.clear();
            return 0;
        });
    }
    auto size() -> std::int64_t override {
        const std::lock_guard lock(disk_.mutex_);
        return static_cast<std::int64_t>(inode_->now.size());
    }
    auto close() -> int override {
        return disk_.change(Call::close, [] { return 0; });
    }

private:
    MemoryDisk& disk_;
    std::shared_ptr<Inode> inode_;
};

inline auto MemoryDisk::open(const Path& path, Access access, std::unique_ptr<File>& file) -> int {
    return change(Call::open, [&] {
        auto at = names_.find(path.string());
        if (at == names_.end()) {
            if (access == Access::read) return -ENOENT;
            at = names_.emplace(path.string(), std::make_shared<Inode>()).first;
        }
        file = std::make_unique<MemoryFile>(*this, at->second);
        return 0;
    });
}

inline auto MemoryDisk::image(std::uint64_t seed) -> std::unique_ptr<MemoryDisk> {
    const std::lock_guard lock(mutex_);
    dead_ = true;
    std::mt19937_64 random(seed);
    // Some images keep nothing that was not synced, some keep all.
    const auto keep_percent = random() % 5 * 25;
    const auto kept = [&] { return random() % 100 < keep_percent; };
    Names names = durable_names_;
    for (const auto& [name, inode] : names_)
        if (kept()) names[name] = inode;
    for (const auto& [name, inode] : durable_names_)
        if (!names_.contains(name) && kept()) names.erase(name);
    auto disk = std::make_unique<MemoryDisk>();
    for (const auto& [name, inode] : names) {
        auto after = std::make_shared<Inode>();
        after->now = inode->durable;
        for (const auto touched : inode->dirty) {
            if (!kept()) continue;
            const auto begin = touched * sector;
            const auto end = std::min(begin + sector, inode->now.size());
            if (begin >= end) continue;
            if (after->now.size() < end) after->now.resize(end, '\0');
            std::copy(inode->now.begin() + static_cast<std::ptrdiff_t>(begin),
                      inode->now.begin() + static_cast<std::ptrdiff_t>(end),
                      after->now.begin() + static_cast<std::ptrdiff_t>(begin));
        }
        after->durable = after->now;
        disk->names_[name] = std::move(after);
    }
    disk->durable_names_ = disk->names_;
    return disk;
}

inline auto MemoryDisk::copy() -> std::unique_ptr<MemoryDisk> {
    const std::lock_guard lock(mutex_);
    auto disk = std::make_unique<MemoryDisk>();
    for (const auto& [name, inode] : names_) {
        auto after = std::make_shared<Inode>(*inode);
        after->durable = after->now;
        after->dirty.clear();
        disk->names_[name] = std::move(after);
    }
    disk->durable_names_ = disk->names_;
    return disk;
}

}  // namespace leat::log_queue::fixture
