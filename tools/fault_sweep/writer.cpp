// The record, on standard output, is what a source and its sinks would know of the log after a
// crash. One line each, written before (try, release) or after (proof, sink) the call:
//   life N | preparer TID | try I | proof I | resumed I | sink LANE COMMIT PROGRESS |
//   release LANE CHANGE_OFFSET IMAGE_COMPLETE | waits FAULT WHAT | error FAULT WHAT | calls W R |
//   done
#include "writer.hpp"

#include <dirent.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "script.hpp"

namespace leat::log_queue {

namespace {

using namespace fixture;

auto say(const std::string& line) -> void {
    const auto text = line + "\n";
    if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) ::_exit(9);
}

// Calls of the real disk, some of which do half their work.
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

auto threads() -> std::set<std::string> {
    std::set<std::string> list;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
        list.insert(entry.path().filename().string());
    return list;
}

auto traced(const std::string& thread) -> bool {
    std::ifstream status("/proc/self/task/" + thread + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("TracerPid:"))
            return line.substr(10).find_first_not_of("\t 0") != std::string::npos;
    return false;
}

class Writer {
public:
    explicit Writer(const WriterOptions& options) : options_(options) {
        disk_.counts.short_write = options.short_write;
        disk_.counts.short_read = options.short_read;
    }

    auto run() -> Result<void> {
        TRY(open());
        const auto script = make_script();
        for (std::size_t i = 0; i < script.size(); ++i) TRY(take(i, script[i]));
        log_.reset();
        return {};
    }
    auto counts() const -> const ShortFile::Counts& { return disk_.counts; }

private:
    // A full disk passes: the engine tries again then, and so does this.
    auto open() -> Result<void> {
        log_.reset();
        say("life " + std::to_string(++life_));
        const auto before = threads();
        for (int attempt = 0;; ++attempt) {
            Surroundings surroundings;
            if (options_.short_write + options_.short_read > 0) surroundings.disk = &disk_;
            auto made =
                LogQueue::make(sweep_config(options_.folder), sweep_context(clock_), surroundings);
            if (made) {
                log_ = std::move(made).value();
                break;
            }
            if (made.error().fault != Fault::retry || attempt == 3) return made.error();
            say("waits retry " + made.error().what);
        }
        if (life_ == options_.attach_life) wait_for_tracer(before);
        TRY(log_->resume_point());
        return {};
    }

    static auto wait_for_tracer(const std::set<std::string>& before) -> void {
        std::string preparer;
        for (const auto& thread : threads())
            if (!before.contains(thread)) preparer = thread;
        say("preparer " + preparer);
        while (!traced(preparer)) std::this_thread::yield();
    }

    auto take(std::size_t index, const Step& step) -> Result<void> {
        const auto number = std::to_string(index);
        switch (step.what) {
            case Do::append: {
                say("try " + number);
                const auto durable = TRY(log_->append(step.frame, {}));
                if (step.frame.kind == FrameKind::changes && step.frame.ends_transaction &&
                    durable.position() < step.frame.last)
                    return Error{Fault::fatal, "proof of something older", "", number};
                say("proof " + number);
                return {};
            }
            case Do::resume: {
                // As the engine answers passing trouble: once more.
                if (const auto first = log_->resume_point(); !first) {
                    if (first.error().fault != Fault::retry) return first.error();
                    say("waits retry " + first.error().what);
                    TRY(log_->resume_point());
                }
                say("resumed " + number);
                return {};
            }
            case Do::deliver: {
                auto result = deliver(step.lane);
                if (result || result.error().fault != Fault::retry) return result;
                say("waits retry " + result.error().what);
                return deliver(step.lane);
            }
            case Do::reopen: return open();
            case Do::tick: clock_.advance(std::chrono::seconds(2)); return {};
        }
        return {};
    }

    // A sink that remembers in the record how far it is.
    auto deliver(const std::string& lane) -> Result<void> {
        auto& sink = sinks_[lane];
        const auto reader = TRY(log_->reader(lane, sink));
        std::uint64_t commit = 0;
        while (const auto delivery = TRY(reader->next({}, Duration::zero()))) {
            sink = delivery->after;
            commit = delivery->frame.last.commit;
        }
        if (commit == 0) return {};
        Progress progress;
        progress.offsets = *sink;
        say("sink " + lane + " " + std::to_string(commit) + " " + encode(progress));
        say("release " + lane + " " + std::to_string(sink->change_offset) +
            (sink->image_complete ? " 1" : " 0"));
        return log_->release(lane, *sink);
    }

    const WriterOptions options_;
    ManualClock clock_;
    ShortDisk disk_;
    std::unique_ptr<LogQueue> log_;
    std::map<std::string, std::optional<Offsets>> sinks_;
    int life_ = 0;
};

}  // namespace

auto sweep_config(const std::filesystem::path& folder) -> LogConfig {
    LogConfig config;
    config.path = folder;
    config.segment_bytes.count = 64 << 10;
    config.max_bytes.count = 64 << 20;
    config.rewind_bytes.count = 0;
    config.rewind_time = Duration::zero();
    return config;
}

auto sweep_context(const Clock& clock) -> QueueContext {
    return {"shop", {"duckdb", "slow"}, &clock};
}

auto write_script(const WriterOptions& options) -> int {
    Writer writer(options);
    const auto result = writer.run();
    if (!result) {
        static constexpr const char* names[] = {"retry", "uncertain", "poison", "config", "fatal"};
        say(std::string("error ") + names[static_cast<int>(result.error().fault)] + " " +
            result.error().what);
        return 3;
    }
    say("calls " + std::to_string(writer.counts().writes) + " " +
        std::to_string(writer.counts().reads));
    say("done");
    return 0;
}

}  // namespace leat::log_queue
