// Catalog description → first schema version.
#include "source/postgres/layout.hpp"

#include <arrow/type.h>

#include "source/postgres/type_change.hpp"

namespace leat::postgres {

auto ArrowShapes::get(const TableSchema& schema, BatchShape shape)
    -> Result<std::shared_ptr<arrow::Schema>> {
    const std::size_t index = (shape.with_before ? 2U : 0U) + (shape.with_unchanged ? 1U : 0U);
    auto& made = shapes_[index];
    if (!made) made = TRY(to_arrow(schema, shape));
    return made;
}

auto layout_of(const CatalogTable& table, Connection& connection, TypeCatalog& types,
               const TextColumns& text_columns, const LayoutOptions& options)
    -> Result<TableLayout> {
    auto schema = std::make_shared<TableSchema>();
    TableLayout layout;
    schema->name = table.name;
    schema->generation = options.generation;
    schema->identity = table.identity(options.insert_only);
    for (const auto& column : table.columns) {
        const auto type = TRY(
            types.resolve(connection, {column.type_oid, column.type_modifier, column.dimensions}));
        const bool as_text = text_columns.contains(to_string(table.name) + "." + column.name);
        auto mapping = as_text ? text_mapping(type) : pgtype::map(type);
        Column made;
        made.name = column.name;
        made.type = mapping.type;
        made.logical_type = mapping.logical_type;
        made.nullable = !column.not_null;
        made.id = column.number;
        made.source_type = source_type(type);
        schema->columns.push_back(std::move(made));
        layout.mappings.push_back(std::move(mapping));
    }
    if (schema->identity == RowIdentity::key) {
        for (const auto number : table.key()) {
            for (std::size_t i = 0; i < schema->columns.size(); ++i)
                if (schema->columns[i].id == number) schema->key.push_back(static_cast<int>(i));
        }
    }
    layout.schema = std::move(schema);
    return layout;
}

}  // namespace leat::postgres
