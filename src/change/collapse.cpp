// The net effect of a run: one pass over its rows that follows, per key, what the sink's row would
// become; for tables without a key, one pass that counts whole rows.
#include "change/collapse.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "change/net_effect_key.hpp"
#include "change/net_effect_run.hpp"

namespace leat {

namespace {

using net_effect::CodedRows;
using net_effect::IntegerKeys;
using net_effect::RunView;

auto malformed(const RunView& run, const std::string& what) -> Error {
    return Error{Fault::fatal, "malformed batch: " + what,
                 "Report this: rows contradict the layout of a batch.",
                 to_string(run.schema().name)};
}

// The row after the last truncate: what stands before it has no effect.
auto first_effective_row(const RunView& run) -> std::int32_t {
    for (std::int32_t row = run.rows(); row > 0; --row)
        if (run.op(row - 1) == Op::truncate) return row;
    return 0;
}

// Follows the rows of a key table. Each distinct key has a slot that says what its row is by now.
template <class Keys>
class KeyCollapse {
public:
    KeyCollapse(const RunView& run, Keys keys) : run_(run), keys_(std::move(keys)) {
        slots_.reserve(static_cast<std::size_t>(run.rows()));
    }

    auto apply(std::int32_t from_row) -> Result<NetEffect> {
        effect_.emptied = from_row > 0;
        for (std::int32_t row = from_row; row < run_.rows(); ++row) {
            switch (run_.op(row)) {
                case Op::insert:
                case Op::snapshot: TRY(insert(row)); break;
                case Op::update:
                case Op::replace: update(row); break;
                case Op::remove:
                    slots_[slot_of({row, Image::after}, true)].content = Content::absent;
                    break;
                default: return malformed(run_, "unknown _op");
            }
        }
        for (const auto& slot : slots_) emit(slot);
        effect_.optional_patches = optional_.size();
        effect_.patches.insert(effect_.patches.end(), optional_.begin(), optional_.end());
        return std::move(effect_);
    }

private:
    enum class Content : std::uint8_t { base, absent, whole, assembled };
    struct Slot {
        RowRef key;
        bool in_base = false;  // the sink may hold a row under this key
        Content content = Content::absent;
        std::int32_t index = 0;  // of the row of the run, or of the assembly
    };
    struct Assembly {
        std::int32_t base_slot = -1;  // whose base row the from_base columns are taken from
        bool optional = false;        // no row, if there is no base row
        AssembledRow row;
    };

    auto slot_of(RowRef ref, bool may_be_in_base) -> std::uint32_t {
        const auto slot = keys_.number(ref);
        if (slot == slots_.size()) {
            const bool in_base = may_be_in_base && !effect_.emptied;
            slots_.push_back({ref, in_base, in_base ? Content::base : Content::absent, 0});
        }
        return slot;
    }

    auto insert(std::int32_t row) -> Result<void> {
        if (run_.is_partial(row)) return malformed(run_, "an insert lacks columns");
        auto& slot = slots_[slot_of({row, Image::after}, false)];
        slot.content = Content::whole;
        slot.index = row;
        return {};
    }

    auto update(std::int32_t row) -> void {
        const auto old_slot =
            slot_of({row, run_.has_before(row) ? Image::before : Image::after}, true);
        const auto old = std::exchange(slots_[old_slot].content, Content::absent);
        const bool partial = run_.is_partial(row);
        auto index = row;
        if (partial) {
            if (old == Content::absent) {
                if (run_.op(row) != Op::replace) effect_.incomplete.push_back(row);
                return;
            }
            index = overlay(row, old, old_slot);
        }
        // Last, because it may move the slots.
        auto& slot = slots_[run_.has_before(row) ? slot_of({row, Image::after}, true) : old_slot];
        slot.content = partial ? Content::assembled : Content::whole;
        slot.index = index;
    }

    // Lays the columns that `row` has over what stood in `old_slot`; the assembly's index. What
    // stood there has moved here and is nowhere else, so an assembly is changed in place.
    auto overlay(std::int32_t row, Content old, std::uint32_t old_slot) -> std::int32_t {
        auto index = slots_[old_slot].index;
        const auto columns = static_cast<std::size_t>(run_.columns());
        if (old != Content::assembled) {
            const auto source = old == Content::whole ? index : from_base;
            Assembly fresh;
            if (old == Content::base) fresh.base_slot = static_cast<std::int32_t>(old_slot);
            fresh.optional = true;
            fresh.row.first_source = effect_.sources.size();
            effect_.sources.resize(effect_.sources.size() + columns, source);
            index = static_cast<std::int32_t>(assemblies_.size());
            assemblies_.push_back(fresh);
        }
        auto& assembly = assemblies_[static_cast<std::size_t>(index)];
        assembly.row.row = row;
        assembly.optional &= run_.op(row) == Op::replace;
        const std::span sources(effect_.sources.data() + assembly.row.first_source, columns);
        for (std::size_t i = 0; i < columns; ++i) {
            const auto column = static_cast<int>(i);
            const bool sent = !run_.is_unchanged(row, column) ||
                              run_.image_of({row, Image::after}, column) == Image::before;
            if (sent) sources[i] = row;
        }
        return index;
    }

