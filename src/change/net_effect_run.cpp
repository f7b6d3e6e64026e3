// Checks the layout of a run once and takes it apart.
#include "change/net_effect_run.hpp"

#include <arrow/type.h>

#include <limits>
#include <span>

namespace leat::net_effect {

namespace {

auto malformed(const TableSchema& schema, const std::string& what) -> Error {
    return Error{Fault::fatal, "malformed batch: " + what,
                 "Report this: rows contradict the layout of a batch.", to_string(schema.name)};
}

auto check_columns(const Batch& run) -> Result<void> {
    const auto& schema = *run.schema;
    const auto& rows = *run.rows;
    const auto columns = static_cast<int>(schema.columns.size());
    if (rows.num_columns() != first_table_column + columns)
        return malformed(schema, std::to_string(rows.num_columns()) + " columns");
    if (rows.num_rows() > std::numeric_limits<std::int32_t>::max())
        return malformed(schema, std::to_string(rows.num_rows()) + " rows");
    if (rows.column(op_column)->type_id() != arrow::Type::UINT8)
        return malformed(schema, "_op is " + rows.column(op_column)->type()->ToString());
    for (int i = 0; i < columns; ++i) {
        const auto& type = *rows.column(first_table_column + i)->type();
        const auto& column = schema.columns[static_cast<std::size_t>(i)];
        if (!type.Equals(*column.type))
            return malformed(schema, "column " + column.name + " is " + type.ToString());
    }
    return {};
}

}  // namespace

auto RunView::make(const Batch& run) -> Result<RunView> {
    TRY(check_columns(run));
    RunView view;
    view.schema_ = run.schema;
    view.batch_ = run.rows;
    view.rows_ = static_cast<std::int32_t>(run.rows->num_rows());
    view.ops_ = run.rows->column_data(op_column)->GetValues<std::uint8_t>(1);
    const auto columns = static_cast<int>(run.schema->columns.size());
    for (int i = 0; i < columns; ++i)
        view.after_.push_back(run.rows->column(first_table_column + i));
    view.before_columns_.resize(static_cast<std::size_t>(columns));

    const auto& before = run.rows->column(before_column);
    if (before->type_id() == arrow::Type::STRUCT) {
        view.before_ = static_cast<const arrow::StructArray*>(before.get());
        const auto identity = identity_columns(*run.schema);
        if (view.before_->num_fields() != static_cast<int>(identity.size()))
            return malformed(*run.schema, "_before is " + before->type()->ToString());
        for (int i = 0; i < view.before_->num_fields(); ++i) {
            const auto column = static_cast<std::size_t>(identity[static_cast<std::size_t>(i)]);
            auto child = view.before_->field(i);
            if (!child->type()->Equals(*run.schema->columns[column].type))
                return malformed(*run.schema, "_before is " + before->type()->ToString());
            view.before_columns_[column] = std::move(child);
        }
    } else if (before->type_id() != arrow::Type::NA) {
        return malformed(*run.schema, "_before is " + before->type()->ToString());
    }

    const auto& unchanged = run.rows->column(unchanged_column);
    if (unchanged->type_id() == arrow::Type::FIXED_SIZE_BINARY) {
        view.unchanged_ = static_cast<const arrow::FixedSizeBinaryArray*>(unchanged.get());
        if (view.unchanged_->byte_width() != (columns + 7) / 8)
            return malformed(*run.schema, "_unchanged is " + unchanged->type()->ToString());
    } else if (unchanged->type_id() != arrow::Type::NA) {
        return malformed(*run.schema, "_unchanged is " + unchanged->type()->ToString());
    }
    return view;
}

auto RunView::is_partial(std::int32_t row) const -> bool {
    if (unchanged_ == nullptr || unchanged_->IsNull(row)) return false;
    const std::span bits(unchanged_->GetValue(row),
                         static_cast<std::size_t>(unchanged_->byte_width()));
    bool any = false;
    for (const auto byte : bits) any = any || byte != 0;
    if (!any) return false;
    for (int column = 0; column < columns(); ++column)
        if (is_unchanged(row, column) && image_of({row, Image::after}, column) == Image::after)
            return true;
    return false;
}

auto RunView::field(int column) const -> std::shared_ptr<arrow::Field> {
    return batch_->schema()->field(first_table_column + column);
}

}  // namespace leat::net_effect
