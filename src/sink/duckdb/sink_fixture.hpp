// For tests: a DuckDB file in a folder of its own, the sink over it, and what a reader sees.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "change/batch_fixture.hpp"
#include "sink/duckdb/duckdb_sink.hpp"

namespace leat::fixture {

// A folder that is removed with its contents.
class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "leat-duckdb-XXXXXX").string();
        CHECK(::mkdtemp(name.data()) != nullptr);
        path_ = name;
        std::filesystem::create_directory(path_ / "work");
    }
    Folder(const Folder&) = delete;
    auto operator=(const Folder&) -> Folder& = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] auto path() const -> const std::filesystem::path& { return path_; }
    [[nodiscard]] auto database() const -> std::filesystem::path { return path_ / "sink.duckdb"; }

private:
    std::filesystem::path path_;
};

template <class T>
auto must(Result<T> result) -> T {
    if (!result) ADD_FAILURE() << result.error().what;
    CHECK(result.has_value());
    if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

inline auto identity_of(Incarnation incarnation = 1) -> Identity {
    return {"shop", "warehouse", "queue-1", incarnation};
}

inline auto progress_at(std::uint64_t change_offset, Incarnation incarnation = 1) -> Progress {
    Progress progress;
    progress.offsets.generation = 1;
    progress.offsets.image_complete = true;
    progress.offsets.change_offset = change_offset;
    progress.position.commit = change_offset * 10;
    progress.incarnation = incarnation;
    return progress;
}

// The sink of a test, and short words for what tests do with it.
class SinkFixture {
public:
    explicit SinkFixture(const Folder& folder, DuckDbConfig config = {}) {
        config.path = folder.database();
        sink_ = must(DuckDbSink::make(config, {"shop", folder.path() / "work", &clock_}));
    }

    auto open(Incarnation incarnation = 1) -> std::optional<Progress> {
        return must(sink_->open(identity_of(incarnation)));
    }
    auto write(const Batch& batch) -> Rejects {
        must(sink_->evolve(batch.schema));
        return must(sink_->write(batch));
    }
    auto write(const BatchFixture& rows) -> Rejects { return write(rows.build()); }
    auto commit() -> std::optional<Offsets> {
        must(sink_->commit(progress_at(++offset_)));
        return must(sink_->settle(Rest::after_commit));
    }
    auto apply(const BatchFixture& rows) -> void {
        EXPECT_TRUE(write(rows).empty());
        commit();
    }
    auto query(const std::string& sql, std::size_t rows_max = 1000) -> Result<QueryResult> {
        return dynamic_cast<Queryable&>(*sink_).query(sql, rows_max);
    }
    // "a|b" per row, NULL as ∅.
    auto rows(const std::string& sql) -> std::vector<std::string> {
        std::vector<std::string> lines;
        for (const auto& row : must(query(sql)).rows) {
            std::string line;
            for (std::size_t i = 0; i < row.size(); ++i)
                line += (i == 0 ? "" : "|") + row[i].value_or("∅");
            lines.push_back(line);
        }
        return lines;
    }
    auto clock() -> ManualClock& { return clock_; }
    auto operator->() -> Sink* { return sink_.get(); }
    auto close() -> void { sink_.reset(); }

private:
    ManualClock clock_;
    std::unique_ptr<Sink> sink_;
    std::uint64_t offset_ = 0;
};

using Lines = std::vector<std::string>;

}  // namespace leat::fixture
