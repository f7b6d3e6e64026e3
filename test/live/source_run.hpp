// SourceRun: one PostgresSource under test, with what it hands out turned into lines of text that
// a test can compare.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "source/postgres/postgres_source.hpp"

namespace leat::live {

// A row as text: op, then the columns; "-" NULL, "?" not sent, "(…)" the old identity:
// "U 1|b|? (7)".
auto row_texts(const Batch& batch) -> std::vector<std::string>;
auto row_texts(const std::vector<Frame>& frames) -> std::vector<std::string>;

// The system's time, which a test can put forward.
class TestClock final : public Clock {
public:
    [[nodiscard]] auto steady() const -> Duration override {
        return SystemClock().steady() + ahead_.load();
    }
    [[nodiscard]] auto wall_us() const -> std::int64_t override { return SystemClock().wall_us(); }
    auto advance(Duration by) -> void { ahead_ = ahead_.load() + by; }

private:
    std::atomic<Duration> ahead_{Duration::zero()};
};

class SourceRun {
public:
    SourceRun(const std::string& uri, std::vector<std::string> tables,
              std::string pipeline = "test");
    ~SourceRun();

    postgres::PostgresConfig config;

    // Makes the source anew and opens it: fresh, or where this run's confirmed state stands.
    auto open() -> Result<void>;
    auto reopen() -> Result<void>;
    // open(), begin(), all chunks, end(): the rows of the image, sorted.
    auto start() -> std::vector<std::string>;
    auto take_image(SnapshotRequest request = {}) -> Result<std::vector<std::string>>;
    auto close() -> void { source_.reset(); }

    // Reads until everything committed before this call has come; position frames left out.
    auto read_all() -> std::vector<Frame>;
    // Reads one frame, or gives the error.
    auto read_one(std::chrono::milliseconds limit = std::chrono::seconds(20)) -> Result<Frame>;
    // Everything up to the frame is durable: confirms, and resumes from there next time.
    auto accept(const Frame& frame) -> void;

    // For the image of all tables.
    [[nodiscard]] auto request() const -> SnapshotRequest {
        SnapshotRequest all;
        all.tables = tables_;
        return all;
    }
    // Time as the source knows it goes on by this.
    auto advance_clock(Duration by) -> void { clock_.advance(by); }
    auto source() -> postgres::PostgresSource& { return *source_; }
    [[nodiscard]] auto schema(const std::string& table) const -> SchemaPtr;
    [[nodiscard]] auto slot() const -> std::string;
    [[nodiscard]] auto position() const -> const Position& { return position_; }
    auto adopt_schemas(const SourceRun& other) -> void { schemas_ = other.schemas_; }
    // As the engine does with a table that is stale.
    auto forget_schema(const std::string& table) -> void { schemas_.erase({"public", table}); }
    auto remember(const SchemaPtr& schema) -> void { schemas_[schema->name] = schema; }
    auto set_position(Position position) -> void { position_ = std::move(position); }
    [[nodiscard]] auto work_dir() const -> const std::filesystem::path& { return work_dir_; }

private:
    auto remember(const Frame& frame) -> void;
    auto make() -> Result<void>;

    std::string pipeline_;
    std::filesystem::path work_dir_;
    TestClock clock_;
    std::unique_ptr<postgres::PostgresSource> source_;
    Position position_;
    std::map<TableName, SchemaPtr> schemas_;
    std::set<TableName> tables_;  // that the source carries
};

// Waits until `condition` holds, at most 20 s.
auto eventually(const std::function<bool()>& condition) -> bool;

}  // namespace leat::live
