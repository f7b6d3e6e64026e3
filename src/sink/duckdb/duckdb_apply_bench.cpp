// How fast epochs get into DuckDB, beside a minimal client of DuckDB that writes the same rows:
//     duckdb_apply_bench [rows in thousands] [rounds]
// One JSON object per line; rates in rows per second, CPU in seconds per million rows. Sink and
// client alternate, each on a file of its own.
#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/util/decimal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <unordered_set>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "sink/duckdb/appender.hpp"
#include "sink/duckdb/duckdb_sink.hpp"

namespace leat {
namespace {

using arrow::int32;
using arrow::int64;
using arrow::utf8;

template <class T>
auto must(Result<T> result) -> T {
    if (!result) std::fprintf(stderr, "%s\n", result.error().what.c_str());
    CHECK(result.has_value());
    if constexpr (!std::is_void_v<T>) return std::move(result).value();
}
auto check(const arrow::Status& status) -> void {
    CHECK(status.ok());
}

auto orders() -> SchemaPtr {
    static const SchemaPtr schema = [] {
        auto table = std::make_shared<TableSchema>();
        table->name = {"public", "orders"};
        table->columns = {
            {"id", int64(), "", false, 1, nullptr},
            {"customer", int32(), "", true, 2, nullptr},
            {"status", utf8(), "", true, 3, nullptr},
            {"amount", arrow::decimal128(12, 2), "", true, 4, nullptr},
            {"created", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "", true, 5, nullptr},
            {"weight", arrow::float64(), "", true, 6, nullptr},
            {"note", utf8(), "", true, 7, nullptr}};
        table->key = {0};
        table->generation = 1;
        return table;
    }();
    return schema;
}

struct Change {
    Op op;
    std::int64_t id;
    std::int64_t old_id = -1;  // of a key change
};

auto finish(arrow::ArrayBuilder& builder) -> std::shared_ptr<arrow::Array> {
    return builder.Finish().ValueOrDie();
}

auto before_of(const std::vector<Change>& changes) -> std::shared_ptr<arrow::Array> {
    const auto rows = static_cast<std::int64_t>(changes.size());
    if (std::none_of(changes.begin(), changes.end(), [](auto& c) { return c.old_id >= 0; }))
        return arrow::MakeArrayOfNull(arrow::null(), rows).ValueOrDie();
    arrow::Int64Builder ids;
    auto validity = arrow::AllocateBitmap(rows).ValueOrDie();
    std::fill_n(validity->mutable_data(), validity->size(), std::uint8_t{0});
    for (std::size_t i = 0; i < changes.size(); ++i) {
        check(ids.Append(changes[i].old_id));
        if (changes[i].old_id >= 0)
            validity->mutable_data()[i / 8] =
                static_cast<std::uint8_t>(validity->mutable_data()[i / 8] | (1U << (i % 8U)));
    }
    return std::make_shared<arrow::StructArray>(arrow::struct_({arrow::field("id", int64())}), rows,
                                                arrow::ArrayVector{finish(ids)},
                                                std::move(validity));
}

auto batch_of(const std::vector<Change>& changes) -> Batch {
    arrow::UInt8Builder op;
    arrow::UInt64Builder commit;
    arrow::UInt64Builder ordinal;
    const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    arrow::TimestampBuilder time(utc, arrow::default_memory_pool());
    arrow::Int64Builder id;
    arrow::Int32Builder customer;
    arrow::StringBuilder status;
    arrow::Decimal128Builder amount(arrow::decimal128(12, 2));
    arrow::TimestampBuilder created(utc, arrow::default_memory_pool());
    arrow::DoubleBuilder weight;
    arrow::StringBuilder note;
    std::uint64_t row = 0;
    for (const auto& change : changes) {
        check(op.Append(static_cast<std::uint8_t>(change.op)));
        check(commit.Append(7));
        check(ordinal.Append(row++));
        check(time.Append(1'700'000'000'000'000));
        check(id.Append(change.id));
        check(customer.Append(static_cast<std::int32_t>(change.id % 50'000)));
        check(status.Append(change.id % 3 == 0 ? "shipped" : "open"));
        check(amount.Append(arrow::Decimal128(change.id % 100'000)));
        check(created.Append(1'700'000'000'000'000 + change.id * 1000));
        check(weight.Append(static_cast<double>(change.id) * 0.37));
        check(note.Append("note of order number " + std::to_string(change.id)));
    }
    const auto rows = static_cast<std::int64_t>(changes.size());
    const auto before = before_of(changes);
    auto layout = must(to_arrow(*orders(), {before->type_id() != arrow::Type::NA, false}));
    return {orders(), arrow::RecordBatch::Make(
                          layout, rows,
                          {finish(op), finish(commit), finish(ordinal), finish(time), before,
                           arrow::MakeArrayOfNull(arrow::null(), rows).ValueOrDie(), finish(id),
                           finish(customer), finish(status), finish(amount), finish(created),
                           finish(weight), finish(note)})};
}

auto cpu_seconds() -> double {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Cost {
    double seconds = 0;
    double cpu = 0;
};
auto measure(const std::function<void()>& work) -> Cost {
    const auto began = std::chrono::steady_clock::now();
    const auto cpu = cpu_seconds();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    return {took.count(), cpu_seconds() - cpu};
}

auto median(std::vector<double> values) -> double {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

auto report(const char* name, const std::vector<Cost>& mine, const std::vector<Cost>& theirs,
            double rows, const std::string& conditions) -> void {
    const auto of = [](const std::vector<Cost>& costs, double Cost::*part) {
        std::vector<double> values;
        for (const auto& cost : costs) values.push_back(cost.*part);
        return median(values);
    };
    const auto one = [&](const char* what, const char* unit, double value, double reference) {
        std::printf(
            "{\"name\": \"duckdb %s %s\", \"value\": %.4g, \"unit\": \"%s\", \"reference\": "
            "\"minimal DuckDB client\", \"reference_value\": %.4g, \"ratio\": %.3f, "
            "\"conditions\": \"%s\"}\n",
            name, what, value, unit, reference, value / reference, conditions.c_str());
        std::fflush(stdout);
    };
    const auto mine_s = of(mine, &Cost::seconds);
    const auto theirs_s = of(theirs, &Cost::seconds);
    one("rate", "rows/s", rows / mine_s, rows / theirs_s);
    one("cpu", "CPU-s per million rows", of(mine, &Cost::cpu) / rows * 1e6,
        of(theirs, &Cost::cpu) / rows * 1e6);
    one("epoch", "ms", mine_s * 1e3, theirs_s * 1e3);
}

// The sink on a file of its own.
class SinkSide {
public:
    explicit SinkSide(const std::filesystem::path& folder) {
        std::filesystem::create_directories(folder / "work");
        DuckDbConfig config;
        config.path = folder / "sink.duckdb";
        sink_ = must(DuckDbSink::make(config, {"bench", folder / "work", &clock_}));
        must(sink_->open({"bench", "duckdb", "queue", 1}));
        must(sink_->evolve(orders()));
    }
    auto apply(const std::vector<Batch>& batches) -> void {
        for (const auto& batch : batches) CHECK(must(sink_->write(batch)).empty());
        Progress progress;
        progress.offsets.change_offset = ++offset_;
        must(sink_->commit(progress));
    }
    auto settle() -> void { must(sink_->settle(Rest::last)); }
    auto count() -> std::string {
        auto& queries = dynamic_cast<Queryable&>(*sink_);
        return *must(queries.query("SELECT count(*) || ' ' || sum(id) FROM orders", 1)).rows[0][0];
    }

private:
    SystemClock clock_;
    std::unique_ptr<Sink> sink_;
    std::uint64_t offset_ = 0;
};

// What somebody would write by hand for this one table: chunks into the appender for new rows, a
// temporary table of keys and DELETE USING for the others.
class ClientSide {
public:
    explicit ClientSide(const std::filesystem::path& folder)
        : database_(must(duckdb::Database::open(
              (folder / "client.duckdb").string(),
              {{"threads", "1"}, {"memory_limit", "256MiB"}, {"checkpoint_threshold", "1000TB"}}))),
          connection_(must(database_.connect())) {
        run("CREATE TABLE orders (id BIGINT, customer INTEGER, status VARCHAR, amount "
            "DECIMAL(12,2), created TIMESTAMPTZ, weight DOUBLE, note VARCHAR);"
            "CREATE TEMP TABLE gone (id BIGINT)");
        for (const auto& column : orders()->columns)
            types_.push_back(duckdb::column_type(*column.type, column.logical_type));
    }
    auto run(const std::string& sql) -> void { must(connection_.execute(sql)); }
    // The caller has already worked out which keys go and which rows come.
    auto apply(const std::vector<Batch>& rows, const std::vector<std::int64_t>& gone) -> void {
        run("BEGIN");
        if (!gone.empty()) {
            arrow::Int64Builder ids;
            check(ids.AppendValues(gone));
            const auto array = finish(ids);
            const arrow::Array* const column[] = {array.get()};
            auto out = must(duckdb::Appender::into_table(connection_, "gone", true, {types_[0]}));
            must(out.append(column, array->length()));
            must(out.finish());
            run("DELETE FROM orders USING gone WHERE orders.id = gone.id; TRUNCATE gone");
        }
        auto out = must(duckdb::Appender::into_table(connection_, "orders", false, types_));
        for (const auto& batch : rows) {
            std::vector<const arrow::Array*> columns;
            for (int i = first_table_column; i < batch.rows->num_columns(); ++i)
                columns.push_back(batch.rows->column(i).get());
            must(out.append(columns, batch.rows->num_rows()));
        }
        must(out.finish());
        run("COMMIT");
    }
    auto count() -> std::string {
        return *must(connection_.rows("SELECT count(*) || ' ' || sum(id) FROM orders"))[0][0];
    }

private:
    duckdb::Database database_;
    duckdb::Connection connection_;
    std::vector<duckdb::ColumnType> types_;
};

// An epoch as the sink gets it and as the client does.
struct Epoch {
    std::vector<Batch> changes;
    std::vector<Batch> rows;
    std::vector<std::int64_t> gone;
};

auto insert_epoch(std::int64_t first, std::int64_t count, std::int64_t batch_rows) -> Epoch {
    Epoch epoch;
    for (std::int64_t at = first; at < first + count; at += batch_rows) {
        std::vector<Change> changes;
        for (auto id = at; id < std::min(at + batch_rows, first + count); ++id)
            changes.push_back({Op::insert, id});
        epoch.changes.push_back(batch_of(changes));
    }
    epoch.rows = epoch.changes;
    return epoch;
}

auto cut(const std::vector<Change>& changes, std::size_t batch_rows) -> std::vector<Batch> {
    std::vector<Batch> batches;
    for (std::size_t at = 0; at < changes.size(); at += batch_rows) {
        const auto end = std::min(changes.size(), at + batch_rows);
        batches.push_back(batch_of({changes.begin() + static_cast<std::ptrdiff_t>(at),
                                    changes.begin() + static_cast<std::ptrdiff_t>(end)}));
    }
    return batches;
}

// 40/35/15/10 insert, update, delete, key change over uniform keys. A key changes once in an epoch,
// so that the client needs no collapse of its own.
class Mix {
public:
    Mix(std::int64_t rows, unsigned seed) : next_(rows), random_(seed) {
        for (std::int64_t id = 0; id < rows; ++id) live_.push_back(id);
    }

    auto epoch(std::int64_t count) -> Epoch {
        Epoch epoch;
        std::vector<Change> changes;
        std::vector<Change> kept;
        std::unordered_set<std::int64_t> used;
        std::vector<std::int64_t> born;
        for (std::int64_t i = 0; i < count; ++i) {
            const auto dice = random_() % 100;
            if (dice < 40) {
                born.push_back(next_++);
                changes.push_back({Op::insert, born.back()});
                kept.push_back(changes.back());
                continue;
            }
            auto place = random_() % live_.size();
            while (!used.insert(live_[place]).second) place = random_() % live_.size();
            const auto id = live_[place];
            epoch.gone.push_back(id);
            if (dice < 75) {
                changes.push_back({Op::update, id});
                kept.push_back(changes.back());
            } else {
                live_[place] = live_.back();
                live_.pop_back();
                if (dice < 90) {
                    changes.push_back({Op::remove, id});
                } else {
                    born.push_back(next_++);
                    changes.push_back({Op::update, born.back(), id});
                    kept.push_back(changes.back());
                }
            }
        }
        live_.insert(live_.end(), born.begin(), born.end());
        epoch.changes = cut(changes, 1000);
        epoch.rows = cut(kept, 1000);
        return epoch;
    }

private:
    std::int64_t next_;
    std::mt19937_64 random_;
    std::vector<std::int64_t> live_;
};

auto run_inserts(const std::filesystem::path& folder, std::int64_t rows, int rounds,
                 std::int64_t epoch_rows, std::int64_t batch_rows) -> void {
    std::vector<Epoch> epochs;
    for (std::int64_t at = 0; at < rows; at += epoch_rows)
        epochs.push_back(insert_epoch(at, std::min(epoch_rows, rows - at), batch_rows));
    std::vector<Cost> mine;
    std::vector<Cost> theirs;
    for (int round = 0; round < rounds; ++round) {
        std::filesystem::remove_all(folder);
        std::filesystem::create_directories(folder);
        SinkSide sink(folder);
        ClientSide client(folder);
        mine.push_back(measure([&] {
            for (const auto& epoch : epochs) sink.apply(epoch.changes);
            sink.settle();
        }));
        theirs.push_back(measure([&] {
            for (const auto& epoch : epochs) client.apply(epoch.rows, {});
            client.run("CHECKPOINT");
        }));
        CHECK(sink.count() == client.count());
    }
    report("append", mine, theirs, static_cast<double>(rows),
           std::to_string(rows) + " rows of 7 columns, epochs of " + std::to_string(epoch_rows) +
               ", batches of " + std::to_string(batch_rows) + ", checkpoint included");
}

auto run_mixed(const std::filesystem::path& folder, std::int64_t rows, int rounds) -> void {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    SinkSide sink(folder);
    ClientSide client(folder);
    for (std::int64_t at = 0; at < rows; at += 200'000) {
        const auto epoch = insert_epoch(at, std::min<std::int64_t>(200'000, rows - at), 10'000);
        sink.apply(epoch.changes);
        client.apply(epoch.rows, {});
    }
    sink.settle();
    client.run("CHECKPOINT");
    Mix mix(rows, 42);
    for (const std::int64_t size : {100, 1'000, 10'000, 100'000}) {
        std::vector<Cost> mine;
        std::vector<Cost> theirs;
        for (int round = 0; round < (size < 10'000 ? rounds * 5 : rounds); ++round) {
            const auto epoch = mix.epoch(size);
            mine.push_back(measure([&] { sink.apply(epoch.changes); }));
            theirs.push_back(measure([&] { client.apply(epoch.rows, epoch.gone); }));
        }
        CHECK(sink.count() == client.count());
        report(
            "mixed", mine, theirs, static_cast<double>(size),
            std::to_string(size) + " changes 40/35/15/10 into " + std::to_string(rows) + " rows");
    }
    const auto mine = measure([&] { sink.settle(); });
    const auto theirs = measure([&] { client.run("CHECKPOINT"); });
    report("checkpoint after mixed", {mine}, {theirs}, 1, std::to_string(rows) + " rows");
}

auto run_all(std::int64_t rows, int rounds) -> void {
    const auto folder = std::filesystem::temp_directory_path() /
                        ("leat-duckdb-bench-" + std::to_string(::getpid()));
    run_inserts(folder, rows, rounds, 100'000, 10'000);
    run_inserts(folder, rows, rounds, 10'000, 1'000);
    run_inserts(folder, rows, rounds, 10'000, 10);
    run_mixed(folder, rows, rounds);
    run_mixed(folder, rows * 4, rounds);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("{\"name\": \"duckdb bench peak memory\", \"value\": %ld, \"unit\": \"KiB\"}\n",
                usage.ru_maxrss);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace leat

auto main(int count, char** arguments) -> int {
    const auto argument = [&](int i, int otherwise) {
        return count > i ? std::atoi(arguments[i]) : otherwise;
    };
    leat::run_all(std::int64_t{1000} * argument(1, 1000), argument(2, 5));
}
