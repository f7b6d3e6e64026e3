// Updates as the fields that they changed.
#include <algorithm>

#include "source/mongodb/row_builder.hpp"

namespace leat::mongodb {

namespace {

using bson::Element;
using bson::Type;

// A dot may stand for a path or be a part of the name.
auto is_path(std::string_view name) -> bool {
    return name.find('.') != std::string_view::npos;
}

auto is_empty_array(const Element& element) -> bool {
    Element item;
    return element.type == Type::array && !bson::Reader(bson::as_document(element)).next(item);
}

auto read_updated(const Element& fields, Delta& delta) -> bool {
    if (fields.type != Type::document) return false;
    bson::Reader reader(bson::as_document(fields));
    for (Element field; reader.next(field);) {
        if (is_path(field.name)) return false;
        delta.updated.push_back(field);
    }
    return reader.ok();
}

auto read_removed(const Element& names, Delta& delta) -> bool {
    if (names.type != Type::array) return false;
    bson::Reader reader(bson::as_document(names));
    for (Element name; reader.next(name);) {
        if (name.type != Type::string || is_path(bson::as_text(name))) return false;
        delta.removed.push_back(bson::as_text(name));
    }
    return reader.ok();
}

}  // namespace

auto read_delta(std::string_view update_description) -> std::optional<Delta> {
    Delta delta;
    bson::Reader reader(update_description);
    for (Element part; reader.next(part);) {
        const bool plain = part.name == "updatedFields"     ? read_updated(part, delta)
                           : part.name == "removedFields"   ? read_removed(part, delta)
                           : part.name == "truncatedArrays" ? is_empty_array(part)
                                                            : true;
        if (!plain) return std::nullopt;
    }
    return reader.ok() ? std::optional(std::move(delta)) : std::nullopt;
}

auto RowBuilder::add_delta(const RowPlace& place, std::string_view key, const Delta& delta)
    -> Result<bool> {
    if (book_.rules().mode == Mode::document) return false;
    if (!shape_) TRY(use(book_.find(table_)));
    while (true) {
        Misfits misfits;
        if (!TRY(place_delta(key, delta, misfits))) return false;
        if (misfits.is_empty()) break;
        TRY(use(book_.widen(table_, misfits)));
    }
    start_row(place);
    append_fields();
    fill_with_nulls();
    mark_unchanged(delta);
    return true;
}

// What stands in columns of ours cannot be changed in part.
auto RowBuilder::place_delta(std::string_view key, const Delta& delta, Misfits& misfits)
    -> Result<bool> {
    if (!shape_ || shape_->extra() >= 0 || shape_->nulls() >= 0 || shape_->misfits() >= 0)
        return false;
    TRY(place_fields(key, Op::remove, misfits));
    for (const auto& field : delta.updated)
        if (!excluded_.contains(field.name)) place(field, misfits);
    const bool is_aside = std::any_of(fields_.begin(), fields_.end(),
                                      [](const FieldPlace& field) { return field.column < 0; });
    return !is_aside && !misfits.extra && !misfits.nulls && !misfits.misfits;
}

auto RowBuilder::mark_unchanged(const Delta& delta) -> void {
    const auto columns = columns_.size();
    std::string bitmap((columns + 7) / 8, '\0');
    const auto set = [&](int column, bool unchanged) {
        if (column < 0) return;
        const auto at = static_cast<std::size_t>(column);
        const auto bit = 1U << (at % 8);
        const auto byte = static_cast<unsigned char>(bitmap[at / 8]);
        bitmap[at / 8] = static_cast<char>(unchanged ? byte | bit : byte & ~bit);
    };
    for (std::size_t column = 0; column < columns; ++column) set(static_cast<int>(column), true);
    for (const auto& field : fields_) set(field.column, false);
    for (const auto name : null_fields_) set(shape_->column_of(name), false);
    for (const auto name : delta.removed) set(shape_->column_of(name), false);
    unchanged_.emplace_back(rows_ - 1, std::move(bitmap));
}

}  // namespace leat::mongodb
