// The mix `nasty` for PostgreSQL: the data set's own changes, and between them, on tables of its
// own, what makes a change stream hard to follow. One thread at a time.
#pragma once

#include "simulate/generator.hpp"
#include "simulate/nasty_options.hpp"
#include "simulate/nasty_statements.hpp"

namespace leat::simulate {

class NastyRows final : public Changes {
public:
    NastyRows(Generator& ordinary, const NastyOptions& options)
        : ordinary_(ordinary), statements_{Random(options.seed), options.tables, options.writer} {}

    auto next(std::int64_t limit) -> Transaction override;

private:
    auto fill_transaction() -> void;
    auto ending() -> Ending;
    auto any() -> void;
    auto in_savepoint() -> void;

    Generator& ordinary_;
    NastyStatements statements_;
};

}  // namespace leat::simulate
