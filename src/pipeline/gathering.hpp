// Gathering: small batches of one table, put together for a transform, which costs much the same
// for one row as for some hundred. Owned and called by one lane thread.
#pragma once

#include <cstdint>
#include <vector>

#include "change/batch.hpp"

namespace leat {

// Queues may hand out the same version in another object.
auto is_same_version(const SchemaPtr& a, const SchemaPtr& b) -> bool;

class Gathering {
public:
    // Whether the batch can follow what is gathered: of the same version, shape and lineage.
    [[nodiscard]] auto suits(const Batch& batch, std::uint32_t lineage) const -> bool;
    auto add(const Batch& batch, std::uint32_t lineage) -> void;

    [[nodiscard]] auto empty() const -> bool { return batches_.empty(); }
    [[nodiscard]] auto is_full() const -> bool;
    [[nodiscard]] auto lineage() const -> std::uint32_t { return lineage_; }

    // All rows in their order; nothing is gathered then. A single batch is not copied.
    auto take() -> Result<Batch>;

private:
    std::vector<Batch> batches_;
    std::int64_t rows_ = 0;
    std::uint32_t lineage_ = 0;
};

}  // namespace leat
