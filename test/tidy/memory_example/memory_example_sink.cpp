// The made-up sink that new_sink_test.py adds to a copy of the tree.
#include "sink/memory_example/memory_example_sink.hpp"

#include <arrow/record_batch.h>

#include <iterator>
#include <string>

namespace leat::memory_example {

auto MemoryExampleSink::make(const MemoryExampleConfig& config, const SinkContext&)
    -> Result<std::unique_ptr<MemoryExampleSink>> {
    return std::unique_ptr<MemoryExampleSink>(new MemoryExampleSink(config.rows_max));
}

auto MemoryExampleSink::open(const Identity&) -> Result<std::optional<Progress>> {
    for (const auto& batch : epoch_) rows_ -= static_cast<std::uint64_t>(batch.rows->num_rows());
    epoch_.clear();
    return progress_;
}

auto MemoryExampleSink::evolve(const SchemaPtr&) -> Result<void> { return {}; }

auto MemoryExampleSink::write(const Batch& batch) -> Result<Rejects> {
    const auto rows = static_cast<std::uint64_t>(batch.rows->num_rows());
    if (rows_ + rows > rows_max_) {
        return Error{Fault::fatal, "memory is full: " + std::to_string(rows_max_) + " rows",
                     "raise rows_max", {}};
    }
    rows_ += rows;
    epoch_.push_back(batch);
    return Rejects{};
}

auto MemoryExampleSink::commit(const Progress& progress) -> Result<void> {
    std::move(epoch_.begin(), epoch_.end(), std::back_inserter(committed_));
    epoch_.clear();
    progress_ = progress;
    return {};
}

auto MemoryExampleSink::adopt(Generation generation, const TableFilter& wanted) -> Result<void> {
    std::erase_if(committed_, [&](const Batch& batch) {
        const auto& schema = *batch.schema;
        return wanted(schema.name) && schema.generation != generation;
    });
    return {};
}

auto MemoryExampleSink::settle(Rest) -> Result<std::optional<Offsets>> {
    return progress_ ? std::optional(progress_->offsets) : std::nullopt;
}

}  // namespace leat::memory_example
