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

#include "base/bytes.hpp"
#include "format/pgtype/pgtype.hpp"

namespace leat::pgtype {
namespace {

constexpr std::size_t row_count = 1024;

using Print = std::string (*)(unsigned row);

// How the column's values look in text and, where it differs, in binary form.
struct Column {
    PgType type;
    Print text;
    Print binary;
};

auto print(const char* format, unsigned a, unsigned b) -> std::string {
    char text[96];
    const int size = std::snprintf(text, sizeof text, format, a, b);
    return {text, static_cast<std::size_t>(size)};
}

template <class... T>
auto wire(T... values) -> std::string {
    std::string bytes;
    const auto put = [&](auto value) {
        value = ByteReader::from_big(value);
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    (put(values), ...);
    return bytes;
}

auto column(std::uint32_t oid, std::int32_t typmod, Print text, Print binary) -> Column {
    PgType type;
    type.oid = oid;
    type.typmod = typmod;
    return {type, text, binary};
}

auto text_column(Print text) -> Column {
    return column(25, -1, text, text);
}

auto columns() -> std::vector<Column> {
    const auto price = [](unsigned i) { return print("%u.%02u", i * 31U % 99'999U, i % 100); };
    const auto sent_price = [](unsigned i) {
        using U = std::uint16_t;
        const auto whole = i * 31U % 99'999U;
        return wire(U{3}, U{1}, U{0}, U{2}, static_cast<U>(whole / 10'000),
                    static_cast<U>(whole % 10'000), static_cast<U>(i % 100 * 100));
    };
    const auto moment = [](unsigned i) {
        return print("2026-03-%02u 14:25:36.%06u+00", 1 + i % 28, i * 811U % 1'000'000U);
    };
    return {
        column(
            20, -1, [](unsigned i) { return std::to_string(10'000'000U + i * 977U); },
            [](unsigned i) { return wire(std::int64_t{10'000'000} + i * 977U); }),
        column(
            23, -1, [](unsigned i) { return std::to_string(i * 7919U % 100'000U); },
            [](unsigned i) { return wire(static_cast<std::int32_t>(i * 7919U % 100'000U)); }),
        text_column([](unsigned i) { return print("customer-%06u@example-%u.org", i, i % 7); }),
        text_column([](unsigned i) { return print("%08x%08x", i * 2654435761U, i); }),
        column(1700, ((12 << 16) | 2) + 4, price, sent_price),
        column(1184, -1, moment,
               [](unsigned i) { return wire(std::int64_t{826'000'000'000'000} + i * 811U); }),
        column(
            16, -1, [](unsigned i) { return std::string(i % 3 == 0 ? "t" : "f"); },
            [](unsigned i) { return std::string(1, i % 3 == 0 ? '\1' : '\0'); }),
    };
}

enum class Form { text, binary };

struct Table {
    std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
    std::vector<ValueWriter> writers;
    std::vector<std::vector<std::string>> rows;
};

auto make_table(const std::vector<Column>& from, Form form) -> Table {
    Table table;
    for (const auto& entry : from) {
        auto mapping = map(entry.type);
        table.builders.push_back(arrow::MakeBuilder(mapping.type).ValueOrDie());
        auto writer = ValueWriter::make(std::move(mapping), table.builders.back().get());
        if (!writer) std::abort();
        table.writers.push_back(std::move(writer).value());
    }
    for (unsigned row = 0; row < row_count; ++row) {
        table.rows.emplace_back();
        for (const auto& entry : from)
            table.rows.back().push_back((form == Form::text ? entry.text : entry.binary)(row));
    }
    return table;
}

// As a decoder does it: row by row, the builders handed off every 64 rounds.
template <Form form>
auto run(benchmark::State& state, const std::vector<Column>& from) -> void {
    auto table = make_table(from, form);
    int rounds = 0;
    for (auto _ : state) {
        for (const auto& row : table.rows) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                auto& writer = table.writers[i];
                const auto fault =
                    form == Form::text ? writer.append_text(row[i]) : writer.append_binary(row[i]);
                if (fault != ValueFault::none) std::abort();
            }
        }
        if (++rounds % 64 == 0)
            for (const auto& builder : table.builders)
                benchmark::DoNotOptimize(builder->Finish().ValueOrDie());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(row_count));
    state.counters["per_row"] =
        benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(row_count),
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

template <Form form>
auto row_of_seven(benchmark::State& state) -> void {
    run<form>(state, columns());
}
BENCHMARK(row_of_seven<Form::text>);
BENCHMARK(row_of_seven<Form::binary>);

template <Form form>
auto one_column(benchmark::State& state) -> void {
    run<form>(state, {columns()[static_cast<std::size_t>(state.range(0))]});
}
BENCHMARK(one_column<Form::text>)->DenseRange(0, 6);
BENCHMARK(one_column<Form::binary>)->DenseRange(0, 6);

auto float8_text(benchmark::State& state) -> void {
    const auto text = [](unsigned i) { return std::to_string(i * 0.37) + std::to_string(i); };
    run<Form::text>(state, {column(701, -1, text, text)});
}
BENCHMARK(float8_text);

}  // namespace
}  // namespace leat::pgtype

BENCHMARK_MAIN();
