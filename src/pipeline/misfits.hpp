// Misfits: rows in which the source found values that do not fit their columns (misfits_type).
#pragma once

#include <vector>

#include "change/batch.hpp"
#include "transform/transform.hpp"

namespace leat {

// Ascending by row.
auto misfits_of(const Batch& batch) -> std::vector<Rejection>;

// Takes the column out that says so: no sink gets it.
class WithoutMisfits {
public:
    auto operator()(const Batch& batch) -> Result<Batch>;

private:
    SchemaPtr from_;  // null: none yet
    SchemaPtr to_;
};

}  // namespace leat
