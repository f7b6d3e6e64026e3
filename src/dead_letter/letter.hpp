// Letter: a row that could not go on its way, with everything needed to understand it and, later,
// to send it again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "change/batch.hpp"
#include "change/position.hpp"
#include "change/reject_reason.hpp"

namespace leat {

// `target`: the table it was on its way to. `key`: the key's values as a JSON list of texts, empty
// where the table has none. `row`: the one row as the source sent it, an Arrow stream with system
// columns and schema. `has_base`: the sink may hold an earlier row of the key.
// A letter is open until a later whole row or delete of its key supersedes it.
struct Letter {
    std::string target;
    TableName source;
    std::uint64_t version = 0;
    Position position;
    std::int64_t commit_time_us = 0;
    Op op = Op::insert;
    RejectReason reason = RejectReason::expression_failed;
    std::string rule;
    std::string text;
    std::string key;
    bool has_base = false;
    std::string row;
};

// Position as text that sorts as positions do: lineage, commit and ordinal with leading zeros.
auto sortable(const Position& position) -> std::string;

// One row of a batch as an Arrow stream, and that as a JSON object {column: text or null}.
auto encode_row(const Batch& batch, std::int64_t row) -> Result<std::string>;
auto row_as_json(const std::string& bytes) -> Result<std::string>;

// The values of these columns of a row as a JSON list of texts.
auto key_text(const arrow::RecordBatch& rows, const std::vector<int>& columns, std::int64_t row)
    -> std::string;
auto key_text(const arrow::Array& values, std::int64_t row) -> std::string;  // a `_before` struct

}  // namespace leat
