// Completion: rows that the source sent without all their columns are made whole before they enter
// the log, in tables where something needs that. Between read and append, of the reading thread.
#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <vector>

#include "pipeline/status.hpp"
#include "source/source.hpp"

namespace leat {

enum class UnchangedColumns : std::uint8_t {
    when_needed,  // completed where a transform could not judge the row otherwise
    lookup,       // completed in all tables
    as_sent,      // never; a row that cannot be judged becomes a dead letter
};

// Whether a transform needs whole rows of a table: something of it that partial ones may lack.
using MayLack = std::function<bool(const Column&)>;
using NeedsWholeRows = std::function<bool(const SchemaPtr&, const MayLack&)>;

struct CompletionOptions {
    UnchangedColumns unchanged_columns = UnchangedColumns::when_needed;
    NeedsWholeRows needs_whole_rows{};  // none: nothing does
};

class Completion {
public:
    // `known`: tables as they are at the start, so that the status can say what is eventual.
    Completion(const CompletionOptions& options, Source& source, Status& status,
               const std::vector<SchemaPtr>& known);

    auto run(Frame& frame, const std::stop_token& stop) -> Result<void>;

private:
    struct Decision {
        SchemaPtr schema;
        bool is_needed = false;
    };

    auto is_needed(const SchemaPtr& schema) -> bool;
    auto complete(Batch& batch, Frame& frame, const std::stop_token& stop) -> Result<void>;

    const CompletionOptions& options_;
    Lookups* const lookups_;  // null: the source has none
    Status& status_;
    std::map<TableName, Decision> decisions_;
};

}  // namespace leat
