// Cost of a row's values on their way into Arrow builders: the seven columns of the benchmarks'
// table, in text (pgoutput) and binary (COPY) form, and each column alone.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "format/pgtype/pgtype.hpp"

namespace leat::pgtype {
namespace {

constexpr std::size_t row_count = 1024;

struct Column {
    PgType type;
    std::string (*text)(unsigned row);
};

auto print(const char* format, unsigned a, unsigned b) -> std::string {
    char text[96];
    const int size = std::snprintf(text, sizeof text, format, a, b);
    return {text, static_cast<std::size_t>(size)};
}

auto column(std::uint32_t oid, std::int32_t typmod, std::string (*text)(unsigned)) -> Column {
    PgType type;
    type.oid = oid;
    type.typmod = typmod;
    return {type, text};
}

auto columns() -> std::vector<Column> {
    return {
        column(20, -1, [](unsigned i) { return std::to_string(10'000'000U + i * 977U); }),
        column(23, -1, [](unsigned i) { return std::to_string(i * 7919U % 100'000U); }),
        column(25, -1, [](unsigned i) { return print("customer-%06u@example-%u.org", i, i % 7); }),
        column(25, -1, [](unsigned i) { return print("%08x%08x", i * 2654435761U, i); }),
        column(1700, ((12 << 16) | 2) + 4,
               [](unsigned i) { return print("%u.%02u", i * 31U % 99'999U, i % 100); }),
        column(1184, -1,
               [](unsigned i) {
                   return print("2026-03-%02u 14:25:36.%06u+00", 1 + i % 28, i * 811U % 1'000'000U);
               }),
        column(16, -1, [](unsigned i) { return std::string(i % 3 == 0 ? "t" : "f"); }),
    };
}

struct Table {
    std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
    std::vector<ValueWriter> writers;
    std::vector<std::vector<std::string>> text;  // per row
};

auto make_table(const std::vector<Column>& from) -> Table {
    Table table;
    for (const auto& entry : from) {
        auto mapping = map(entry.type);
        table.builders.push_back(arrow::MakeBuilder(mapping.type).ValueOrDie());
        auto writer = ValueWriter::make(std::move(mapping), table.builders.back().get());
        if (!writer) std::abort();
        table.writers.push_back(std::move(writer).value());
    }
    for (unsigned row = 0; row < row_count; ++row) {
        table.text.emplace_back();
        for (const auto& entry : from) table.text.back().push_back(entry.text(row));
    }
    return table;
}

// As a decoder does it: row by row, the builders handed off every 64 rounds.
auto run(benchmark::State& state, const std::vector<Column>& from) -> void {
    auto table = make_table(from);
    int rounds = 0;
    for (auto _ : state) {
        for (const auto& row : table.text)
            for (std::size_t i = 0; i < row.size(); ++i)
                if (table.writers[i].append_text(row[i]) != ValueFault::none) std::abort();
        if (++rounds % 64 == 0)
            for (const auto& builder : table.builders)
                benchmark::DoNotOptimize(builder->Finish().ValueOrDie());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(row_count));
    state.counters["per_row"] =
        benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(row_count),
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

auto row_of_seven(benchmark::State& state) -> void {
    run(state, columns());
}
BENCHMARK(row_of_seven);

auto one_column(benchmark::State& state) -> void {
    run(state, {columns()[static_cast<std::size_t>(state.range(0))]});
}
BENCHMARK(one_column)->DenseRange(0, 6);

auto float8(benchmark::State& state) -> void {
    run(state,
        {column(701, -1, [](unsigned i) { return std::to_string(i * 0.37) + std::to_string(i); })});
}
BENCHMARK(float8);

}  // namespace
}  // namespace leat::pgtype

BENCHMARK_MAIN();
