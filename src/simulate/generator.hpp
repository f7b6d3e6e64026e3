// The generator: rows to begin with, then changes to rows that exist, from a seed, a data set and a
// mix. Knows no database. One thread at a time.
#pragma once

#include <functional>

#include "simulate/change.hpp"
#include "simulate/data_set.hpp"
#include "simulate/mix.hpp"

namespace leat::simulate {

struct GeneratorOptions {
    DataSet data;
    Mix mix;
    std::uint64_t seed = 1;
    std::int64_t transaction_changes = 1;
    std::int64_t document_bytes = 0;  // smaller ones are padded to about so many
    bool keys_change = true;          // false: a change of a key is an update instead
    // Within a transaction inserts come first and deletes last, so that few commands carry them
    // all. A key is never used again, so no row sees the difference.
    bool by_kind = false;
    // The time in the rows. Empty: counted from a fixed day, 10 ms a change, so that it can be
    // repeated.
    std::function<std::int64_t()> wall_us;
};

class Generator final : public Changes {
public:
    // `keys`: what each table of the data set holds already.
    Generator(GeneratorOptions options, std::vector<Keys> keys);

    // Inserts of `count` new rows, for the start.
    auto first_rows(std::size_t table, std::int64_t count) -> std::vector<Change>;
    auto next(std::int64_t limit) -> Transaction override;

    // From now on only rows of this share are changed and made.
    auto keep(Share share) -> void {
        for (auto& keys : keys_) keys.keep(share);
    }
    [[nodiscard]] auto keys() const -> const std::vector<Keys>& { return keys_; }

    [[nodiscard]] auto row_count(std::size_t table) const -> std::int64_t {
        return keys_.at(table).count();
    }

private:
    auto change() -> Change;
    auto draw_kind() -> Kind;
    auto draw_table(double Weights::*weight) -> std::size_t;
    auto draw() -> Draw;
    auto insert(std::size_t table) -> Change;

    const GeneratorOptions options_;
    std::vector<Keys> keys_;
    Random random_;
    std::int64_t made_ = 0;
};

}  // namespace leat::simulate
