// Values to their places, and a tuple written anew; see row_fit.hpp.
#include "source/postgres/row_fit.hpp"

#include <arrow/builder.h>

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"

namespace leat::postgres {

using pgoutput::Value;
using pgoutput::ValueKind;

auto RowFit::make(const std::vector<pgtype::ColumnMapping>& mappings, std::vector<Place> places,
                  bool discards_rows) -> Result<std::shared_ptr<RowFit>> {
    std::shared_ptr<RowFit> made(new RowFit(std::move(places), discards_rows));
    made->tests_.resize(mappings.size());
    made->values_.resize(mappings.size());
    for (const auto& place : made->places_) {
        if (!place.is_tested) continue;
        const auto& mapping = mappings[static_cast<std::size_t>(place.column)];
        auto builder = arrow::MakeBuilder(mapping.type);
        if (!builder.ok())
            return Error{Fault::fatal, "arrow: " + builder.status().message(), "", "postgres rows"};
        auto writer = TRY(pgtype::ValueWriter::make(mapping, builder->get()));
        made->tests_[static_cast<std::size_t>(place.column)] =
            Test{std::move(*builder), std::move(writer)};
    }
    return made;
}

auto RowFit::fits(std::size_t column, const Value& value) -> bool {
    auto& test = tests_[column];
    if (!test || value.kind == ValueKind::null || value.kind == ValueKind::unchanged) return true;
    const auto fault = test->writer.append_text(value.bytes);
    test->builder->Reset();
    return fault == pgtype::ValueFault::none;
}

auto RowFit::fit(const pgoutput::TupleView& sent, std::string& bytes) -> std::optional<Fitted> {
    if (sent.size() != places_.size()) return std::nullopt;
    Fitted fitted;
    std::fill(values_.begin(), values_.end(), Value{});
    auto place = places_.begin();
    for (const auto& value : sent) {
        const auto [column, is_tested] = *place++;
        if (column < 0) {
            fitted.has_more |= value.kind != ValueKind::null;
        } else if (const auto index = static_cast<std::size_t>(column);
                   !is_tested || fits(index, value)) {
            values_[index] = value;
        } else {
            ++fitted.misfits;
        }
    }
    bytes.clear();
    for (const auto& value : values_) {
        bytes += static_cast<char>(value.kind);
        if (value.kind == ValueKind::null || value.kind == ValueKind::unchanged) continue;
        const auto size = ByteReader::from_big(static_cast<std::uint32_t>(value.bytes.size()));
        bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
        bytes += value.bytes;
    }
    fitted.tuple = {bytes, static_cast<std::uint16_t>(values_.size())};
    return fitted;
}

}  // namespace leat::postgres
