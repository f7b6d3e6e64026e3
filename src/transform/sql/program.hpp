// Program: a plan made ready to run: its statement prepared over a table function that hands DuckDB
// the batch at hand. Arrow in, Arrow out, through the supported C API.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "transform/sql/plan.hpp"
#include "transform/sql/vectors.hpp"

namespace leat::sql {

// `rows`: those that passed the filter, ascending, as numbers within the input. `values`: one
// column per Plan::computed, as long as `rows`. `failed`: rows on which an expression raised an
// error; they are not in `rows`.
struct Failure {
    std::int64_t row = 0;
    std::string text;
};
struct Outcomes {
    std::vector<std::int64_t> rows;
    std::vector<std::shared_ptr<arrow::Array>> values;
    std::vector<Failure> failed;
};

class Program {
public:
    ~Program();

    static auto make(std::shared_ptr<Engine> engine, const Query& query, const Plan& plan)
        -> Result<std::unique_ptr<Program>>;

    // The Arrow type and tag of each computed value (name, id and the rest are the caller's).
    [[nodiscard]] auto types() const -> const std::vector<Column>& { return types_; }

    // `columns`: Plan::used, all of `rows` length. `skips`: per computed value one boolean column,
    // true where it is not to be computed; empty: everything is.
    auto run(std::int64_t rows, const std::vector<std::shared_ptr<arrow::Array>>& columns,
             const std::vector<std::shared_ptr<arrow::Array>>& skips) -> Result<Outcomes>;

private:
    struct Feed;
    struct Variant;

    Program();
    auto prepare(const Query& query, const Plan& plan, bool with_skips) -> Result<Variant>;
    auto run_range(Variant& variant, std::int64_t from, std::int64_t count, Outcomes& outcomes)
        -> Result<void>;
    auto collect(duckdb_result* result, Outcomes& outcomes) -> Result<void>;
    auto converted(duckdb_vector values, std::size_t index, idx_t count)
        -> Result<std::shared_ptr<arrow::Array>>;

    std::shared_ptr<Engine> engine_;
    Connection connection_;
    std::vector<Column> types_;
    std::vector<ColumnTaker> takers_;  // per computed value
    std::unique_ptr<Variant> whole_;
    std::unique_ptr<Variant> with_skips_;
};

}  // namespace leat::sql
