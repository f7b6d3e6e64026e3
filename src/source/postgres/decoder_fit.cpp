// Rows of tables whose shape must stay: what does not fit it is left out and counted.
#include "source/postgres/decoder.hpp"

namespace leat::postgres {

namespace {

using pgtype::ValueFault;

constexpr RowProblem wrong_width{-1, ValueFault::malformed};
constexpr auto misfit = "misfit";
constexpr auto misfit_value = "misfit_value";

}  // namespace

auto Decoder::is_discarded(const TableBuilder& table, const RowFit::Fitted& row) const -> bool {
    return table.layout().fit->discards_rows() && (row.has_more || row.misfits > 0);
}

auto Decoder::insert(TableBuilder& table, const pgoutput::Insert& insert, std::uint64_t ordinal)
    -> TableBuilder::Outcome {
    const auto& fit = table.layout().fit;
    if (!fit) return table.insert(insert.after, ordinal);
    const auto row = fit->fit(insert.after, fitted_);
    if (!row) return wrong_width;
    const auto& name = table.layout().schema->name;
    is_discarded_ = is_discarded(table, *row);
    if (is_discarded_) {
        pass_over(name, misfit);
        return std::nullopt;
    }
    auto outcome = table.insert(row->tuple, ordinal);
    if (!outcome && row->misfits > 0) pass_over(name, misfit_value, true);
    return outcome;
}

// A row that is discarded is not in the sinks: neither as it is nor as it was.
auto Decoder::update(TableBuilder& table, const pgoutput::Update& update, std::uint64_t ordinal)
    -> TableBuilder::Outcome {
    const auto& fit = table.layout().fit;
    if (!fit) return table.update(update, ordinal);
    auto fitted = update;
    const auto row = fit->fit(update.after, fitted_);
    if (!row) return wrong_width;
    fitted.after = row->tuple;
    if (update.old_kind != pgoutput::OldKind::none) {
        const auto old = fit->fit(update.before, fitted_old_);
        if (!old) return wrong_width;
        fitted.before = old->tuple;
    }
    const auto& name = table.layout().schema->name;
    if (is_discarded(table, *row)) {
        pass_over(name, misfit, true);
        const bool has_old = update.old_kind != pgoutput::OldKind::none;
        if (table.layout().schema->identity == RowIdentity::key)
            return table.remove({update.xid, update.oid, pgoutput::OldKind::key,
                                 has_old ? fitted.before : fitted.after},
                                ordinal);
    }
    auto outcome = table.update(fitted, ordinal);
    if (!outcome && row->misfits > 0) pass_over(name, misfit_value, true);
    return outcome;
}

auto Decoder::remove(TableBuilder& table, const pgoutput::Delete& removal, std::uint64_t ordinal)
    -> TableBuilder::Outcome {
    const auto& fit = table.layout().fit;
    if (!fit) return table.remove(removal, ordinal);
    const auto row = fit->fit(removal.before, fitted_);
    if (!row) return wrong_width;
    auto fitted = removal;
    fitted.before = row->tuple;
    return table.remove(fitted, ordinal);
}

}  // namespace leat::postgres
