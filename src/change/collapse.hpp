// collapse(): the net effect of a run of rows on one table, so that a sink writes each key once.
// Sits between a sink's staging and its target; net_effect_rows.hpp turns the result into batches.
// Pure functions over immutable batches: thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "change/batch.hpp"

namespace leat {

enum class Image : std::uint8_t { after, before };

// A row of the run, in its after image (table columns) or its before image (`_before`).
struct RowRef {
    std::int32_t row = 0;
    Image image = Image::after;

    friend auto operator==(const RowRef&, const RowRef&) -> bool = default;
};

inline constexpr std::int32_t from_base = -1;

// A row put together column by column: NetEffect::sources[first_source + column] is the row of the
// run whose after image holds the value, or from_base. `row` is the newest change in it.
struct AssembledRow {
    std::int32_t row = 0;
    RowRef base;  // patches: the key under which the sink's row stood before the run
    std::size_t first_source = 0;
};

struct CountedRow {
    RowRef ref;
    std::int64_t count = 1;
};

// To be applied in this order: read the base rows that patches need, empty the table (emptied),
// remove (deletes, row_deletes), add (inserts, assembled, patches, row_inserts). Indices are those
// of the whole run. Which members are filled depends on the table's identity:
//   key          deletes: distinct keys whose row must go, where the sink may hold one (a key whose
//                first change in the run is an insert or a snapshot row has none).
//                inserts: rows whose after image is whole. assembled: whole too, but put together
//                from several rows of the run. patches: some columns come from the sink's row under
//                `base`, as it stood before the run; a patch whose base row the sink does not have
//                is an incomplete row, but for the last optional_patches: those are nothing then.
//                incomplete: partial rows that have no base whatever the sink
//                holds (their key was deleted in the run, or the table emptied); not applied
//   full_row     row_inserts, row_deletes: net multiplicity per whole row. NULL equals NULL, NaN
//                equals NaN, everything else is compared by its bytes, but for ZeroSign
//   append_only  inserts
struct NetEffect {
    bool emptied = false;
    std::vector<RowRef> deletes;
    std::vector<std::int32_t> inserts;
    std::vector<AssembledRow> assembled;
    std::vector<AssembledRow> patches;
    std::size_t optional_patches = 0;
    std::vector<std::int32_t> sources;
    std::vector<CountedRow> row_inserts;
    std::vector<CountedRow> row_deletes;
    std::vector<std::int32_t> incomplete;
};

// `keep`: 0.0 and -0.0 are different rows. `ignore`: they are the same, for targets that do not
// keep the sign. Matters for tables without a key only: as keys they are the same everywhere.
enum class ZeroSign : std::uint8_t { keep, ignore };

// `run`: rows of one table and one schema version in source order, of any number of batches; their
// keys are unique after every single row (a source whose constraint is deferrable must not use it
// as key). Fails (fatal) where the rows contradict the layout of batch.hpp.
auto collapse(const Batch& run, ZeroSign zero_sign = ZeroSign::keep) -> Result<NetEffect>;

// Inserts and snapshot rows only: the after images may be appended as they are, without collapse().
auto is_plain_append(const Batch& run) -> bool;

}  // namespace leat
