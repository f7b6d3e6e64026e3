// Shape: which columns a collection has, as its documents have shown so far. Columns only come and
// widen. Shapes are immutable and shared by the stream and the threads that read images; the book
// keeps the newest of each collection, on disk before any row of it is handed out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"
#include "change/schema.hpp"
#include "source/mongodb/config.hpp"
#include "source/mongodb/kind.hpp"

namespace leat::mongodb {

// Columns of ours beside those of fields.
inline constexpr std::string_view key_field = "_id";
inline constexpr std::string_view document_column = "document";
inline constexpr std::string_view extra_column = "_extra";
inline constexpr std::string_view nulls_column = "_nulls";
inline constexpr std::string_view misfits_column = "_misfits";  // of misfits_type

// Nullable, without an id.
auto column_named(std::string_view name, Kind kind) -> Column;

class Shape {
public:
    explicit Shape(SchemaPtr schema);

    [[nodiscard]] auto schema() const -> const SchemaPtr& { return schema_; }
    [[nodiscard]] auto kind(int column) const -> Kind {
        return kinds_[static_cast<std::size_t>(column)];
    }
    // -1: none, or the name of one of ours, which no field may take.
    [[nodiscard]] auto column_of(std::string_view field) const -> int;
    // Whether a column has this name, as sinks compare names: without regard to case.
    [[nodiscard]] auto is_taken(const std::string& folded) const -> bool {
        return folded_.contains(folded);
    }
    [[nodiscard]] auto extra() const -> int { return extra_; }
    [[nodiscard]] auto nulls() const -> int { return nulls_; }
    [[nodiscard]] auto misfits() const -> int { return misfits_; }

private:
    SchemaPtr schema_;
    std::vector<Kind> kinds_;
    std::unordered_map<std::string_view, int> by_name_;  // views of the schema's names
    std::unordered_set<std::string> folded_;
    int extra_ = -1;
    int nulls_ = -1;
    int misfits_ = -1;
};

using ShapePtr = std::shared_ptr<const Shape>;

// What a document has that a shape does not hold.
struct Misfit {
    std::string field;
    Kind kind = Kind::json;
};
struct Misfits {
    std::vector<Misfit> fields;
    bool extra = false;  // there is something for `_extra`
    bool nulls = false;
    bool misfits = false;

    [[nodiscard]] auto is_empty() const -> bool {
        return fields.empty() && !extra && !nulls && !misfits;
    }
};

// `declared`: columns a table has from the beginning. `always_extra`: `_extra` is one of them.
struct ShapeRules {
    Mode mode = Mode::columns;
    std::size_t columns_max = 500;
    std::map<TableName, std::map<std::string, Kind>> declared{};
    bool always_extra = false;
    // What decides which rows come out of a document, by table; other rows need another image.
    std::map<TableName, std::string> definitions{};

    [[nodiscard]] auto definition_of(const TableName& table) const -> std::string;
};

// Thread-safe.
class ShapeBook {
public:
    // `file`: what an earlier process has noted, if it is there.
    static auto open(std::filesystem::path file, ShapeRules rules)
        -> Result<std::unique_ptr<ShapeBook>>;

    // Shapes that the queue has seen; where it has seen a newer one than is noted, that counts.
    auto adopt(const std::vector<SchemaPtr>& schemas) -> void;
    // Null: no document has been seen yet.
    [[nodiscard]] auto find(const TableName& table) const -> ShapePtr;
    // Whether the table was ever read.
    [[nodiscard]] auto is_noted(const TableName& table) const -> bool;
    // Whether what is known of the table was read under the same definition.
    [[nodiscard]] auto is_current(const TableName& table) const -> bool;
    // The table is read anew: under the definition of now, columns of another one forgotten.
    auto begin_table(const TableName& table) -> void;
    // Whether a field may have a column beside those: not beyond columns_max, and not where its
    // name is empty, one of ours, or differs from another in case only. `shape`: null: none yet.
    [[nodiscard]] auto may_add(const Shape* shape, std::string_view field) const -> bool;
    // The newest shape, which now holds the misfits too, but for fields that may not be added:
    // those are for `_extra`.
    auto widen(const TableName& table, const Misfits& misfits) -> ShapePtr;
    // The rows that follow are of this image or follow it.
    auto begin_image(const TableName& table, Generation generation) -> void;
    // On disk are all shapes that were given so far. Called before rows are handed out.
    auto save() -> Result<void>;

    [[nodiscard]] auto rules() const -> const ShapeRules& { return rules_; }

private:
    ShapeBook(std::filesystem::path file, ShapeRules rules);
    auto declare(TableSchema& schema) const -> bool;
    auto load() -> Result<void>;

    const std::filesystem::path file_;
    const ShapeRules rules_;
    mutable std::mutex mutex_;
    std::map<TableName, ShapePtr> shapes_;
    std::map<TableName, std::string> definitions_;  // under which the shapes came about
    std::map<TableName, std::uint64_t> versions_;   // of shapes that were forgotten
    std::map<TableName, Generation> generations_;
    bool is_saved_ = true;
};

}  // namespace leat::mongodb
