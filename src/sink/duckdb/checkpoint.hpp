// When DuckDB's write-ahead log goes into the file, and how far the file alone is safe. DuckDB's
// own trigger is off: a checkpoint would fall into some commit and stall it. What a checkpoint
// costs goes with the size of the log: many small ones hold up the lane for less time each than one
// large one, at the same price.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/progress.hpp"
#include "sink/duckdb/client.hpp"
#include "sink/sink.hpp"

namespace leat::duckdb {

// Owned and used by the lane's thread.
class Checkpoints {
public:
    Checkpoints(const std::filesystem::path& database, std::uint64_t wal_bytes_max,
                const Clock& clock);

    // The database was opened and stands at these offsets (nothing: empty).
    auto opened(const std::optional<Offsets>& offsets) -> void;
    auto committed(const Offsets& offsets) -> void { committed_ = offsets; }

    // The log has reached its bound; or it is worth it and the last checkpoint is so long ago,
    // measured by what it cost, that checkpoints stay a small share of the time.
    [[nodiscard]] auto is_due(Rest rest) const -> bool;
    // False: put off, because a query still reads what was before a schema change.
    auto run(Connection& connection) -> Result<bool>;

    [[nodiscard]] auto safe() const -> const std::optional<Offsets>& { return safe_; }
    [[nodiscard]] auto wal_bytes() const -> std::uint64_t;

private:
    std::filesystem::path wal_;
    std::uint64_t wal_bytes_max_;
    const Clock& clock_;
    std::optional<Offsets> committed_;
    std::optional<Offsets> safe_;
    Duration ended_{};
    Duration cost_{};
};

}  // namespace leat::duckdb
