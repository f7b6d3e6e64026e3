// Decides by table and version, asks the source by batch; see completion.hpp.
#include "pipeline/completion.hpp"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <utility>

#include "base/failpoint.hpp"

namespace leat {

Completion::Completion(const CompletionOptions& options, Source& source, Status& status,
                       const std::vector<SchemaPtr>& known)
    : options_(options), lookups_(dynamic_cast<Lookups*>(&source)), status_(status) {
    if (lookups_ == nullptr) return;
    for (const auto& schema : known) is_needed(schema);
}

auto Completion::run(Frame& frame, const std::stop_token& stop) -> Result<void> {
    if (lookups_ == nullptr) return {};
    for (auto& batch : frame.batches)
        if (is_needed(batch.schema) &&
            batch.rows->column(unchanged_column)->type_id() != arrow::Type::NA)
            TRY(complete(batch, frame, stop));
    return {};
}

auto Completion::is_needed(const SchemaPtr& schema) -> bool {
    auto& decision = decisions_[schema->name];
    if (decision.schema == schema) return decision.is_needed;
    decision.schema = schema;
    const auto& asks = options_.needs_whole_rows;
    decision.is_needed =
        schema->identity == RowIdentity::key &&
        (options_.unchanged_columns == UnchangedColumns::lookup ||
         lookups_->must_be_whole(schema->name) ||
         (options_.unchanged_columns == UnchangedColumns::when_needed && asks &&
          asks(schema, [this](const Column& column) { return lookups_->may_lack(column); })));
    if (decision.is_needed && lookups_->may_be_partial(schema->name))
        status_.capture([&](CaptureStatus& status) { status.eventual.insert(schema->name); });
    return decision.is_needed;
}

// All that a row lacks, also what nothing needs: otherwise a value that went with a row that is
// passed over would be lost.
auto Completion::complete(Batch& batch, Frame& frame, const std::stop_token& stop) -> Result<void> {
    const auto name = batch.schema->name;
    auto completed = TRY(lookups_->complete(batch, stop));
    failpoint("capture.completed");
    batch = std::move(completed.batch);
    constexpr auto reason = "row_gone";
    if (completed.gone > 0) frame.passed_over.push_back({name, reason, completed.gone});
    if (completed.gone_as_deletes > 0)
        frame.passed_over.push_back({name, reason, completed.gone_as_deletes, true});
    if (completed.looked_up > 0) frame.looked_up[name] += completed.looked_up;
    return {};
}

}  // namespace leat
