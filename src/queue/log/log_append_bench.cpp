// Durable appends of 500-byte events, against the same bytes through pwrite and fdatasync alone.
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/check.hpp"
#include "change/batch_fixture.hpp"
#include "queue/log/log_queue.hpp"

namespace leat::log_queue {

namespace {

constexpr std::int64_t event_bytes = 500;

class TempFolder {
public:
    TempFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "leat-bench-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] auto path() const -> const std::filesystem::path& { return path_; }

private:
    std::filesystem::path path_;
};

// What a transaction of so many events of 500 bytes looks like on the way from a decoder.
auto events(std::int64_t count) -> Batch {
    const auto schema =
        leat::fixture::keyed_table("events", {{"id", arrow::int64()}, {"note", arrow::utf8()}});
    arrow::UInt8Builder op;
    arrow::UInt64Builder commit;
    arrow::UInt64Builder ordinal;
    arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                 arrow::default_memory_pool());
    arrow::Int64Builder id;
    arrow::StringBuilder note;
    // 37 bytes a row are the other columns.
    const std::string text(event_bytes - 37, 'x');
    for (std::int64_t i = 0; i < count; ++i) {
        CHECK(op.Append('I').ok() && commit.Append(6).ok() &&
              ordinal.Append(static_cast<std::uint64_t>(i)).ok() && time.Append(6).ok() &&
              id.Append(i).ok() && note.Append(text).ok());
    }
    const auto shape = to_arrow(*schema, {});
    CHECK(shape.has_value());
    const auto none = *arrow::MakeArrayOfNull(arrow::null(), count);
    return {schema,
            arrow::RecordBatch::Make(*shape, count,
                                     {*op.Finish(), *commit.Finish(), *ordinal.Finish(),
                                      *time.Finish(), none, none, *id.Finish(), *note.Finish()})};
}

auto processor_seconds() -> double {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

auto report(benchmark::State& state, std::int64_t count, double cpu_before) -> void {
    const auto rows = state.iterations() * count;
    state.SetItemsProcessed(rows);
    state.SetBytesProcessed(rows * event_bytes);
    state.counters["cpu_s_per_million"] =
        (processor_seconds() - cpu_before) / static_cast<double>(rows) * 1e6;
}

auto log_append(benchmark::State& state) -> void {
    const TempFolder folder;
    const SystemClock clock;
    LogConfig config;
    config.path = folder.path() / "log";
    config.rewind_bytes.count = 256 << 20;
    auto made = LogQueue::make(config, {"bench", {}, &clock});
    CHECK(made.has_value());
    auto& log = **made;
    Frame frame;
    frame.first = {1, 6, 0, ""};
    frame.last = {1, 6, 1, "token"};
    frame.batches.push_back(events(state.range(0)));
    const auto cpu = processor_seconds();
    std::int64_t since = 0;
    for (auto _ : state) {
        CHECK(log.append(frame, {}).has_value());
        since += state.range(0) * event_bytes;
        // Room for the next, as lanes would make it.
        if (since < (1 << 30)) continue;
        state.PauseTiming();
        CHECK(log.figures().bytes < config.max_bytes.count / 2);
        since = 0;
        state.ResumeTiming();
    }
    report(state, state.range(0), cpu);
}
BENCHMARK(log_append)->Arg(2)->Arg(20)->Arg(200)->Arg(2'000)->Arg(8'000)->UseRealTime();

// From a killed process to the first new durable append, with a backlog of 1 GB.
auto reopen_backlog(benchmark::State& state) -> void {
    const TempFolder folder;
    const SystemClock clock;
    LogConfig config;
    config.path = folder.path() / "log";
    Frame frame;
    frame.first = {1, 6, 0, ""};
    frame.last = {1, 6, 1, "token"};
    frame.batches.push_back(events(state.range(0)));
    const auto open = [&] {
        auto made = LogQueue::make(config, {"bench", {"lane"}, &clock});
        CHECK(made.has_value());
        return std::move(made).value();
    };
    {
        const auto log = open();
        while (log->figures().bytes < 1'000'000'000) CHECK(log->append(frame, {}).has_value());
    }
    double scanned = 0;
    for (auto _ : state) {
        const auto log = open();
        CHECK(log->resume_point().has_value());
        CHECK(log->append(frame, {}).has_value());
        scanned = static_cast<double>(log->report().bytes_scanned) / log->report().seconds;
    }
    state.counters["scan_bytes_per_second"] = scanned;
}
BENCHMARK(reopen_backlog)
    ->Arg(20)
    ->Arg(2'000)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// The limit: bytes of the same size into a file of zeros. `zeros`: whether making that file counts,
// as it does for the log.
auto raw_write(benchmark::State& state) -> void {
    const TempFolder folder;
    const bool count_zeros = state.range(1) != 0;
    constexpr std::int64_t file_bytes = 64 << 20;
    const auto size = (state.range(0) * event_bytes + 200 + 4095) / 4096 * 4096;
    const std::string bytes(static_cast<std::size_t>(size), 'x');
    const std::string zeros(1 << 20, '\0');
    int file = -1;
    std::int64_t at = file_bytes;
    std::int64_t number = 0;
    const auto next_file = [&] {
        if (file >= 0) ::close(file);
        if (number > 8) std::filesystem::remove(folder.path() / std::to_string(number - 8));
        const auto path = folder.path() / std::to_string(++number);
        file = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
        for (std::int64_t i = 0; i < file_bytes; i += 1 << 20)
            CHECK(::pwrite(file, zeros.data(), zeros.size(), i) == 1 << 20);
        CHECK(::fsync(file) == 0);
        at = 0;
    };
    const auto cpu = processor_seconds();
    for (auto _ : state) {
        if (at + size > file_bytes) {
            if (!count_zeros) state.PauseTiming();
            next_file();
            if (!count_zeros) state.ResumeTiming();
        }
        CHECK(::pwrite(file, bytes.data(), bytes.size(), at) == size);
        CHECK(::fdatasync(file) == 0);
        at += size;
    }
    ::close(file);
    report(state, state.range(0), cpu);
}
BENCHMARK(raw_write)
    ->ArgsProduct({{2, 20, 200, 2'000, 8'000}, {0, 1}})
    ->ArgNames({"events", "zeros"})
    ->UseRealTime();

}  // namespace

}  // namespace leat::log_queue

BENCHMARK_MAIN();
