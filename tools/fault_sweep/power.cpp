// Runs the script once per sector size. Before every sync of a file or of the folder it takes
// images: nothing of what is unsynced, all of it, all but one unit, one unit alone, and random
// subsets; each is opened and checked with what the record said before that moment.
#include "power.hpp"

#include <iostream>
#include <mutex>
#include <set>

#include "checker.hpp"
#include "queue/log/memory_disk.hpp"
#include "script.hpp"
#include "writer.hpp"

namespace leat::log_queue {

namespace {

using namespace fixture;

// Calls `boundary` ahead of every sync; otherwise the disk below.
class BoundaryDisk final : public Disk {
public:
    BoundaryDisk(MemoryDisk& below, std::function<void()> boundary)
        : below_(below), boundary_(std::move(boundary)) {}

    auto open(const Path& path, Access access, std::unique_ptr<File>& file) -> int override {
        std::unique_ptr<File> real;
        const int failed = below_.open(path, access, real);
        if (failed == 0) file = std::make_unique<BoundaryFile>(std::move(real), boundary_);
        return failed;
    }
    auto rename(const Path& from, const Path& to) -> int override { return below_.rename(from, to); }
    auto remove(const Path& path) -> int override { return below_.remove(path); }
    auto sync_directory(const Path& path) -> int override {
        boundary_();
        return below_.sync_directory(path);
    }
    auto list(const Path& path, std::vector<std::string>& names) -> int override {
        return below_.list(path, names);
    }

private:
    class BoundaryFile final : public File {
    public:
        BoundaryFile(std::unique_ptr<File> file, const std::function<void()>& boundary)
            : file_(std::move(file)), boundary_(boundary) {}
        auto write(std::span<const std::string_view> pieces, std::uint64_t at)
            -> std::int64_t override {
            return file_->write(pieces, at);
        }
        auto reserve(std::uint64_t begin, std::uint64_t end) -> int override {
            return file_->reserve(begin, end);
        }
        auto read(std::span<char> into, std::uint64_t at) -> std::int64_t override {
            return file_->read(into, at);
        }
        auto sync(Sync what) -> int override {
            boundary_();
            return file_->sync(what);
        }
        auto size() -> std::int64_t override { return file_->size(); }
        auto close() -> int override { return file_->close(); }

    private:
        std::unique_ptr<File> file_;
        const std::function<void()>& boundary_;
    };

    MemoryDisk& below_;
    const std::function<void()> boundary_;
};

// What is checked and counted, over both sector sizes.
struct Tally {
    std::set<std::size_t> distinct;
    std::uint64_t images = 0;
    std::uint64_t boundaries = 0;
    std::uint64_t cut = 0;
    std::uint64_t violations = 0;
};

class Cuts {
public:
    Cuts(std::size_t sector, std::uint64_t per_boundary, std::uint64_t seed, Tally& tally)
        : sector_(sector),
          per_boundary_(per_boundary),
          random_(seed),
          tally_(tally),
          below_({}, sector),
          disk_(below_, [this] { boundary(); }) {}

    auto run() -> int {
        WriterOptions options;
        options.folder = folder_.path() / "log";
        options.disk = &disk_;
        options.say = [this](const std::string& line) {
            const std::lock_guard lock(mutex_);
            static_cast<void>(add_line(line, record_));
        };
        return write_script(options);
    }

private:
    // From the thread that syncs. The other one may go on, but says nothing meanwhile.
    auto boundary() -> void {
        const std::lock_guard lock(mutex_);
        ++tally_.boundaries;
        for (std::uint64_t i = 0; i < per_boundary_; ++i) {
            const auto seed = random_();
            check(*below_.possible(i < 4 ? static_cast<Keep>(i) : Keep::some, seed), seed, i);
        }
    }

    auto check(MemoryDisk& image, std::uint64_t seed, std::uint64_t i) -> void {
        ++tally_.images;
        if (!tally_.distinct.insert(image.fingerprint()).second) return;
        image.move_to(checked_.path());
        const auto result = check_log(image, checked_.path(), record_);
        if (result && *result != "torn 0, unfinished 0") ++tally_.cut;
        if (result) return;
        ++tally_.violations;
        std::cout << "sector " << sector_ << ", sync " << tally_.boundaries << ", image " << i
                  << ", seed " << seed << ", step " << record_.tried << ": " << result.error().what
                  << "\n";
    }

    const std::size_t sector_;
    const std::uint64_t per_boundary_;
    std::mutex mutex_;
    std::mt19937_64 random_;
    Tally& tally_;
    TempFolder folder_;
    TempFolder checked_;
    Record record_;
    MemoryDisk below_;
    BoundaryDisk disk_;
};

}  // namespace

auto cut_power(const PowerOptions& options) -> int {
    Tally tally;
    // The script syncs about 400 times, once per sector size.
    const auto per_boundary = std::max<std::uint64_t>(4, options.images / 800);
    for (const std::size_t sector : {512U, 4096U}) {
        const int code = Cuts(sector, per_boundary, options.seed, tally).run();
        if (code != 0) {
            std::cout << "the script stopped by itself\n";
            return 1;
        }
    }
    std::cout << tally.boundaries << " syncs, " << tally.images << " images with seed "
              << options.seed << ", " << tally.distinct.size() << " of them distinct and checked; "
              << tally.cut << " were cut at the next start; " << tally.violations
              << " violations\n";
    return tally.violations == 0 ? 0 : 1;
}

}  // namespace leat::log_queue
