// Transform: what the rows of one table become on their way to a sink. The engine (pipeline/shaper)
// owns which transforms a table passes, dead letters and counts; a transform has no thread, no
// clock and no memory between batches, so that a replay yields the same rows.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "change/batch.hpp"
#include "change/reject_reason.hpp"

namespace leat {

// A row of Applied::out that must not go on. `rule` names the expectation or the output column;
// `text` may quote values of the row, so it belongs into the dead letter and into no log line.
struct Rejection {
    std::int64_t row = 0;
    RejectReason reason = RejectReason::expression_failed;
    std::string rule;
    std::string text;
};

// `out`: rows in the order of the source, of the schema that prepare() returned. A rejected row
// stands in it with what is known of it (key, `_before`, system columns), so that the engine can
// put in its place what belongs there.
//   filtered     rows of the input that the filter (or `drop`) excluded
//   substitutes  D rows of `out` that stand in place of excluded updates, or before rejected ones
//   dropped, warned  by expectation
//   passed_over  rows that are rightly nowhere in `out`, by reason
struct Applied {
    Batch out;
    std::vector<Rejection> rejects;  // ascending by row, one per row
    std::int64_t filtered = 0;
    std::int64_t substitutes = 0;
    std::map<std::string, std::int64_t> dropped;
    std::map<std::string, std::int64_t> warned;
    std::map<std::string, std::int64_t> passed_over;
};

// Called by one thread: prepare() before the first batch of each schema version, apply() any number
// of times. Position, commit time and order of rows stay as they are.
class Transform {
public:
    virtual ~Transform() = default;

    // The rows that follow have this schema; returns that of the output. Refuses (config) what it
    // cannot do with the table, naming the way out.
    virtual auto prepare(const SchemaPtr& schema) -> Result<SchemaPtr> = 0;

    // A row that fails is rejected alone. Fault::poison: an expectation with `stop` was broken.
    virtual auto apply(const Batch& batch) -> Result<Applied> = 0;
};

}  // namespace leat
