// Widening shapes.
#include "source/mongodb/shape.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace leat::mongodb {

namespace {

auto folded(std::string_view name) -> std::string {
    std::string out(name);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

auto is_ours(std::string_view name) -> bool {
    return name == extra_column || name == nulls_column || name == misfits_column;
}

auto add_column(TableSchema& schema, std::string_view name, Kind kind) -> void {
    auto column = column_named(name, kind);
    column.id = 1;
    for (const auto& other : schema.columns) column.id = std::max(column.id, other.id + 1);
    schema.columns.push_back(std::move(column));
}

// True: it was not there, or was narrower.
auto widen_column(TableSchema& schema, std::string_view name, Kind kind) -> bool {
    const auto index = schema.column_index(name);
    if (index < 0) {
        add_column(schema, name, kind);
        return true;
    }
    auto& column = schema.columns[static_cast<std::size_t>(index)];
    const auto was = kind_of(column);
    CHECK(was);
    const auto now = name == key_field ? join_keys(*was, kind) : join(*was, kind);
    if (now == *was) return false;
    auto wider = column_named(name, now);
    wider.id = column.id;
    column = std::move(wider);
    return true;
}

}  // namespace

auto column_named(std::string_view name, Kind kind) -> Column {
    auto column = column_of(kind);
    column.name = name;
    if (name == misfits_column) column.logical_type = misfits_type;
    return column;
}

Shape::Shape(SchemaPtr schema) : schema_(std::move(schema)) {
    for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
        const auto& column = schema_->columns[i];
        const auto kind = kind_of(column);
        kinds_.push_back(kind.value_or(Kind::json));
        folded_.insert(folded(column.name));
        if (column.name == extra_column) extra_ = static_cast<int>(i);
        else if (column.name == nulls_column) nulls_ = static_cast<int>(i);
        else if (column.name == misfits_column) misfits_ = static_cast<int>(i);
        else by_name_.emplace(column.name, static_cast<int>(i));
    }
}

auto Shape::column_of(std::string_view field) const -> int {
    const auto found = by_name_.find(field);
    return found == by_name_.end() ? -1 : found->second;
}

ShapeBook::ShapeBook(std::filesystem::path file, ShapeRules rules)
    : file_(std::move(file)), rules_(std::move(rules)) {}

auto ShapeBook::adopt(const std::vector<SchemaPtr>& schemas) -> void {
    const std::lock_guard lock(mutex_);
    for (const auto& schema : schemas) {
        auto& known = shapes_[schema->name];
        if (known && known->schema()->version >= schema->version) continue;
        known = std::make_shared<const Shape>(schema);
        definitions_.try_emplace(schema->name, rules_.definition_of(schema->name));
        is_saved_ = false;
    }
}

auto ShapeBook::find(const TableName& table) const -> ShapePtr {
    const std::lock_guard lock(mutex_);
    const auto found = shapes_.find(table);
    return found == shapes_.end() ? nullptr : found->second;
}

auto ShapeRules::definition_of(const TableName& table) const -> std::string {
    const auto own = definitions.find(table);
    return (mode == Mode::document ? "document" : "columns") +
           (own == definitions.end() ? "" : " " + own->second);
}

auto ShapeBook::is_noted(const TableName& table) const -> bool {
    const std::lock_guard lock(mutex_);
    return definitions_.contains(table);
}

auto ShapeBook::is_current(const TableName& table) const -> bool {
    const std::lock_guard lock(mutex_);
    const auto noted = definitions_.find(table);
    return noted == definitions_.end() || noted->second == rules_.definition_of(table);
}

auto ShapeBook::begin_table(const TableName& table) -> void {
    const std::lock_guard lock(mutex_);
    auto& noted = definitions_[table];
    const auto now = rules_.definition_of(table);
    auto& known = shapes_[table];
    if (known && noted != now) {
        versions_[table] = known->schema()->version;
        known = nullptr;
    }
    noted = now;
    is_saved_ = false;
}

auto ShapeBook::may_add(const Shape* shape, std::string_view field) const -> bool {
    if (rules_.mode == Mode::document) return true;
    const auto wanted = folded(field);
    if (wanted.empty() || is_ours(wanted)) return false;
    if (shape == nullptr) return true;
    // Room for ours.
    return shape->schema()->columns.size() + 2 < rules_.columns_max && !shape->is_taken(wanted);
}

// True: something was missing.
auto ShapeBook::declare(TableSchema& schema) const -> bool {
    bool changed = rules_.always_extra && widen_column(schema, extra_column, Kind::json);
    const auto declared = rules_.declared.find(schema.name);
    if (declared == rules_.declared.end() || rules_.mode == Mode::document) return changed;
    for (const auto& [field, kind] : declared->second)
        changed = widen_column(schema, field, kind) || changed;
    return changed;
}

auto ShapeBook::widen(const TableName& table, const Misfits& misfits) -> ShapePtr {
    const std::lock_guard lock(mutex_);
    auto& known = shapes_[table];
    auto schema = std::make_shared<TableSchema>();
    if (known) *schema = *known->schema();
    else schema->generation = generations_[table];
    schema->name = table;
    bool changed = !known;
    bool extra = misfits.extra;
    for (const auto& [field, kind] : misfits.fields) {
        const Shape so_far(schema);
        if (schema->column_index(field) >= 0 || field == key_field || may_add(&so_far, field))
            changed = widen_column(*schema, field, kind) || changed;
        else extra = true;
    }
    if (extra) changed = widen_column(*schema, extra_column, Kind::json) || changed;
    changed = declare(*schema) || changed;
    if (misfits.nulls) changed = widen_column(*schema, nulls_column, Kind::json) || changed;
    if (misfits.misfits) changed = widen_column(*schema, misfits_column, Kind::json) || changed;
    if (!changed) return known;
    const auto key = schema->column_index(key_field);
    CHECK(key >= 0);
    schema->key = {key};
    schema->columns[static_cast<std::size_t>(key)].nullable = false;
    schema->version = 1 + (known ? known->schema()->version : versions_[table]);
    known = std::make_shared<const Shape>(std::move(schema));
    is_saved_ = false;
    return known;
}

auto ShapeBook::begin_image(const TableName& table, Generation generation) -> void {
    const std::lock_guard lock(mutex_);
    generations_[table] = generation;
    const auto found = shapes_.find(table);
    if (found == shapes_.end() || !found->second) return;
    auto schema = std::make_shared<TableSchema>(*found->second->schema());
    schema->generation = generation;
    found->second = std::make_shared<const Shape>(std::move(schema));
    is_saved_ = false;
}

}  // namespace leat::mongodb
