// Planning ranges of `_id`, and reading them.
#include "source/mongodb/images.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "source/mongodb/catalog.hpp"
#include "source/mongodb/event.hpp"
#include "source/mongodb/find.hpp"

namespace leat::mongodb {

namespace {

constexpr std::int64_t looked_at = 1000;
constexpr std::int64_t looked_at_bytes = 8 << 20;
// Sampled keys for each border: their order statistics make ranges of about one size.
constexpr std::int64_t samples_per_range = 20;

const bson::Element max_key{bson::Type::max_key, "", ""};

auto key_document(const bson::Element& id) -> Document {
    return Document().add("_id", id);
}

auto stopped() -> Error {
    return {Fault::retry, "stopped", "", "mongodb image"};
}

}  // namespace

auto look_at(Connection& connection, const ImagedCollection& collection, ShapeBook& book,
             const RowRules& rules) -> Result<void> {
    RowBuilder rows(collection.table, book, rules);
    const auto size = TRY(size_of(connection, collection.database, collection.collection));
    const auto each =
        std::max(size.bytes / std::max(size.documents, std::int64_t{1}), std::int64_t{1});
    const auto count = std::clamp(looked_at_bytes / each, std::int64_t{1}, looked_at);
    FindRequest find{collection.database, collection.collection, {}, {}};
    for (const std::int32_t direction : {1, -1}) {
        find.options = Document().add("sort", Document().add("_id", direction)).add("limit", count);
        TRY(find_all(connection, find, [&](std::string_view document) {
            return rows.add({Op::snapshot, 0, 0, 0}, document);
        }));
        TRY(rows.finish());
    }
    return {};
}

auto CollectionImages::make(ImageOptions options, ShapeBook& book)
    -> Result<std::unique_ptr<CollectionImages>> {
    auto connection = TRY(Connection::connect(options.connect));
    std::unique_ptr<CollectionImages> made(new CollectionImages(std::move(options), book));
    TRY(made->plan_ranges(connection));
    TRY(made->write_plan());
    return made;
}

auto CollectionImages::resume(ImageOptions options, ShapeBook& book)
    -> Result<std::unique_ptr<CollectionImages>> {
    std::unique_ptr<CollectionImages> made(new CollectionImages(std::move(options), book));
    TRY(made->read_plan());
    return made;
}

auto CollectionImages::find(const TableName& table) const -> const ImagedCollection* {
    for (const auto& one : options_.collections)
        if (one.table == table) return &one;
    return nullptr;
}

auto CollectionImages::add_chunk(std::size_t range) -> void {
    auto schema = std::make_shared<TableSchema>();
    if (const auto shape = book_.find(ranges_[range].table)) *schema = *shape->schema();
    schema->name = ranges_[range].table;
    Chunk chunk;
    chunk.schema = std::move(schema);
    chunk.number = range;
    chunk.rows_estimate = ranges_[range].documents;
    chunks_.push_back(std::move(chunk));
}

auto CollectionImages::plan_ranges(Connection& connection) -> Result<void> {
    std::vector<CollectionSize> sizes;
    for (const auto& one : options_.collections) {
        sizes.push_back(TRY(size_of(connection, one.database, one.collection)));
        TRY(look_at(connection, one, book_, options_.rules));
    }
    TRY(book_.save());
    std::vector<std::size_t> order(sizes.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](auto a, auto b) { return sizes[a].bytes < sizes[b].bytes; });
    for (const auto index : order) {
        const auto& one = options_.collections[index];
        const auto pieces = 1 + sizes[index].bytes / options_.range_bytes;
        const auto borders = TRY(cut(connection, one, pieces));
        for (std::size_t i = 0; i <= borders.size(); ++i) {
            Range range;
            range.table = one.table;
            range.documents =
                static_cast<std::uint64_t>(sizes[index].documents) / (borders.size() + 1);
            if (i > 0) range.min = borders[i - 1];
            if (i < borders.size()) range.max = borders[i];
            ranges_.push_back(std::move(range));
            add_chunk(ranges_.size() - 1);
        }
    }
    return {};
}

