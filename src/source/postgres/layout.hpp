// TableLayout: one version of a table with all that is needed to read its rows: the schema that
// travels on and how each column's values are parsed.
#pragma once

#include <arrow/type_fwd.h>

#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "change/schema.hpp"
#include "format/pgtype/pgtype.hpp"
#include "source/postgres/catalog.hpp"
#include "source/postgres/row_fit.hpp"
#include "source/postgres/type_catalog.hpp"

namespace leat::postgres {

// The Arrow schemas of a table's batches, made once each: [with_before][with_unchanged].
class ArrowShapes {
public:
    auto get(const TableSchema& schema, BatchShape shape) -> Result<std::shared_ptr<arrow::Schema>>;

private:
    std::array<std::shared_ptr<arrow::Schema>, 4> shapes_;
};

// `fit`: brings rows into this shape first; null: they come in it.
struct TableLayout {
    SchemaPtr schema;
    std::vector<pgtype::ColumnMapping> mappings;  // one per column
    std::shared_ptr<RowFit> fit{};
};

// "schema.table.column" of columns that are read as text because a value did not fit.
using TextColumns = std::set<std::string>;

struct LayoutOptions {
    bool insert_only = false;
    Generation generation = 0;
};

// The first version of a table, as the catalog describes it.
auto layout_of(const CatalogTable& table, Connection& connection, TypeCatalog& types,
               const TextColumns& text_columns, const LayoutOptions& options)
    -> Result<TableLayout>;

}  // namespace leat::postgres
