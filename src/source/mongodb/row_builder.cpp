// Reading a document twice: first where each field goes, then, once all have a column, its values.
#include "source/mongodb/row_builder.hpp"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "format/bson/json.hpp"
#include "source/mongodb/row_fit.hpp"

namespace leat::mongodb {

namespace {

using bson::Element;
using bson::Type;

auto arrow_error(const arrow::Status& status) -> Error {
    return {Fault::fatal, "arrow: " + status.message(), "", "mongodb rows"};
}

auto malformed(const TableName& table) -> Error {
    return {Fault::fatal, "the server sent a document that is not one, or has no _id",
            "Look at the collection with validate(), and report this.", to_string(table),
            Code::mongo_stream};
}

auto is_null(const Element& value) -> bool {
    return value.type == Type::null || value.type == Type::undefined;
}

}  // namespace

RowBuilder::RowBuilder(TableName table, ShapeBook& book, const RowRules& rules)
    : table_(std::move(table)),
      book_(book),
      tells_nulls_(rules.tells_nulls),
      on_conflict_(rules.on_conflict) {
    const auto excluded = rules.excluded.find(table_);
    if (excluded != rules.excluded.end()) excluded_ = excluded->second;
}

auto RowBuilder::use(ShapePtr shape) -> Result<void> {
    if (shape == shape_ || !shape) return {};
    TRY(close());
    shape_ = std::move(shape);
    layout_ = TRY(to_arrow(*shape_->schema(), {}));
    columns_.clear();
    predicted_.clear();
    filled_.assign(shape_->schema()->columns.size(), 0);
    for (std::size_t i = 0; i < shape_->schema()->columns.size(); ++i) {
        auto builder = arrow::MakeBuilder(shape_->schema()->columns[i].type);
        if (!builder.ok()) return arrow_error(builder.status());
        columns_.push_back({shape_->kind(static_cast<int>(i)), std::move(*builder)});
    }
    return {};
}

auto RowBuilder::add(const RowPlace& place, std::string_view document) -> Result<void> {
    TRY(fit(document, place.op));
    start_row(place);
    append_fields();
    fill_with_nulls();
    return {};
}

auto RowBuilder::add_truncate(const RowPlace& place) -> Result<void> {
    if (!shape_) TRY(use(book_.find(table_)));
    if (!shape_) return {};
    start_row(place);
    fill_with_nulls();
    return {};
}

// Leaves `fields_` with a column for every field, or `_extra`.
auto RowBuilder::fit(std::string_view document, Op op) -> Result<void> {
    if (!shape_) TRY(use(book_.find(table_)));
    // A new column may turn out not to hold the very value it was made for, which then needs
    // `_extra`.
    constexpr int attempts_max = 3;
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        Misfits misfits;
        TRY(place_fields(document, op, misfits));
        if (misfits.is_empty()) return {};
        TRY(use(book_.widen(table_, misfits)));
    }
    CHECK(false);
}

auto RowBuilder::place_fields(std::string_view document, Op op, Misfits& misfits) -> Result<void> {
    fields_.clear();
    null_fields_.clear();
    whole_ = {};
    ++document_;
    if (op == Op::remove) return place_key(document, misfits);
    if (book_.rules().mode == Mode::document) return place_document(document, misfits);
    bson::Reader reader(document);
    bool has_key = false;
    for (Element element; reader.next(element);) {
        has_key = has_key || element.name == key_field;
        if (excluded_.empty() || !excluded_.contains(element.name)) place(element, misfits);
    }
    if (!reader.ok() || !has_key) return malformed(table_);
    return {};
}

auto RowBuilder::place_key(std::string_view document, Misfits& misfits) -> Result<void> {
    const auto key = bson::find(document, key_field);
    if (!key) return malformed(table_);
    place(*key, misfits);
    return {};
}

auto RowBuilder::place_document(std::string_view document, Misfits& misfits) -> Result<void> {
    TRY(place_key(document, misfits));
    whole_ = document;
    if (!shape_ || shape_->column_of(document_column) < 0)
        misfits.fields.push_back({std::string(document_column), Kind::json});
    return {};
}

