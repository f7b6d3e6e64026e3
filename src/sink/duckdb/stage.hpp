// Stage: the batches of the open epoch, in order, until commit applies them. In memory up to a
// budget, beyond it in a file without a name, so that an epoch of any size needs bounded memory and
// a crash leaves nothing behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "change/batch.hpp"

namespace leat::duckdb {

// Owned and used by the lane's thread.
class Stage {
public:
    Stage(std::filesystem::path folder, std::size_t bytes_max)
        : folder_(std::move(folder)), bytes_max_(bytes_max) {}
    Stage(const Stage&) = delete;
    auto operator=(const Stage&) -> Stage& = delete;
    ~Stage() { clear(); }

    auto add(const Batch& batch) -> Result<void>;
    // Forgets everything and gives the file's space back.
    auto clear() -> void;

    [[nodiscard]] auto size() const -> std::size_t { return entries_.size(); }
    [[nodiscard]] auto schema(std::size_t index) const -> const SchemaPtr& {
        return entries_[index].batch.schema;
    }
    [[nodiscard]] auto rows(std::size_t index) const -> std::int64_t {
        return entries_[index].rows;
    }
    [[nodiscard]] auto bytes(std::size_t index) const -> std::size_t {
        return entries_[index].bytes;
    }
    // Any number of times.
    [[nodiscard]] auto read(std::size_t index) const -> Result<Batch>;
    // Bytes in the file.
    [[nodiscard]] auto spilled() const -> std::uint64_t { return file_bytes_; }

private:
    // In memory: batch.rows is set. In the file: its layout and place.
    struct Entry {
        Batch batch;
        std::int64_t rows = 0;
        std::size_t bytes = 0;
        std::shared_ptr<arrow::Schema> layout;
        std::uint64_t offset = 0;
    };
    auto spill(Entry& entry) -> Result<void>;

    std::filesystem::path folder_;
    std::size_t bytes_max_;
    std::vector<Entry> entries_;
    std::size_t memory_bytes_ = 0;
    int file_ = -1;
    std::uint64_t file_bytes_ = 0;
};

}  // namespace leat::duckdb
