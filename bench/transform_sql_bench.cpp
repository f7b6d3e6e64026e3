// Row-wise SQL over batches of 1,000 rows, Arrow in and out, against the same SQL in DuckDB over a
// table of the same rows, one thread.
#include <benchmark/benchmark.h>

#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/util/decimal.h>

#include <random>

#include "base/check.hpp"
#include "change/batch_fixture.hpp"
#include "pipeline/shaper.hpp"
#include "transform/sql/sql_transform.hpp"

namespace leat {

namespace {

constexpr std::int64_t batch_rows = 1000;
constexpr std::int64_t table_rows = 100'000;

// Two filters, casts, decimal arithmetic, eight columns.
constexpr auto sql_text =
    "SELECT id, customer, status, upper(region) AS region, "
    "TRY_CAST(replace(price, ',', '') AS DECIMAL(12,2)) AS price, "
    "quantity::DECIMAL(12,2) * discount AS rebate, "
    "amount * 1.19 AS gross, amount >= 500 AS high_value "
    "FROM orders WHERE status <> 'deleted' AND quantity > 1";

auto orders() -> SchemaPtr {
    return fixture::keyed_table("orders", {{"id", arrow::int64()},
                                           {"customer", arrow::int64()},
                                           {"status", arrow::utf8()},
                                           {"region", arrow::utf8()},
                                           {"price", arrow::utf8()},
                                           {"quantity", arrow::int32()},
                                           {"discount", arrow::decimal128(4, 2)},
                                           {"amount", arrow::decimal128(12, 2)}});
}

auto make_batch(std::int64_t first) -> Batch {
    std::mt19937_64 random(static_cast<std::uint64_t>(first));
    fixture::BatchFixture rows(orders());
    const char* const states[] = {"open", "paid", "shipped", "deleted"};
    const char* const regions[] = {"north", "south", "east", "west"};
    const auto decimal = [&](std::int64_t hundredths, int precision) {
        return fixture::Value(std::make_shared<arrow::Decimal128Scalar>(
            arrow::Decimal128(hundredths), arrow::decimal128(precision, 2)));
    };
    const auto roll = [&](std::uint64_t sides) { return static_cast<std::int64_t>(random() % sides); };
    for (std::int64_t i = 0; i < batch_rows; ++i)
        rows.insert({first + i, roll(50'000), states[roll(4)], regions[roll(4)],
                     "1," + std::to_string(100 + roll(900)) + ".50", roll(10),
                     decimal(10 + roll(80), 4), decimal(roll(10'000'000), 12)});
    return rows.build();
}

auto make_batches() -> const std::vector<Batch>& {
    static const auto batches = [] {
        std::vector<Batch> made;
        for (std::int64_t first = 0; first < table_rows; first += batch_rows)
            made.push_back(make_batch(first));
        return made;
    }();
    return batches;
}

// As a lane has them done: batch by batch from a queue that has more.
auto over_batches(benchmark::State& state) -> void {
    const auto& batches = make_batches();
    auto engine = sql::Engine::make();
    CHECK(engine.has_value());
    ShaperParts parts;
    parts.transforms.push_back({"orders", "orders", OnBadUpdate::keep_last_good, 0.5,
                                [&]() -> Result<std::unique_ptr<Transform>> {
                                    const SqlTransformOptions options{"orders", sql_text, {}};
                                    return TRY(SqlTransform::make(*engine, options));
                                },
                                ""});
    const auto shaper = Shaper::make(std::move(parts));
    CHECK(shaper.has_value());
    const auto take = [](const Batch&) { return Result<Rejects>(Rejects{}); };
    for (auto _ : state) {
        std::int64_t out = 0;
        for (const auto& batch : batches) {
            const auto rows = (*shaper)->apply(batch, 1, take);
            CHECK(rows.has_value());
            out += *rows;
        }
        const auto rest = (*shaper)->flush(take);
        CHECK(rest.has_value());
        state.counters["rows_out"] = static_cast<double>(out + *rest);
    }
    state.SetItemsProcessed(state.iterations() * table_rows);
}
BENCHMARK(over_batches)->Unit(benchmark::kMillisecond)->MinTime(2);

// The rows as text, cast by DuckDB when the table is filled.
auto fill(duckdb_connection connection) -> void {
    CHECK(sql::run(connection,
                   "CREATE TABLE orders (id BIGINT, customer BIGINT, status VARCHAR, "
                   "region VARCHAR, price VARCHAR, quantity INTEGER, discount DECIMAL(4,2), "
                   "amount DECIMAL(12,2))")
              .has_value());
    for (const auto& batch : make_batches()) {
        std::string values;
        for (std::int64_t row = 0; row < batch.rows->num_rows(); ++row) {
            values += values.empty() ? "(" : ", (";
            for (int column = 0; column < 8; ++column)
                values += (column == 0 ? "'" : ", '") +
                          (*batch.rows->column(first_table_column + column)->GetScalar(row))
                              ->ToString() +
                          "'";
            values += ")";
        }
        CHECK(sql::run(connection, "INSERT INTO orders VALUES " + values).has_value());
    }
}

auto over_a_table(benchmark::State& state) -> void {
    auto engine = sql::Engine::make();
    CHECK(engine.has_value());
    const auto connection = *(*engine)->connect();
    fill(connection.get());
    duckdb_prepared_statement raw = nullptr;
    CHECK(duckdb_prepare(connection.get(), sql_text, &raw) == DuckDBSuccess);
    const sql::Statement statement(raw);
    for (auto _ : state) {
        sql::Outcome outcome;
        CHECK(duckdb_execute_prepared(raw, outcome.get()) == DuckDBSuccess);
        std::int64_t out = 0;
        while (true) {
            const sql::Chunk chunk(duckdb_fetch_chunk(*outcome.get()));
            if (!chunk) break;
            out += static_cast<std::int64_t>(duckdb_data_chunk_get_size(chunk.get()));
        }
        benchmark::DoNotOptimize(out);
        state.counters["rows_out"] = static_cast<double>(out);
    }
    state.SetItemsProcessed(state.iterations() * table_rows);
}
BENCHMARK(over_a_table)->Unit(benchmark::kMillisecond)->MinTime(2);

}  // namespace

}  // namespace leat

BENCHMARK_MAIN();