// Documents of a collection mostly have their fields in one order.
auto RowBuilder::find_column(std::string_view field) -> int {
    const auto at = fields_.size() + null_fields_.size();
    if (at < predicted_.size()) {
        const auto guess = predicted_[at];
        if (guess >= 0 && shape_->schema()->columns[static_cast<std::size_t>(guess)].name == field)
            return guess;
    } else {
        predicted_.resize(at + 1, -1);
    }
    const auto column = shape_->column_of(field);
    predicted_[at] = column;
    return column;
}

// The first of several fields of one name has the column.
auto RowBuilder::place(const Element& element, Misfits& misfits) -> void {
    const bool is_key = element.name == key_field;
    const auto column = shape_ ? find_column(element.name) : -1;
    if (is_null(element) && !is_key) {
        if (tells_nulls_ && (!shape_ || shape_->nulls() < 0)) misfits.nulls = true;
        null_fields_.push_back(element.name);
        return;
    }
    if (column < 0) {
        if (is_key || may_get_column(element.name, misfits)) note_misfit(element, misfits);
        else set_aside(element, misfits);
        return;
    }
    auto& filled = filled_[static_cast<std::size_t>(column)];
    if (std::exchange(filled, document_) == document_) return set_aside(element, misfits);
    const auto kind = shape_->kind(column);
    const auto fit = is_key ? fit_of_key(kind, element) : fit_of(kind, element);
    if (fit == Fit::yes) fields_.push_back({element, column});
    else if (is_key || (fit == Fit::wider && may_widen(kind, element)))
        note_misfit(element, misfits, fit == Fit::aside);
    else if (fit == Fit::wider && on_conflict_ == OnConflict::dead_letter)
        set_misfit(element, misfits);
    else set_aside(element, misfits);
}

// From int to long nothing changes but what is known of the values.
auto RowBuilder::may_widen(Kind column, const Element& element) const -> bool {
    return on_conflict_ == OnConflict::widen || join(column, kind_of(element)) == Kind::big_integer;
}

auto RowBuilder::may_get_column(std::string_view field, const Misfits& misfits) const -> bool {
    const bool twice = std::any_of(misfits.fields.begin(), misfits.fields.end(),
                                   [&](const Misfit& one) { return one.field == field; });
    return !twice && book_.may_add(shape_.get(), field);
}

auto RowBuilder::note_misfit(const Element& element, Misfits& misfits, bool is_aside) -> void {
    misfits.fields.push_back(
        {std::string(element.name), is_aside || is_null(element) ? Kind::json : kind_of(element)});
}

auto RowBuilder::set_aside(const Element& element, Misfits& misfits) -> void {
    fields_.push_back({element, into_extra});
    if (!shape_ || shape_->extra() < 0) misfits.extra = true;
}

auto RowBuilder::set_misfit(const Element& element, Misfits& misfits) -> void {
    fields_.push_back({element, into_misfits});
    if (shape_->misfits() < 0) misfits.misfits = true;
}

auto RowBuilder::start_row(const RowPlace& place) -> void {
    // Growth failure of 25 bytes a row: out of memory, nothing sensible is left to do.
    CHECK(ops_.Append(static_cast<std::uint8_t>(place.op)).ok());
    CHECK(commits_.Append(place.commit).ok());
    CHECK(ordinals_.Append(place.ordinal).ok());
    CHECK(times_.Append(place.time_us).ok());
    ++rows_;
}

auto RowBuilder::finish() -> Result<std::vector<Batch>> {
    TRY(close());
    closed_rows_ = 0;
    // A later shape may be there already, found elsewhere.
    if (auto newest = book_.find(table_); newest != shape_) TRY(use(std::move(newest)));
    return std::exchange(closed_, {});
}

auto RowBuilder::close() -> Result<void> {
    if (rows_ == 0) return {};
    closed_rows_ += rows_;
    closed_.push_back(TRY(make_batch()));
    rows_ = 0;
    return {};
}

}  // namespace leat::mongodb
