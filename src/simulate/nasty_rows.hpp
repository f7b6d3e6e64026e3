// The mix `nasty` for PostgreSQL: the data set's own changes, and between them, on tables of its
// own, what makes a change stream hard to follow. One thread at a time.
#pragma once

#include "simulate/generator.hpp"

namespace leat::simulate {

// The tables besides the data set's; they have no rows of their own to begin with.
auto nasty_tables() -> std::vector<Table>;

class NastyRows final : public Changes {
public:
    // `ordinary` makes changes of the data set's first `tables` tables; the tables above follow.
    NastyRows(Generator& ordinary, std::size_t tables, std::uint64_t seed)
        : ordinary_(ordinary), first_(tables), random_(seed) {}

    auto next(std::int64_t limit) -> Transaction override;

private:
    auto any() -> void;
    auto in_savepoint() -> void;
    auto change_rows() -> void;
    auto move_keys() -> void;
    auto change_pairs() -> void;
    auto change_readings() -> void;
    auto change_values() -> void;
    auto change_columns() -> void;
    auto empty_table() -> void;
    auto change_many() -> void;
    auto add(std::size_t table, Kind kind, std::string sql) -> void;
    auto control(std::string sql) -> void;
    auto big_text() -> std::string;

    Generator& ordinary_;
    const std::size_t first_;
    Random random_;
    std::vector<Change> made_;
    int columns_added_ = 0;
};

}  // namespace leat::simulate
