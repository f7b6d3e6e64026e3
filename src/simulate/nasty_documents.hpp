// The mix `nasty` for MongoDB: the data set's own changes, and between them, on collections of its
// own, what makes a change stream hard to follow. One thread at a time.
#pragma once

#include <optional>
#include <utility>

#include "simulate/generator.hpp"
#include "simulate/nasty_options.hpp"

namespace leat::simulate {

// The collections besides the data set's.
auto nasty_collections() -> std::vector<Table>;

class NastyDocuments final : public Changes {
public:
    NastyDocuments(Generator& ordinary, const NastyOptions& options)
        : ordinary_(ordinary), first_(options.tables), random_(options.seed) {}

    auto next(std::int64_t limit) -> Transaction override;

private:
    using Changed = std::vector<Change>;

    auto any(Changed& made) -> void;
    auto change_any_id(Changed& made) -> void;
    auto delete_and_make_again(Changed& made) -> void;
    auto drift(Changed& made) -> void;
    auto change_nested(Changed& made) -> void;
    auto nested_update() -> Document;
    auto change_large(Changed& made) -> void;
    auto change_bulk(Changed& made) -> void;
    auto change_many(Changed& made) -> void;
    auto change_collection(Changed& made) -> void;
    auto switch_images(Changed& made) -> void;
    auto move_money() -> Transaction;
    auto special() -> std::optional<Transaction>;
    auto small() -> Transaction;
    auto one(std::size_t collection, Kind kind, std::int64_t number, Document values) const
        -> Change;

    Generator& ordinary_;
    const std::size_t first_;
    Random random_;
};

}  // namespace leat::simulate
