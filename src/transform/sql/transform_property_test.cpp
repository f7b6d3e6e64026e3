// Batch SQL over random batches of inserts, updates, deletes and key changes comes, after every
// batch, to what plain SQL over the resulting table says.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "change/batch_fixture.hpp"
#include "change/collapse_model.hpp"
#include "change/pick_rows.hpp"
#include "transform/sql/engine_fixture.hpp"
#include "transform/sql/sql_transform.hpp"

namespace leat {

namespace {

using fixture::BatchFixture;
using fixture::engine;
using Source = std::map<std::int64_t, std::pair<std::int64_t, std::string>>;

constexpr auto query =
    "SELECT id, n * 2 AS twice, CASE WHEN n > 50 THEN upper(s) ELSE s END AS s, n IS NULL AS none "
    "FROM t WHERE n % 3 <> 0 AND s LIKE 'a%'";

const auto table = fixture::keyed_table(
    "t", {{"id", arrow::int64()}, {"n", arrow::int64()}, {"s", arrow::utf8()}});

// What DuckDB says of the whole table, row by row as text.
auto plain(const Source& source) -> std::set<model::Row> {
    const auto connection = *engine()->connect();
    RC_ASSERT(sql::run(connection.get(), "CREATE TEMP TABLE t (id BIGINT, n BIGINT, s VARCHAR)")
                  .has_value());
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

// Tables without a key: what the query says of the rows that do not fail, counted.
constexpr auto failing_query =
    "SELECT n * 2 AS twice, CAST(s AS INTEGER) AS number FROM t WHERE n % 3 <> 0";
const auto bag_table =
    fixture::full_row_table("t", {{"n", arrow::int64()}, {"s", arrow::utf8()}});
using BagRow = std::pair<std::int64_t, std::string>;
using Bag = std::multiset<BagRow>;

auto is_number(const std::string& text) -> bool { return text == "1" || text == "22"; }

auto plain_bag(const Bag& source) -> std::map<model::Row, std::int64_t> {
    std::map<model::Row, std::int64_t> rows;
    for (const auto& [n, s] : source)
        if (n % 3 != 0 && is_number(s) && n * 2 <= 30 && n * 2 != 8)
            ++rows[{"=" + std::to_string(n * 2), "=" + s}];
    return rows;
}

// Leaves out what is rejected, as the engine does. Every row is accounted for.
auto apply_bag(SqlTransform& transform, const Batch& batch, model::Table& sink) -> void {
    const auto applied = transform.apply(batch);
    RC_ASSERT(applied.has_value());
    std::vector<PickedRow> kept;
    auto next = applied->rejects.begin();
    for (std::int64_t row = 0; row < applied->out.rows->num_rows(); ++row) {
        if (next != applied->rejects.end() && next->row == row) ++next;
        else kept.push_back({row, Pick::keep});
    }
    RC_ASSERT(next == applied->rejects.end());
    const auto out = pick_rows(applied->out, kept);
    RC_ASSERT(out.has_value());
    model::apply_naive(*out, sink);
    auto sum = static_cast<std::int64_t>(kept.size() + applied->rejects.size()) +
               applied->filtered - applied->substitutes;
    for (const auto& [reason, count] : applied->passed_over) sum += count;
    RC_ASSERT(batch.rows->num_rows() == sum);
}

auto change_bag(BatchFixture& rows, Bag& source) -> void {
    const BagRow fresh{*rc::gen::inRange<std::int64_t>(0, 20),
                       *rc::gen::element<std::string>("1", "22", "x")};
    const auto kind = *rc::gen::inRange(0, 10);
    if (source.empty() || kind < 4) {
        source.insert(fresh);
        rows.insert({fresh.first, fresh.second});
        return;
    }
    const auto at = std::next(source.begin(),
                              *rc::gen::inRange<std::ptrdiff_t>(
                                  0, static_cast<std::ptrdiff_t>(source.size())));
    const auto old = *at;
    source.erase(at);
    if (kind < 6) {
        rows.remove({old.first, old.second});
        return;
    }
    source.insert(fresh);
    rows.move({old.first, old.second}, {fresh.first, fresh.second});
}

RC_GTEST_PROP(TransformProperty, TablesWithoutAKeyAreThePlainQueryOfTheirGoodRows, ()) {
    const auto transform = *SqlTransform::make(
        engine(), {"t", failing_query,
                   {{"is_small", "twice <= 30", Otherwise::dead_letter},
                    {"is_wanted", "twice <> 8", Otherwise::drop}}});
    RC_ASSERT(transform->prepare(bag_table).has_value());
    Bag source;
    model::Table sink;
    const auto batches = *rc::gen::inRange(1, 6);
    for (int batch = 1; batch <= batches; ++batch) {
        BatchFixture rows(bag_table, static_cast<std::uint64_t>(batch));
        const auto length = *rc::gen::inRange(1, 30);
        for (int i = 0; i < length; ++i) change_bag(rows, source);
        apply_bag(*transform, rows.build(), sink);
        RC_ASSERT(sink.bag == plain_bag(source));
    }
}

}  // namespace

}  // namespace leat
