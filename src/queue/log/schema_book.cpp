// Numbers for schemas.
#include "queue/log/schema_book.hpp"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>

#include "base/check.hpp"
#include "queue/log/payload.hpp"

namespace leat::log_queue {

namespace {

// Sources make a new TableSchema for each description they get; old ones need not be kept for ever.
constexpr std::size_t remembered_tables_max = 4096;

auto is_there(const arrow::RecordBatch& rows, int column) -> bool {
    return rows.schema()->field(column)->type()->id() != arrow::Type::NA;
}

// Arrow's batch message has neither names nor types: what differs would be read back as garbage.
auto fits(const arrow::Schema& rows, const arrow::Schema& table) -> bool {
    if (rows.num_fields() != table.num_fields()) return false;
    for (int i = 0; i < rows.num_fields(); ++i)
        if (!rows.field(i)->type()->Equals(*table.field(i)->type())) return false;
    return true;
}

auto mismatch(const Batch& batch) -> Error {
    return Error{Fault::fatal, "batch does not have the columns of its schema", "",
                 to_string(batch.schema->name)};
}

}  // namespace

auto SchemaBook::number_of(const Batch& batch) -> Result<std::uint32_t> {
    if (batch.rows->num_columns() < first_table_column) return mismatch(batch);
    const BatchShape shape{is_there(*batch.rows, before_column),
                           is_there(*batch.rows, unchanged_column)};
    const Exact exact{batch.schema, (shape.with_before ? 1 : 0) + (shape.with_unchanged ? 2 : 0)};
    const std::lock_guard lock(mutex_);
    auto known = by_table_.find(exact);
    if (known == by_table_.end()) {
        auto arrow = TRY(to_arrow(*batch.schema, shape));
        auto message = TRY(encode_schema(*arrow));
        auto [at, is_new] = by_message_.try_emplace(message, next_);
        if (is_new) entries_[next_++] = {std::move(message), batch.schema};
        if (by_table_.size() >= remembered_tables_max) by_table_.clear();
        known = by_table_.emplace(exact, Known{at->second, std::move(arrow)}).first;
    }
    if (!fits(*batch.rows->schema(), *known->second.arrow)) return mismatch(batch);
    return known->second.number;
}

auto SchemaBook::learn(std::uint32_t number, std::string message, SchemaPtr table) -> void {
    const std::lock_guard lock(mutex_);
    by_message_.insert_or_assign(message, number);
    entries_.insert_or_assign(number, Entry{std::move(message), std::move(table)});
    next_ = std::max(next_, number + 1);
}

auto SchemaBook::message(std::uint32_t number) const -> std::string {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(number);
    CHECK(entry != entries_.end());
    return entry->second.message;
}

auto SchemaBook::table(std::uint32_t number) const -> SchemaPtr {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(number);
    CHECK(entry != entries_.end());
    return entry->second.table;
}

}  // namespace leat::log_queue
