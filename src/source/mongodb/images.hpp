// CollectionImages: the documents of some collections as they are some time after a consistent
// point. Read in ranges of `_id`, in the order of the server's index, which spans all BSON types;
// what changed meanwhile is healed by the changes since the point, which come as whole documents.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/guarded.hpp"
#include "base/result.hpp"
#include "source/mongodb/client.hpp"
#include "source/mongodb/row_builder.hpp"
#include "source/source.hpp"

namespace leat::mongodb {

struct ImagedCollection {
    TableName table;
    std::string database;
    std::string collection;
};

struct ImageOptions {
    ConnectOptions connect;
    std::vector<ImagedCollection> collections;
    std::uint64_t point = 0;   // cluster time
    std::int64_t time_us = 0;  // when that was
    std::size_t batch_bytes = 1U << 20U;
    std::int64_t range_bytes = 64 << 20;  // of documents, about, in one range
    RowRules rules;
    std::filesystem::path plan;  // file of the ranges; beside it how far they have come
};

// Notes in the book what columns the oldest and the newest documents have.
auto look_at(Connection& connection, const ImagedCollection& collection, ShapeBook& book,
             const RowRules& rules) -> Result<void>;

class CollectionImages {
public:
    // Plans the ranges, and looks at some documents of each collection, so that most columns are
    // there before the first row.
    static auto make(ImageOptions options, ShapeBook& book)
        -> Result<std::unique_ptr<CollectionImages>>;

    // One that was left, by its plan: those of its ranges that are not there yet, of the
    // collections that are still wanted. Its point and time are those of then.
    static auto resume(ImageOptions options, ShapeBook& book)
        -> Result<std::unique_ptr<CollectionImages>>;

    [[nodiscard]] auto chunks() const -> const std::vector<Chunk>& { return chunks_; }
    [[nodiscard]] auto plan() const -> const std::filesystem::path& { return options_.plan; }

    // Any thread; a worker number is used by one thread at a time.
    auto read(const Chunk& chunk, std::size_t worker, const BatchReceiver& receive,
              const std::stop_token& stop) -> Result<void>;
    // All of it is in the queue.
    auto note_appended(const Chunk& chunk) -> Result<void>;

private:
    // From `min` on, up to but not with `max`: documents of one element; empty: open-ended.
    struct Range {
        TableName table;
        std::optional<Document> min;
        std::optional<Document> max;
        std::uint64_t documents = 0;  // about
        bool is_begun = false;        // by an earlier process: some of its rows may be there
    };

    CollectionImages(ImageOptions options, ShapeBook& book)
        : options_(std::move(options)), book_(book) {}
    auto plan_ranges(Connection& connection) -> Result<void>;
    auto cut(Connection& connection, const ImagedCollection& collection, std::int64_t pieces)
        -> Result<std::vector<Document>>;
    auto add_chunk(std::size_t range) -> void;
    auto write_plan() const -> Result<void>;
    auto read_plan() -> Result<void>;
    auto note(std::uint64_t range, bool is_there) -> Result<void>;
    [[nodiscard]] auto find(const TableName& table) const -> const ImagedCollection*;
    auto connection_of(std::size_t worker) -> Result<std::unique_ptr<Connection>>;

    ImageOptions options_;
    ShapeBook& book_;
    std::vector<Chunk> chunks_;
    std::vector<Range> ranges_;  // by a chunk's number
    Guarded<std::map<std::size_t, std::unique_ptr<Connection>>> workers_;
    std::mutex journal_;  // one number after the other
};

}  // namespace leat::mongodb
