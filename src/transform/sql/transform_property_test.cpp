// Batch SQL over random batches of inserts, updates, deletes and key changes comes, after every
// batch, to what plain SQL over the resulting table says.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "change/batch_fixture.hpp"
#include "change/collapse_model.hpp"
#include "transform/sql/sql_transform.hpp"

namespace leat {

namespace {

using fixture::BatchFixture;
using Source = std::map<std::int64_t, std::pair<std::int64_t, std::string>>;

constexpr auto query =
    "SELECT id, n * 2 AS twice, CASE WHEN n > 50 THEN upper(s) ELSE s END AS s, n IS NULL AS none "
    "FROM t WHERE n % 3 <> 0 AND s LIKE 'a%'";

const auto table = fixture::keyed_table(
    "t", {{"id", arrow::int64()}, {"n", arrow::int64()}, {"s", arrow::utf8()}});

auto engine() -> std::shared_ptr<sql::Engine> {
    static const auto made = *sql::Engine::make();
    return made;
}

// What DuckDB says of the whole table, row by row as text.
auto plain(const Source& source) -> std::set<model::Row> {
    static const auto connection = *engine()->connect();
    static const bool made =
        sql::run(connection.get(), "CREATE TEMP TABLE t (id BIGINT, n BIGINT, s VARCHAR)")
            .has_value();
    RC_ASSERT(made);
    RC_ASSERT(sql::run(connection.get(), "DELETE FROM t").has_value());
    for (const auto& [id, row] : source)
        RC_ASSERT(sql::run(connection.get(), "INSERT INTO t VALUES (" + std::to_string(id) + ", " +
                                                 std::to_string(row.first) + ", " +
                                                 sql::literal(row.second) + ")")
                      .has_value());
    sql::Outcome outcome;
    const auto text = "SELECT id::VARCHAR, twice::VARCHAR, s, none::VARCHAR FROM (" +
                      std::string(query) + ")";
    RC_ASSERT(duckdb_query(connection.get(), text.c_str(), outcome.get()) == DuckDBSuccess);
    std::set<model::Row> rows;
    while (true) {
        const sql::Chunk chunk(duckdb_fetch_chunk(*outcome.get()));
        if (!chunk) return rows;
        for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk.get()); ++row) {
            model::Row values;
            for (idx_t column = 0; column < 4; ++column) {
                const auto vector = duckdb_data_chunk_get_vector(chunk.get(), column);
                auto* const texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
                values.push_back("=" + std::string(duckdb_string_t_data(&texts[row]),
                                                   duckdb_string_t_length(texts[row])));
            }
            rows.insert(values);
        }
    }
}

auto change(BatchFixture& rows, Source& source) -> void {
    const auto id = *rc::gen::inRange<std::int64_t>(0, 12);
    const auto other = *rc::gen::inRange<std::int64_t>(0, 12);
    const auto n = *rc::gen::inRange<std::int64_t>(0, 100);
    const auto s = *rc::gen::element<std::string>("a", "ab", "b", "", "a'c");
    const auto found = source.find(id);
    if (found == source.end()) {
        source[id] = {n, s};
        rows.insert({id, n, s});
    } else if (n < 20) {
        source.erase(found);
        rows.remove({id});
    } else if (n < 50 && !source.contains(other)) {
        source.erase(found);
        source[other] = {n, s};
        rows.move({id}, {other, n, s});
    } else {
        found->second = {n, s};
        rows.update({id, n, s});
    }
}

RC_GTEST_PROP(TransformProperty, EveryEpochIsThePlainQuery, ()) {
    const auto transform = *SqlTransform::make(engine(), {"t", query, {}});
    RC_ASSERT(transform->prepare(table).has_value());
    Source source;
    model::Table sink;
    const auto batches = *rc::gen::inRange(1, 6);
    for (int batch = 1; batch <= batches; ++batch) {
        BatchFixture rows(table, static_cast<std::uint64_t>(batch));
        const auto length = *rc::gen::inRange(1, 30);
        for (int i = 0; i < length; ++i) change(rows, source);
        const auto applied = transform->apply(rows.build());
        RC_ASSERT(applied.has_value());
        RC_ASSERT(applied->rejects.empty());
        model::apply_naive(applied->out, sink);
        std::set<model::Row> held;
        for (const auto& [key, row] : sink.by_key) held.insert(row);
        RC_ASSERT(held == plain(source));
    }
}

}  // namespace

}  // namespace leat
