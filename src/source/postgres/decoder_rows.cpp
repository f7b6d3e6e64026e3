// Rows and relations of the stream, applied to the builders in commit order.
#include <utility>
#include <variant>

#include "source/postgres/decoder.hpp"

namespace leat::postgres {

namespace {

using pgtype::ValueFault;

auto row_error(const TableBuilder& table, const RowProblem& problem) -> Error {
    const auto& schema = *table.layout().schema;
    if (problem.column < 0)
        return Error{Fault::fatal,
                     "replication stream: row does not fit table " + to_string(schema.name), "",
                     "postgres rows", Code::pg_stream};
    const auto index = static_cast<std::size_t>(problem.column);
    auto error =
        pgtype::to_error(problem.fault, schema.columns[index].name, table.layout().mappings[index]);
    // The next attempt sees the column's type and asks for text.
    error.fault = problem.fault == ValueFault::no_binary ? Fault::retry : Fault::fatal;
    error.context = to_string(schema.name);
    return error;
}

auto xid_of(const pgoutput::Message& message) -> std::uint32_t {
    return std::visit(
        [](const auto& one) -> std::uint32_t {
            if constexpr (requires { one.xid; }) return one.xid;
            else return 0;
        },
        message);
}

}  // namespace

auto Decoder::apply(const pgoutput::Message& message, std::string_view bytes) -> Result<void> {
    if (is_streamed() && replay_->file->is_aborted(xid_of(message))) return {};
    if (const auto* insert = std::get_if<pgoutput::Insert>(&message))
        return add_row(insert->oid, bytes.size(), [&](TableBuilder& table, std::uint64_t ordinal) {
            return this->insert(table, *insert, ordinal);
        });
    if (const auto* update = std::get_if<pgoutput::Update>(&message))
        return add_row(update->oid, bytes.size(), [&](TableBuilder& table, std::uint64_t ordinal) {
            return this->update(table, *update, ordinal);
        });
    if (const auto* removal = std::get_if<pgoutput::Delete>(&message))
        return add_row(removal->oid, bytes.size(), [&](TableBuilder& table, std::uint64_t ordinal) {
            return this->remove(table, *removal, ordinal);
        });
    if (const auto* truncation = std::get_if<pgoutput::Truncate>(&message))
        return truncate(*truncation);
    if (const auto* relation = std::get_if<pgoutput::Relation>(&message))
        return relate(*relation, bytes);
    return {};
}

auto Decoder::find_table(std::uint32_t oid) -> Result<TableBuilder*> {
    if (!held_back_.empty()) TRY(relate_held_back(oid));
    else if (oid == last_oid_) return last_table_;
    const auto found = tables_.find(oid);
    if (found == tables_.end())
        return Error{Fault::fatal, "replication stream: row of an undescribed table", "", "",
                     Code::pg_stream};
    last_oid_ = oid;
    last_table_ = found->second.get();
    return last_table_;
}

template <class AppendRow>
auto Decoder::add_row(std::uint32_t oid, std::size_t bytes, AppendRow append) -> Result<void> {
    auto* table = TRY(find_table(oid));
    if (table == nullptr) {
        if (const auto held = held_back_.find(oid); held != held_back_.end())
            pass_over(held->second.table, "in_image");
        return {};
    }
    TRY(make_room());
    while (const auto problem = append(*table, frames_.next_ordinal()))
        table = TRY(recover(*table, *problem));
    if (std::exchange(is_discarded_, false)) return {};
    frames_.added(*table, bytes);
    has_partial_ |= table->is_last_partial();
    return {};
}

auto Decoder::pass_over(const TableName& table, const char* reason, bool goes_on) -> void {
    for (auto& each : passed_over_)
        if (each.table == table && each.reason == reason && each.goes_on == goes_on) {
            ++each.rows;
            return;
        }
    passed_over_.push_back({table, reason, 1, goes_on});
}

// Before a row, so that the last part of a transaction always has one.
auto Decoder::make_room() -> Result<void> {
    if (replay_) {
        if (frames_.waiting_bytes() == 0 && frames_.bytes() < options_.part_bytes) return {};
        note_partial(replay_->point);
        return frames_.commit_part(replay_->point);
    }
    if (frames_.bytes() < options_.part_bytes || overflow_) return {};
    TRY(frames_.set_aside());
    // From the next message on. No transaction has the number 0.
    if (frames_.waiting_bytes() >= options_.open_bytes_max)
        overflow_ = std::make_unique<SpillFile>(spill_path(options_.work_dir, 0));
    return {};
}

// A value that the column's type cannot hold (NaN in a decimal, another array shape) makes the
// column text from this row on, unless the shape must stay.
auto Decoder::recover(TableBuilder& table, const RowProblem& problem) -> Result<TableBuilder*> {
    const bool fits_as_text = problem.fault == ValueFault::not_finite ||
                              problem.fault == ValueFault::array_shape ||
                              problem.fault == ValueFault::out_of_range;
    if (problem.column < 0 || !fits_as_text) return row_error(table, problem);
    TRY(frames_.flush(table, true));
    auto layout = TRY(relations_.make_room(table.layout().schema->name, problem.column));
    auto& slot = tables_.at(last_oid_);
    slot = TRY(TableBuilder::make(std::move(layout)));
    last_table_ = slot.get();
    return last_table_;
}

auto Decoder::truncate(const pgoutput::Truncate& truncation) -> Result<void> {
    constexpr std::size_t bytes = 16;
    for (std::uint32_t i = 0; i < truncation.count; ++i)
        TRY(add_row(truncation.oid(i), bytes, [](TableBuilder& table, std::uint64_t ordinal) {
            return table.truncate(ordinal);
        }));
    return {};
}

auto Decoder::relate(const pgoutput::Relation& relation, std::string_view bytes) -> Result<void> {
    last_oid_ = 0;
    last_table_ = nullptr;
    TableName name{std::string(relation.schema), std::string(relation.table)};
    if (!relations_.is_of_use(name, commit_)) {
        held_back_[relation.oid] = {std::move(name), std::string(bytes), is_streamed()};
        tables_[relation.oid] = nullptr;
        return {};
    }
    held_back_.erase(relation.oid);
    auto layout = TRY(relations_.accept(relation, xid_));
    auto& slot = tables_[relation.oid];
    if (!layout) return {};
    const bool has_fit = layout->fit || (slot && slot->layout().fit);
    if (slot && slot->layout().schema == layout->schema && !has_fit) return {};
    if (slot) TRY(frames_.flush(*slot, false));
    slot = TRY(TableBuilder::make(*std::move(layout)));
    return {};
}

// The server describes a table once: the first row of use comes under what was said before.
auto Decoder::relate_held_back(std::uint32_t oid) -> Result<void> {
    const auto held = held_back_.find(oid);
    if (held == held_back_.end() || !relations_.is_of_use(held->second.table, commit_)) return {};
    const auto description = std::move(held->second);
    held_back_.erase(held);
    const auto message = TRY(pgoutput::decode(description.bytes, description.streamed));
    return relate(std::get<pgoutput::Relation>(message), description.bytes);
}

}  // namespace leat::postgres
