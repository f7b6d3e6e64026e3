// Parts the rows that DuckDB cannot hold from those it can, before they enter an epoch.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "sink/sink.hpp"

namespace leat::duckdb {

// `accepted`: the batch without its rejects, in order, nothing copied; the batch itself where there
// are none.
struct Sifted {
    std::vector<Batch> accepted;
    Rejects rejects;
};
auto sift(const Batch& batch) -> Result<Sifted>;

}  // namespace leat::duckdb
