// What collapse() and gathering its rows cost per row of a mixed run.
#include <benchmark/benchmark.h>

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>

#include <random>

#include "change/batch_fixture.hpp"
#include "change/net_effect_rows.hpp"

namespace leat {

namespace {

// 40 % inserts, 35 % updates, 15 % deletes, 10 % key changes; keys among four times the rows.
auto mixed_run(std::int64_t count, bool text_key) -> Batch {
    const auto key_type = text_key ? arrow::utf8() : arrow::int64();
    const auto schema = fixture::keyed_table("t", {{"id", key_type},
                                                   {"a", arrow::int64()},
                                                   {"b", arrow::float64()},
                                                   {"note", arrow::utf8()}});
    std::mt19937_64 random(1);
    fixture::BatchFixture rows(schema);
    const auto key = [&] {
        const auto id = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(4 * count));
        return text_key ? fixture::Value("customer-" + std::to_string(id)) : fixture::Value(id);
    };
    for (std::int64_t i = 0; i < count; ++i) {
        const auto dice = random() % 100;
        const fixture::Row row = {key(), 1, 2.5, "twenty characters ..."};
        if (dice < 40) rows.insert(row);
        else if (dice < 75) rows.update(row);
        else if (dice < 90) rows.remove({key()});
        else rows.move({key()}, row);
    }
    return rows.build();
}

auto collapse_mixed(benchmark::State& state) -> void {
    const auto run = mixed_run(state.range(0), state.range(1) != 0);
    for (auto _ : state) {
        auto effect = collapse(run);
        CHECK(effect.has_value());
        benchmark::DoNotOptimize(effect);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(collapse_mixed)->ArgsProduct({{10'000, 100'000}, {0, 1}})->ArgNames({"rows", "text_key"});

auto collapse_and_gather_mixed(benchmark::State& state) -> void {
    const auto run = mixed_run(state.range(0), state.range(1) != 0);
    for (auto _ : state) {
        auto effect = collapse(run);
        CHECK(effect.has_value());
        auto inserts = insert_rows(run, effect.value());
        auto deletes = delete_keys(run, effect.value());
        CHECK(inserts.has_value() && deletes.has_value());
        benchmark::DoNotOptimize(inserts);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(collapse_and_gather_mixed)
    ->ArgsProduct({{10'000, 100'000}, {0, 1}})
    ->ArgNames({"rows", "text_key"});

}  // namespace

}  // namespace leat

BENCHMARK_MAIN();
