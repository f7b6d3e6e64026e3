// The made-up sink that new_sink_test.py adds to a copy of the tree: keeps committed batches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sink/memory_example/config.hpp"
#include "sink/sink.hpp"

namespace leat::memory_example {

class MemoryExampleSink final : public Sink {
public:
    static auto make(const MemoryExampleConfig& config, const SinkContext& context)
        -> Result<std::unique_ptr<MemoryExampleSink>>;

    auto open(const Identity& identity) -> Result<std::optional<Progress>> override;
    auto evolve(const SchemaPtr& schema) -> Result<void> override;
    auto write(const Batch& batch) -> Result<Rejects> override;
    auto commit(const Progress& progress) -> Result<void> override;
    auto adopt(Generation generation, const TableFilter& wanted) -> Result<void> override;
    auto settle(Rest rest) -> Result<std::optional<Offsets>> override;

private:
    explicit MemoryExampleSink(std::uint64_t rows_max) : rows_max_(rows_max) {}

    std::uint64_t rows_max_;
    std::uint64_t rows_ = 0;
    std::vector<Batch> epoch_;
    std::vector<Batch> committed_;
    std::optional<Progress> progress_;
};

}  // namespace leat::memory_example
