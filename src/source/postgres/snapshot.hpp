// TableImages: the image of the tables at the slot's consistent point. A coordinator holds the
// snapshot and a lock on every table; workers read ranges of heap blocks over connections of their
// own (DESIGN: snapshots).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/guarded.hpp"
#include "base/result.hpp"
#include "source/postgres/layout.hpp"
#include "source/postgres/table_builder.hpp"
#include "source/source.hpp"

namespace leat::postgres {

struct ImageOptions {
    ConnectOptions sql;
    std::vector<TableName> tables;
    ExcludedColumns excluded;
    std::string snapshot;  // exported by another connection, which may go once this was made
    LayoutOptions layout;
    std::filesystem::path text_columns_file;
};

// "schema.table.column" lines: columns in which an earlier attempt met a value that does not fit.
auto read_text_columns(const std::filesystem::path& file) -> Result<TextColumns>;

class TableImages {
public:
    // Takes over the snapshot and locks the tables. Fault::retry when one was rewritten or changed
    // after the point: the next attempt takes a new one.
    static auto make(ImageOptions options, const std::stop_token& stop)
        -> Result<std::unique_ptr<TableImages>>;

    [[nodiscard]] auto tables() const -> const std::vector<CatalogTable>& { return tables_; }
    [[nodiscard]] auto layouts() const -> const std::vector<TableLayout>& { return layouts_; }

    [[nodiscard]] auto chunks() const -> const std::vector<Chunk>& { return chunks_; }

    // Any thread; a worker number is used by one thread at a time.
    auto read(const Chunk& chunk, std::uint64_t point, std::size_t worker,
              const BatchReceiver& receive, const std::stop_token& stop) -> Result<void>;

    // Every chunk was read. An error: the point or the locks were lost on the way, and the image
    // is worth nothing.
    auto finish() -> Result<void>;

private:
    TableImages(ImageOptions options, Connection coordinator);
    auto take_over() -> Result<void>;
    auto describe() -> Result<void>;
    auto lock(const std::stop_token& stop) -> Result<void>;
    auto lock_leaves(const std::stop_token& stop) -> Result<void>;
    auto compare() -> Result<void>;
    struct Place {  // where rows lie: a table, or a partition of one
        TableName name;
        std::int64_t blocks = 0;
        std::int64_t rows_per_block = 0;
    };
    static auto places_of(const CatalogTable& table) -> std::vector<Place>;
    auto plan() -> void;
    auto add_chunks(const SchemaPtr& schema, const Place& place) -> void;
    auto worker_connection(std::size_t worker) -> Result<std::unique_ptr<Connection>>;
    auto copy(Connection& connection, const Chunk& chunk, std::uint64_t point,
              const BatchReceiver& receive, const std::stop_token& stop) -> Result<void>;
    auto value_error(const TableLayout& layout, const RowProblem& problem) -> Error;

    ImageOptions options_;
    Connection coordinator_;
    std::string snapshot_;  // the coordinator's own export
    std::int64_t time_us_ = 0;
    std::vector<CatalogTable> tables_;
    std::vector<TableLayout> layouts_;
    std::vector<Chunk> chunks_;
    std::vector<TableName> chunk_places_;  // by a chunk's number
    Guarded<std::map<std::size_t, std::unique_ptr<Connection>>> workers_;
};

}  // namespace leat::postgres
