// RowBuilder: documents of one collection straight into Arrow builders, in the layout of
// change/batch.hpp, under the newest shape of the collection. One thread; no allocation per row.
#pragma once

#include <arrow/array/builder_base.h>
#include <arrow/buffer_builder.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "change/batch.hpp"
#include "source/mongodb/shape.hpp"

namespace leat::mongodb {

// Where a row stands. `time_us`: of its commit, microseconds since 1970 UTC.
struct RowPlace {
    Op op = Op::insert;
    std::uint64_t commit = 0;
    std::uint64_t ordinal = 0;
    std::int64_t time_us = 0;
};

// Top-level fields that an update has set and removed; views of the event.
struct Delta {
    std::vector<bson::Element> updated;
    std::vector<std::string_view> removed;
};
// Nothing where it names anything within a field.
auto read_delta(std::string_view update_description) -> std::optional<Delta>;

// A field of the row that is being read, and the column it goes into or one of these.
inline constexpr int into_extra = -1;
inline constexpr int into_misfits = -2;
struct FieldPlace {
    bson::Element element;
    int column = into_extra;
};

// No rows, in the layout of a batch.
auto empty_batch(const Shape& shape) -> Result<Batch>;

// `excluded`: fields that are left out, by table.
struct RowRules {
    OnConflict on_conflict = OnConflict::widen;
    bool tells_nulls = false;
    std::map<TableName, std::set<std::string, std::less<>>> excluded{};
};

class RowBuilder {
public:
    // The book outlives it.
    RowBuilder(TableName table, ShapeBook& book, const RowRules& rules);

    // A whole document; for a delete, one that holds the key. Poison: not a document, or without
    // `_id`.
    auto add(const RowPlace& place, std::string_view document) -> Result<void>;
    // What an update's description says, under the key: all other columns are `_unchanged`. False:
    // it cannot be said so (nothing was added), the whole document is needed.
    auto add_delta(const RowPlace& place, std::string_view key, const Delta& delta) -> Result<bool>;
    // Op::truncate. Nothing where no document was ever seen.
    auto add_truncate(const RowPlace& place) -> Result<void>;

    // Takes the rows out, in order; a batch for each shape they were read under.
    auto finish() -> Result<std::vector<Batch>>;

    [[nodiscard]] auto rows() const -> std::int64_t { return rows_ + closed_rows_; }
    [[nodiscard]] auto table() const -> const TableName& { return table_; }

private:
    struct ColumnBuilder {
        Kind kind = Kind::json;
        std::unique_ptr<arrow::ArrayBuilder> builder;
    };

    auto use(ShapePtr shape) -> Result<void>;
    auto close() -> Result<void>;
    auto fit(std::string_view document, Op op) -> Result<void>;
    auto place_fields(std::string_view document, Op op, Misfits& misfits) -> Result<void>;
    auto place_key(std::string_view document, Misfits& misfits) -> Result<void>;
    auto place_document(std::string_view document, Misfits& misfits) -> Result<void>;
    auto place(const bson::Element& element, Misfits& misfits) -> void;
    [[nodiscard]] auto may_widen(Kind column, const bson::Element& element) const -> bool;
    [[nodiscard]] auto may_get_column(std::string_view field, const Misfits& misfits) const -> bool;
    static auto note_misfit(const bson::Element& element, Misfits& misfits, bool is_aside = false)
        -> void;
    auto set_aside(const bson::Element& element, Misfits& misfits) -> void;
    auto set_misfit(const bson::Element& element, Misfits& misfits) -> void;
    auto find_column(std::string_view field) -> int;
    auto place_delta(std::string_view key, const Delta& delta, Misfits& misfits) -> Result<bool>;
    auto mark_unchanged(const Delta& delta) -> void;
    auto start_row(const RowPlace& place) -> void;
    auto append_fields() -> void;
    auto append(ColumnBuilder& column, const bson::Element& value) -> void;
    auto append_aside(int place, int column) -> void;
    auto append_nulls() -> void;
    auto append_whole() -> void;
    auto append_text(int column, std::string_view text) -> void;
    auto fill_with_nulls() -> void;
    auto make_batch() -> Result<Batch>;

    const TableName table_;
    ShapeBook& book_;
    const bool tells_nulls_;
    const OnConflict on_conflict_;
    std::set<std::string, std::less<>> excluded_;

    ShapePtr shape_;  // null: none yet
    std::shared_ptr<arrow::Schema> layout_;
    std::vector<ColumnBuilder> columns_;
    arrow::TypedBufferBuilder<std::uint8_t> ops_;
    arrow::TypedBufferBuilder<std::uint64_t> commits_;
    arrow::TypedBufferBuilder<std::uint64_t> ordinals_;
    arrow::TypedBufferBuilder<std::int64_t> times_;
    std::int64_t rows_ = 0;
    // Of partial rows: which row, and Batch's bitmap.
    std::vector<std::pair<std::int64_t, std::string>> unchanged_;
    std::vector<Batch> closed_;  // under earlier shapes
    std::int64_t closed_rows_ = 0;

    // Of the row that is being read.
    std::vector<FieldPlace> fields_;
    std::string_view whole_;  // mode document
    std::vector<std::string_view> null_fields_;
    std::vector<int> predicted_;         // by a field's place in the document before
    std::vector<std::uint64_t> filled_;  // by column: the last document that had it
    std::uint64_t document_ = 0;
    std::string scratch_;
};

}  // namespace leat::mongodb
