// RowFit: rows of a table whose columns changed at the source, brought into the shape that it had
// before (on_schema_change: discard_value, discard_row). One thread.
#pragma once

#include <arrow/array/builder_base.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "format/pgoutput/tuple.hpp"
#include "format/pgtype/pgtype.hpp"

namespace leat::postgres {

// Where a column of the rows as they are sent belongs in the shape; -1: it has no such column.
// `is_tested`: its values may not fit there.
struct Place {
    int column = -1;
    bool is_tested = false;
};

class RowFit {
public:
    // `mappings`: of the shape's columns. `discards_rows`: what becomes of a row that does not fit.
    static auto make(const std::vector<pgtype::ColumnMapping>& mappings, std::vector<Place> places,
                     bool discards_rows) -> Result<std::shared_ptr<RowFit>>;

    [[nodiscard]] auto places() const -> const std::vector<Place>& { return places_; }
    [[nodiscard]] auto discards_rows() const -> bool { return discards_rows_; }

    // The row in the shape: columns that were not sent are NULL, and so are values that do not fit.
    // Of text values only. `tuple` lives until the next call with the same `bytes`.
    struct Fitted {
        pgoutput::TupleView tuple;
        bool has_more = false;  // a value, not NULL, in a column that the shape does not have
        int misfits = 0;        // values that do not fit their column
    };
    // Nothing: the row is not of the width that was described.
    auto fit(const pgoutput::TupleView& sent, std::string& bytes) -> std::optional<Fitted>;

private:
    // Reads values to see whether they can be read.
    struct Test {
        std::unique_ptr<arrow::ArrayBuilder> builder;
        pgtype::ValueWriter writer;
    };

    RowFit(std::vector<Place> places, bool discards_rows)
        : places_(std::move(places)), discards_rows_(discards_rows) {}
    auto fits(std::size_t column, const pgoutput::Value& value) -> bool;

    const std::vector<Place> places_;
    const bool discards_rows_;
    std::vector<std::optional<Test>> tests_;  // by column of the shape
    std::vector<pgoutput::Value> values_;
};

}  // namespace leat::postgres
