// The shape book on disk: {shapes: [{schema, table, definition, version, generation, columns: [{id,
// name, type}]}]}, `type` being Column::source_type. A table without columns has no shape yet.
#include <utility>

#include "base/failpoint.hpp"
#include "source/mongodb/note_file.hpp"
#include "source/mongodb/shape.hpp"

namespace leat::mongodb {

namespace {

auto to_document(const TableSchema& schema, const std::string& definition) -> Document {
    ArrayBuilder columns;
    for (const auto& column : schema.columns)
        columns.add(Document()
                        .add("id", column.id)
                        .add("name", column.name)
                        .add("type", column.source_type));
    Document shape;
    shape.add("schema", schema.name.schema)
        .add("table", schema.name.table)
        .add("definition", definition)
        .add("version", static_cast<std::int64_t>(schema.version))
        .add("generation", static_cast<std::int64_t>(schema.generation))
        .add_array("columns", columns.items());
    return shape;
}

// Null: not a shape that this program has written.
auto to_schema(std::string_view document) -> SchemaPtr {
    auto schema = std::make_shared<TableSchema>();
    schema->name = {text_at(document, "schema"), text_at(document, "table")};
    schema->version = static_cast<std::uint64_t>(number_at(document, "version"));
    schema->generation = static_cast<Generation>(number_at(document, "generation"));
    const auto columns = bson::find(document, "columns");
    if (!columns || columns->type != bson::Type::array) return nullptr;
    bson::Reader reader(bson::as_document(*columns));
    for (bson::Element item; reader.next(item);) {
        if (item.type != bson::Type::document) return nullptr;
        const auto entry = bson::as_document(item);
        Column named;
        named.source_type = text_at(entry, "type");
        const auto kind = kind_of(named);
        if (!kind) return nullptr;
        auto column = column_named(text_at(entry, "name"), *kind);
        column.id = static_cast<std::int32_t>(number_at(entry, "id"));
        column.nullable = column.name != key_field;
        schema->columns.push_back(std::move(column));
    }
    const auto key = schema->column_index(key_field);
    if (key < 0 && !schema->columns.empty()) return nullptr;
    if (key >= 0) schema->key = {key};
    return schema;
}

}  // namespace

auto ShapeBook::open(std::filesystem::path file, ShapeRules rules)
    -> Result<std::unique_ptr<ShapeBook>> {
    std::unique_ptr<ShapeBook> book(new ShapeBook(std::move(file), std::move(rules)));
    TRY(book->load());
    return book;
}

auto ShapeBook::load() -> Result<void> {
    const auto note = TRY(read_note(file_));
    if (!note) return {};
    const auto list = bson::find(*note, "shapes");
    if (!list || list->type != bson::Type::array) return {};
    bson::Reader reader(bson::as_document(*list));
    for (bson::Element item; reader.next(item);) {
        if (item.type != bson::Type::document) continue;
        auto schema = to_schema(bson::as_document(item));
        if (!schema)
            return Error{Fault::config,
                         "shapes of collections were noted by another version of leat",
                         "Use that version, or run `leat drop FILE` to begin anew.", file_.string(),
                         Code::mongo_work_folder};
        const auto name = schema->name;
        definitions_[name] = text_at(bson::as_document(item), "definition");
        if (schema->columns.empty()) versions_[name] = schema->version;
        else shapes_[name] = std::make_shared<const Shape>(std::move(schema));
    }
    return {};
}

auto ShapeBook::save() -> Result<void> {
    const std::lock_guard lock(mutex_);
    if (is_saved_) return {};
    ArrayBuilder list;
    for (const auto& [table, definition] : definitions_) {
        TableSchema none;
        none.name = table;
        const auto version = versions_.find(table);
        none.version = version == versions_.end() ? 0 : version->second;
        const auto shape = shapes_.find(table);
        const bool has_shape = shape != shapes_.end() && shape->second;
        list.add(to_document(has_shape ? *shape->second->schema() : none, definition));
    }
    TRY(write_note(file_, Document().add_array("shapes", list.items())));
    failpoint("mongodb.shapes_saved");
    is_saved_ = true;
    return {};
}

}  // namespace leat::mongodb
