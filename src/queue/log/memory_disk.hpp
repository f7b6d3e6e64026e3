// For tests: a disk in memory that knows what is durable. It can fail any call, and after a power
// cut it shows one of the images that a real disk might show: any subset of the sectors, each in any
// version, and of the directory entries that were not synced.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
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
// Which of the things that were not synced an image holds.
enum class Keep { none, all, all_but_one, one, some };
enum class Call { open, write, read, sync, close, rename, remove, sync_directory };

class MemoryDisk final : public Disk {
public:
    // Asked before every call, with its number from 1.
    using Judge = std::function<Verdict(std::uint64_t number, Call call)>;

    // `sector`: what the disk writes as a whole.
    explicit MemoryDisk(Judge judge = {}, std::size_t sector = 512)
        : judge_(std::move(judge)), sector_(sector) {}

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
    auto image(std::uint64_t seed) -> std::unique_ptr<MemoryDisk> {
        const std::lock_guard lock(mutex_);
        dead_ = true;
        return possible_now(Keep::some, seed);
    }
    // What might be left if the power failed now. The disk goes on.
    auto possible(Keep keep, std::uint64_t seed) const -> std::unique_ptr<MemoryDisk> {
        const std::lock_guard lock(mutex_);
        return possible_now(keep, seed);
    }
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
    // Bytes of zeros that were not written.
    [[nodiscard]] auto reserved() const -> std::uint64_t { return reserved_; }
    [[nodiscard]] auto dead() const -> bool {
        const std::lock_guard lock(mutex_);
        return dead_;
    }
    // Shows everything in another folder.
    auto move_to(const Path& folder) -> void {
        const std::lock_guard lock(mutex_);
        Names moved;
        for (const auto& [name, inode] : names_)
            moved[(folder / Path(name).filename()).string()] = inode;
        names_ = durable_names_ = std::move(moved);
    }
    // Of all names and contents.
    [[nodiscard]] auto fingerprint() const -> std::size_t {
        std::size_t print = 0;
        for (const auto& [name, inode] : names_)
            for (const auto part : {std::string_view(name), std::string_view(inode->now)})
                print = print * 1099511628211U + std::hash<std::string_view>()(part);
        return print;
    }
    auto contents(const Path& path) -> std::string& { return names_.at(path.string())->now; }
    auto names() -> std::vector<std::string> {
        std::vector<std::string> list;
        for (const auto& [name, inode] : names_) list.push_back(name);
        return list;
    }

private:
    struct Inode {
        std::string now;
        std::string durable;
        // Sectors that were written since the last sync, with every version they had.
        std::map<std::size_t, std::vector<std::string>> dirty;
    };
    using Names = std::map<std::string, std::shared_ptr<Inode>>;
    class MemoryFile;
    class Choice;

    auto possible_now(Keep keep, std::uint64_t seed) const -> std::unique_ptr<MemoryDisk>;

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
    const std::size_t sector_;
    std::uint64_t calls_ = 0;
    bool dead_ = false;
    std::atomic<std::uint64_t> reserved_{0};
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
        const auto sector = disk_.sector_;
        for (auto touched = at / sector; touched * sector < at + bytes.size(); ++touched)
            inode_->dirty[touched].push_back(inode_->now.substr(touched * sector, sector));
        if (verdict.act == Act::power_cut) return -EIO;
        return static_cast<std::int64_t>(bytes.size());
    }
    auto reserve(std::uint64_t begin, std::uint64_t end) -> int override {
        disk_.reserved_ += end - begin;
        return write_zeros(*this, begin, end);
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
            if (access != Access::make) return -ENOENT;
            at = names_.emplace(path.string(), std::make_shared<Inode>()).first;
        }
        file = std::make_unique<MemoryFile>(*this, at->second);
        return 0;
    });
}

// Decides unit by unit; asked in the same order for the same disk.
class MemoryDisk::Choice {
public:
    Choice(Keep keep, std::uint64_t seed, std::size_t units)
        : keep_(keep), random_(seed), percent_(random_() % 5 * 25) {
        if (units > 0) chosen_ = random_() % units;
    }
    auto kept() -> bool {
        const bool chosen = asked_++ == chosen_;
        switch (keep_) {
            case Keep::none: return false;
            case Keep::all: return true;
            case Keep::all_but_one: return !chosen;
            case Keep::one: return chosen;
            case Keep::some: break;
        }
        return random_() % 100 < percent_;
    }
    // Mostly the newest.
    auto version(const std::vector<std::string>& versions) -> const std::string& {
        const bool older = keep_ == Keep::some && random_() % 4 == 0;
        return older ? versions[random_() % versions.size()] : versions.back();
    }

private:
    const Keep keep_;
    std::mt19937_64 random_;
    const std::uint64_t percent_;  // some images keep nothing, some keep all
    std::size_t chosen_ = 0;
    std::size_t asked_ = 0;
};

// With the lock held.
inline auto MemoryDisk::possible_now(Keep keep, std::uint64_t seed) const
    -> std::unique_ptr<MemoryDisk> {
    std::size_t units = 0;
    for (const auto& [name, inode] : names_)
        units += inode->dirty.size() + (durable_names_.contains(name) ? 0 : 1);
    for (const auto& [name, inode] : durable_names_) units += names_.contains(name) ? 0 : 1;
    Choice choice(keep, seed, units);
    Names names = durable_names_;
    for (const auto& [name, inode] : names_) {
        const auto before = durable_names_.find(name);
        if (before != durable_names_.end() && before->second == inode) continue;
        if (choice.kept()) names[name] = inode;
    }
    for (const auto& [name, inode] : durable_names_)
        if (!names_.contains(name) && choice.kept()) names.erase(name);
    auto disk = std::make_unique<MemoryDisk>(Judge(), sector_);
    for (const auto& [name, inode] : names) {
        auto after = std::make_shared<Inode>();
        after->now = inode->durable;
        for (const auto& [touched, versions] : inode->dirty) {
            if (!choice.kept()) continue;
            const auto& bytes = choice.version(versions);
            const auto begin = touched * sector_;
            if (after->now.size() < begin + bytes.size())
                after->now.resize(begin + bytes.size(), '\0');
            after->now.replace(begin, bytes.size(), bytes);
        }
        after->durable = after->now;
        disk->names_[name] = std::move(after);
    }
    disk->durable_names_ = disk->names_;
    return disk;
}

inline auto MemoryDisk::copy() -> std::unique_ptr<MemoryDisk> {
    const std::lock_guard lock(mutex_);
    auto disk = std::make_unique<MemoryDisk>(Judge(), sector_);
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