    auto emit(const Slot& slot) -> void {
        if (slot.in_base && slot.content != Content::base) effect_.deletes.push_back(slot.key);
        if (slot.content == Content::whole) effect_.inserts.push_back(slot.index);
        if (slot.content == Content::assembled)
            emit(assemblies_[static_cast<std::size_t>(slot.index)]);
    }

    auto emit(Assembly& assembly) -> void {
        const std::span sources(effect_.sources.data() + assembly.row.first_source,
                                static_cast<std::size_t>(run_.columns()));
        const bool needs_base =
            std::find(sources.begin(), sources.end(), from_base) != sources.end();
        if (!needs_base) {
            effect_.assembled.push_back(assembly.row);
            return;
        }
        assembly.row.base = slots_[static_cast<std::size_t>(assembly.base_slot)].key;
        (assembly.optional ? optional_ : effect_.patches).push_back(assembly.row);
    }

    const RunView& run_;
    Keys keys_;
    std::vector<Slot> slots_;
    std::vector<Assembly> assemblies_;
    std::vector<AssembledRow> optional_;
    NetEffect effect_;
};

// A key column that was not sent must be in `_before`, or nobody knows whose row it is.
auto check_keys_sent(const RunView& run, std::int32_t from_row) -> Result<void> {
    if (!run.any_unchanged()) return {};
    for (const int column : run.schema().key)
        for (auto row = from_row; row < run.rows(); ++row)
            if (run.is_unchanged(row, column) &&
                run.image_of({row, Image::after}, column) == Image::after)
                return malformed(run,
                                 "key column not sent: " +
                                     run.schema().columns[static_cast<std::size_t>(column)].name);
    return {};
}

auto collapse_keys(const RunView& run, std::int32_t from_row) -> Result<NetEffect> {
    TRY(check_keys_sent(run, from_row));
    if (IntegerKeys::fits(run)) return KeyCollapse(run, IntegerKeys(run)).apply(from_row);
    auto keys = TRY(CodedRows::make(run, run.schema().key, ZeroSign::ignore));
    return KeyCollapse(run, std::move(keys)).apply(from_row);
}

auto collapse_full_rows(const RunView& run, std::int32_t from_row, ZeroSign zero_sign)
    -> Result<NetEffect> {
    auto rows = TRY(CodedRows::make(run, identity_columns(run.schema()), zero_sign));
    std::vector<CountedRow> counts;
    const auto count = [&](RowRef ref, std::int64_t by) {
        const auto number = rows.number(ref);
        if (number == counts.size()) counts.push_back({ref, 0});
        counts[number].count += by;
    };
    for (auto row = from_row; row < run.rows(); ++row) {
        const auto op = run.op(row);
        if (run.is_partial(row)) return malformed(run, "a row without key lacks columns");
        const bool replaces = op == Op::update || op == Op::replace;
        if (replaces && !run.has_before(row)) return malformed(run, "an update lacks its old row");
        if (replaces) count({row, Image::before}, -1);
        else if (op != Op::insert && op != Op::snapshot && op != Op::remove)
            return malformed(run, "unknown _op");
        count({row, Image::after}, op == Op::remove ? -1 : 1);
    }
    NetEffect effect;
    effect.emptied = from_row > 0;
    for (const auto& [ref, net] : counts) {
        if (net > 0) effect.row_inserts.push_back({ref, net});
        if (net < 0) effect.row_deletes.push_back({ref, -net});
    }
    return effect;
}

auto collect_appended(const RunView& run, std::int32_t from_row) -> Result<NetEffect> {
    NetEffect effect;
    effect.emptied = from_row > 0;
    effect.inserts.reserve(static_cast<std::size_t>(run.rows() - from_row));
    for (auto row = from_row; row < run.rows(); ++row) {
        if (run.op(row) != Op::insert && run.op(row) != Op::snapshot)
            return malformed(run, "an append-only table has a row that is no insert");
        effect.inserts.push_back(row);
    }
    return effect;
}

}  // namespace

auto collapse(const Batch& run, ZeroSign zero_sign) -> Result<NetEffect> {
    const auto view = TRY(RunView::make(run));
    const auto from_row = first_effective_row(view);
    switch (run.schema->identity) {
        case RowIdentity::key: return collapse_keys(view, from_row);
        case RowIdentity::full_row: return collapse_full_rows(view, from_row, zero_sign);
        case RowIdentity::append_only: return collect_appended(view, from_row);
    }
    return malformed(view, "unknown row identity");
}

auto is_plain_append(const Batch& run) -> bool {
    const auto& data = *run.rows->column_data(op_column);
    const std::span ops(data.GetValues<std::uint8_t>(1), static_cast<std::size_t>(data.length));
    return std::all_of(ops.begin(), ops.end(), [](std::uint8_t op) {
        return op == static_cast<std::uint8_t>(Op::insert) ||
               op == static_cast<std::uint8_t>(Op::snapshot);
    });
}

}  // namespace leat
