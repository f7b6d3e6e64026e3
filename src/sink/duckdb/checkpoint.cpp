// Checkpoint policy of the DuckDB sink.
#include "sink/duckdb/checkpoint.hpp"

#include <algorithm>
#include <system_error>

#include "base/failpoint.hpp"

namespace leat::duckdb {

namespace {

// A lane at work makes one at this size of the log, as long as that takes no more than one part in
// `busy_share` of the time.
constexpr std::uint64_t busy_bytes = 16ULL << 20U;
constexpr int busy_share = 4;
// Idle checkpoints take at most one part in this many of the time, and come at most this often.
constexpr int idle_share = 100;
constexpr Duration idle_interval = std::chrono::seconds(5);

}  // namespace

Checkpoints::Checkpoints(const std::filesystem::path& database, std::uint64_t wal_bytes_max,
                         const Clock& clock)
    : wal_(database.string() + ".wal"), wal_bytes_max_(wal_bytes_max), clock_(clock) {}

auto Checkpoints::wal_bytes() const -> std::uint64_t {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(wal_, error);
    return error ? 0 : bytes;
}

auto Checkpoints::opened(const std::optional<Offsets>& offsets) -> void {
    committed_ = offsets;
    // Without a log beside it, the file holds everything.
    safe_ = wal_bytes() == 0 ? offsets : std::nullopt;
}

auto Checkpoints::is_due(Rest rest) const -> bool {
    const auto bytes = wal_bytes();
    if (bytes >= wal_bytes_max_) return true;
    const auto since = clock_.steady() - ended_;
    if (rest == Rest::idle)
        return bytes > 0 && since >= std::max(idle_interval, cost_ * idle_share);
    return bytes >= busy_bytes && since >= cost_ * busy_share;
}

auto Checkpoints::run(Connection& connection) -> Result<bool> {
    if (wal_bytes() == 0) {
        safe_ = committed_;
        return true;
    }
    failpoint("duckdb.before_checkpoint");
    const auto began = clock_.steady();
    const auto done = connection.execute("CHECKPOINT");
    ended_ = clock_.steady();
    cost_ = ended_ - began;
    if (!done && done.error().what.find("Cannot CHECKPOINT") != std::string::npos) return false;
    if (!done) {
        auto error = done.error();
        error.what = "checkpoint: " + error.what;
        return error;
    }
    failpoint("duckdb.after_checkpoint");
    safe_ = committed_;
    return true;
}

}  // namespace leat::duckdb
