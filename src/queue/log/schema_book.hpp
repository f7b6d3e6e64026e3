// SchemaBook: every Arrow schema that this process has written or found in the log, under the
// number by which frames name it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "change/batch.hpp"

namespace leat::log_queue {

// Thread-safe. Numbers are never given twice within a process; on disk they hold for one segment.
class SchemaBook {
public:
    // The number of the exact schema of this batch. An error when the batch is not of its schema.
    auto number_of(const Batch& batch) -> Result<std::uint32_t>;
    // Found in a segment.
    auto learn(std::uint32_t number, std::string message, SchemaPtr table) -> void;

    // The IPC message under a number that is known.
    auto message(std::uint32_t number) const -> std::string;

    // Which version of which table stands behind a number.
    auto table(std::uint32_t number) const -> SchemaPtr;

private:
    struct Entry {
        std::string message;
        SchemaPtr table;
    };
    struct Exact {
        SchemaPtr table;  // kept, so that the address stays its own
        int shape = 0;
        friend auto operator==(const Exact&, const Exact&) -> bool = default;
    };
    struct Hash {
        auto operator()(const Exact& exact) const -> std::size_t {
            return std::hash<SchemaPtr>()(exact.table) + static_cast<std::size_t>(exact.shape);
        }
    };
    struct Known {
        std::uint32_t number = 0;
        std::shared_ptr<arrow::Schema> arrow;
    };

    mutable std::mutex mutex_;
    std::map<std::uint32_t, Entry> entries_;
    std::unordered_map<std::string, std::uint32_t> by_message_;
    std::unordered_map<Exact, Known, Hash> by_table_;
    std::uint32_t next_ = 1;
};

}  // namespace leat::log_queue
