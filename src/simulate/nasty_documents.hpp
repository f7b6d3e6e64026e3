// The mix `nasty` for MongoDB: the data set's own changes, and between them, on collections of its
// own, what makes a change stream hard to follow. One thread at a time.
#pragma once

#include <utility>

#include "simulate/generator.hpp"

namespace leat::simulate {

// The collections besides the data set's; they have no rows of their own to begin with.
auto nasty_collections() -> std::vector<Table>;

class NastyDocuments final : public Changes {
public:
    // `ordinary` makes changes of the data set's first `tables` tables; the collections above
    // follow.
    NastyDocuments(Generator& ordinary, std::size_t tables, std::uint64_t seed)
        : ordinary_(ordinary), first_(tables), random_(seed) {}

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
    auto change_collection(Changed& made) -> void;
    auto one(std::size_t collection, Kind kind, std::int64_t number, Document values) const
        -> Change;

    Generator& ordinary_;
    const std::size_t first_;
    Random random_;
};

}  // namespace leat::simulate