// Keys that cut the collection into about equal pieces.
auto CollectionImages::cut(Connection& connection, const ImagedCollection& collection,
                           std::int64_t pieces) -> Result<std::vector<Document>> {
    std::vector<Document> borders;
    if (pieces <= 1) return borders;
    ArrayBuilder stages;
    stages.add(Document().add("$sample", Document().add("size", pieces * samples_per_range)))
        .add(Document().add("$project", Document().add("_id", 1)))
        .add(Document().add("$sort", Document().add("_id", 1)));
    Document aggregate;
    constexpr std::int64_t all_at_once = 1'000'000;
    aggregate.add("aggregate", collection.collection)
        .add_array("pipeline", stages.items())
        .add("cursor", Document().add("batchSize", all_at_once));
    const auto reply = TRY(connection.command(collection.database, aggregate));
    const auto batch = bson::find(reply.document("cursor"), "firstBatch");
    if (!batch || batch->type != bson::Type::array) return borders;
    bson::Reader reader(bson::as_document(*batch));
    std::int64_t count = 0;
    std::string last;
    for (bson::Element item; reader.next(item); ++count) {
        if (count == 0 || count % samples_per_range != 0 || item.type != bson::Type::document)
            continue;
        const auto id = bson::find(bson::as_document(item), "_id");
        // A sample may draw a document twice.
        if (!id || std::exchange(last, std::string(id->value)) == id->value) continue;
        borders.push_back(key_document(*id));
    }
    return borders;
}

auto CollectionImages::connection_of(std::size_t worker) -> Result<std::unique_ptr<Connection>> {
    auto connection =
        workers_.with([&](auto& workers) { return std::exchange(workers[worker], nullptr); });
    if (connection) return connection;
    return std::make_unique<Connection>(TRY(Connection::connect(options_.connect)));
}

auto CollectionImages::read(const Chunk& chunk, std::size_t worker, const BatchReceiver& receive,
                            const std::stop_token& stop) -> Result<void> {
    const auto& range = ranges_[chunk.number];
    const auto& collection = *find(range.table);
    TRY(note(chunk.number, false));
    auto connection = TRY(connection_of(worker));
    RowBuilder rows(collection.table, book_, options_.rules);
    const auto hand_over = [&]() -> Result<void> {
        auto batches = TRY(rows.finish());
        TRY(book_.save());
        for (auto& batch : batches) TRY(receive(std::move(batch)));
        return {};
    };
    // A table is there also while it is empty, once its columns are known.
    if (!range.min)
        if (const auto shape = book_.find(collection.table)) TRY(receive(TRY(empty_batch(*shape))));

    FindRequest find{collection.database, collection.collection, {}, to_timestamp(options_.point)};
    // By the index only where borders ask for it: a whole collection is read faster as it lies.
    if (range.min || range.max) find.options.add("hint", Document().add("_id", 1));
    if (range.min) find.options.add("min", *range.min);
    if (range.max) find.options.add("max", *range.max);
    // The server ends a range without `max` before this key.
    FindRequest greatest{collection.database, collection.collection, {}, find.after};
    greatest.options.add("filter", Document().add("_id", max_key));
    std::size_t bytes = 0;
    // Numbers no two rows of an image alike: chunk in the upper half.
    auto ordinal = chunk.number << 32U;
    const auto take = [&](std::string_view document) -> Result<void> {
        if (stop.stop_requested()) return stopped();
        TRY(rows.add({range.is_begun ? Op::replace : Op::snapshot, options_.point, ordinal++,
                      options_.time_us},
                     document));
        bytes += document.size();
        if (bytes < options_.batch_bytes) return {};
        bytes = 0;
        return hand_over();
    };
    TRY(find_all(*connection, find, take));
    if (range.min && !range.max) TRY(find_all(*connection, greatest, take));
    TRY(hand_over());
    workers_.with([&](auto& workers) { workers[worker] = std::move(connection); });
    return {};
}

auto CollectionImages::note_appended(const Chunk& chunk) -> Result<void> {
    return note(chunk.number, true);
}

}  // namespace leat::mongodb
