// SqlTransform: one row-wise SELECT with its expectations over the rows of one table.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "transform/expectation.hpp"
#include "transform/sql/engine.hpp"
#include "transform/sql/query.hpp"
#include "transform/transform.hpp"

namespace leat {

struct SqlTransformOptions {
    std::string name;  // the output table's, unless it is the input's
    std::string sql;
    std::vector<Expectation> expectations;
};

class SqlTransform final : public Transform {
public:
    // Compiles as far as the text alone allows.
    static auto make(std::shared_ptr<sql::Engine> engine, SqlTransformOptions options)
        -> Result<std::unique_ptr<SqlTransform>>;
    ~SqlTransform() override;

    // The target name of the table in FROM.
    [[nodiscard]] auto input() const -> const std::string& { return query_.input; }

    auto prepare(const SchemaPtr& schema) -> Result<SchemaPtr> override;
    auto apply(const Batch& batch) -> Result<Applied> override;

    // Columns whose values are needed even where the source does not send them unchanged; for all
    // columns of the table when rows can be excluded. After prepare().
    [[nodiscard]] auto needed_columns() const -> std::vector<std::string>;

private:
    struct Compiled;

    SqlTransform(std::shared_ptr<sql::Engine> engine, SqlTransformOptions options,
                 sql::Query query);
    [[nodiscard]] auto excludes_rows() const -> bool;

    const std::shared_ptr<sql::Engine> engine_;
    const SqlTransformOptions options_;
    const sql::Query query_;
    std::unique_ptr<Compiled> compiled_;
};

}  // namespace leat
