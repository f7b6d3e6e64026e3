// Gathers the rows of a NetEffect out of the run, column by column.
#include "change/net_effect_rows.hpp"

#include <arrow/array/builder_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/type.h>

#include <algorithm>
#include <span>

#include "change/net_effect_run.hpp"

namespace leat {

namespace {

using net_effect::RunView;
using ArrayPtr = std::shared_ptr<arrow::Array>;

auto arrow_error(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "rows cannot be gathered: " + status.message(), "", "collapse"};
}

template <class T>
auto to_result(arrow::Result<T> result) -> Result<T> {
    if (!result.ok()) return arrow_error(result.status());
    return std::move(result).ValueUnsafe();
}

auto is_contiguous(std::span<const std::int32_t> rows) -> bool {
    for (std::size_t i = 1; i < rows.size(); ++i)
        if (rows[i] != rows[i - 1] + 1) return false;
    return true;
}

// `from_base` in `rows` yields null.
auto take(const ArrayPtr& values, std::span<const std::int32_t> rows) -> Result<ArrayPtr> {
    if (rows.empty()) return values->Slice(0, 0);
    const auto length = static_cast<std::int64_t>(rows.size());
    if (rows.front() != from_base && is_contiguous(rows))
        return values->Slice(rows.front(), length);
    ArrayPtr indices;
    if (std::find(rows.begin(), rows.end(), from_base) == rows.end()) {
        indices = std::make_shared<arrow::Int32Array>(
            length, arrow::Buffer::Wrap(rows.data(), rows.size()));
    } else {
        arrow::Int32Builder builder;
        if (auto status = builder.Reserve(length); !status.ok()) return arrow_error(status);
        for (const auto row : rows) {
            if (row == from_base) builder.UnsafeAppendNull();
            else builder.UnsafeAppend(row);
        }
        indices = TRY(to_result(builder.Finish()));
    }
    return to_result(
        arrow::compute::Take(*values, *indices, arrow::compute::TakeOptions::NoBoundsCheck()));
}

// The values of one column at `refs`; a ref with row from_base yields null.
auto gather(const RunView& run, int column, std::span<const RowRef> refs) -> Result<ArrayPtr> {
    std::vector<std::int32_t> rows;
    rows.reserve(refs.size());
    bool any_before = false;
    for (const auto ref : refs) {
        const bool before = ref.row != from_base && run.image_of(ref, column) == Image::before;
        any_before = any_before || before;
        rows.push_back(before ? ref.row + run.rows() : ref.row);
    }
    if (!any_before) return take(run.after_at(column), rows);
    // Before images stand behind the after images of the same column.
    const auto both =
        TRY(to_result(arrow::Concatenate({run.after_at(column), run.before_at(column)})));
    return take(both, rows);
}

auto to_refs(std::span<const std::int32_t> rows) -> std::vector<RowRef> {
    std::vector<RowRef> refs;
    refs.reserve(rows.size());
    for (const auto row : rows) refs.push_back({row, Image::after});
    return refs;
}

auto append_sources(const NetEffect& effect, std::span<const AssembledRow> rows, int column,
                    std::vector<RowRef>& refs) -> void {
    for (const auto& row : rows)
        refs.push_back(
            {effect.sources[row.first_source + static_cast<std::size_t>(column)], Image::after});
}

struct Columns {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;

    auto add(std::shared_ptr<arrow::Field> field, ArrayPtr array) -> void {
        fields.push_back(std::move(field));
        arrays.push_back(std::move(array));
    }
    auto finish(std::size_t rows) -> RecordBatchPtr {
        return arrow::RecordBatch::Make(arrow::schema(std::move(fields)),
                                        static_cast<std::int64_t>(rows), std::move(arrays));
    }
};

auto kept_columns(const NetEffect& effect, int columns) -> std::vector<int> {
    std::vector<int> kept;
    for (int column = 0; column < columns; ++column) {
        const auto is_kept = [&](const AssembledRow& row) {
            return effect.sources[row.first_source + static_cast<std::size_t>(column)] == from_base;
        };
        if (std::any_of(effect.patches.begin(), effect.patches.end(), is_kept))
            kept.push_back(column);
    }
    return kept;
}

auto keep_flags(const NetEffect& effect, int column) -> Result<ArrayPtr> {
    arrow::BooleanBuilder flags;
    for (const auto& row : effect.patches) {
        const auto source = effect.sources[row.first_source + static_cast<std::size_t>(column)];
        if (auto status = flags.Append(source == from_base); !status.ok())
            return arrow_error(status);
    }
    return to_result(flags.Finish());
}

auto repeated(std::span<const CountedRow> rows) -> std::vector<RowRef> {
    std::vector<RowRef> refs;
    for (const auto& [ref, count] : rows)
        refs.insert(refs.end(), static_cast<std::size_t>(count), ref);
    return refs;
}

}  // namespace

auto delete_keys(const Batch& run, const NetEffect& effect) -> Result<RecordBatchPtr> {
    const auto view = TRY(RunView::make(run));
    Columns result;
    for (const int column : run.schema->key)
        result.add(view.field(column), TRY(gather(view, column, effect.deletes)));
    return result.finish(effect.deletes.size());
}

auto insert_rows(const Batch& run, const NetEffect& effect) -> Result<RecordBatchPtr> {
    const auto view = TRY(RunView::make(run));
    auto whole = to_refs(effect.inserts);
    const auto counted = repeated(effect.row_inserts);
    whole.insert(whole.end(), counted.begin(), counted.end());
    Columns result;
    for (int column = 0; column < view.columns(); ++column) {
        auto refs = whole;
        append_sources(effect, effect.assembled, column, refs);
        result.add(view.field(column), TRY(gather(view, column, refs)));
    }
    return result.finish(whole.size() + effect.assembled.size());
}

auto patch_rows(const Batch& run, const NetEffect& effect) -> Result<PatchRows> {
    const auto view = TRY(RunView::make(run));
    Columns result;
    for (int column = 0; column < view.columns(); ++column) {
        std::vector<RowRef> refs;
        append_sources(effect, effect.patches, column, refs);
        result.add(view.field(column), TRY(gather(view, column, refs)));
    }
    std::vector<RowRef> bases;
    for (const auto& row : effect.patches) bases.push_back(row.base);
    for (std::size_t i = 0; i < run.schema->key.size(); ++i) {
        const int column = run.schema->key[i];
        result.add(view.field(column)->WithName("_base_" + std::to_string(i)),
                   TRY(gather(view, column, bases)));
    }
    PatchRows patches;
    patches.kept = kept_columns(effect, view.columns());
    for (std::size_t i = 0; i < patches.kept.size(); ++i)
        result.add(arrow::field("_keep_" + std::to_string(i), arrow::boolean(), false),
                   TRY(keep_flags(effect, patches.kept[i])));
    patches.rows = result.finish(effect.patches.size());
    return patches;
}

auto counted_deletes(const Batch& run, const NetEffect& effect) -> Result<RecordBatchPtr> {
    const auto view = TRY(RunView::make(run));
    std::vector<RowRef> refs;
    arrow::Int64Builder counts;
    for (const auto& [ref, count] : effect.row_deletes) {
        refs.push_back(ref);
        if (auto status = counts.Append(count); !status.ok()) return arrow_error(status);
    }
    Columns result;
    for (int column = 0; column < view.columns(); ++column)
        result.add(view.field(column), TRY(gather(view, column, refs)));
    result.add(arrow::field("_count", arrow::int64(), false), TRY(to_result(counts.Finish())));
    return result.finish(effect.row_deletes.size());
}

}  // namespace leat
