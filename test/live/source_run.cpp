// Driving a source the way the engine does.
#include "source_run.hpp"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "queue/queue.hpp"

namespace leat::live {

namespace {

// The right to make proofs, for tests that stand in for a queue.
class Prover : public Queue {
public:
    static auto prove(const Position& position) -> Durable { return proof(position); }
};

auto value_text(const arrow::Array& array, std::int64_t row) -> std::string {
    if (array.IsNull(row)) return "-";
    return (*array.GetScalar(row))->ToString();
}

auto before_text(const arrow::Array& before, std::int64_t row) -> std::string {
    if (before.IsNull(row)) return {};
    const auto& parts = static_cast<const arrow::StructArray&>(before);
    std::string text;
    for (int i = 0; i < parts.num_fields(); ++i)
        text += (i == 0 ? "" : "|") + value_text(*parts.field(i), row);
    return " (" + text + ")";
}

auto was_sent(const arrow::Array& unchanged, std::int64_t row, int column) -> bool {
    if (unchanged.IsNull(row)) return true;
    const auto& bits = static_cast<const arrow::FixedSizeBinaryArray&>(unchanged);
    return (bits.GetValue(row)[column / 8] >> (column % 8) & 1) == 0;
}

}  // namespace

auto row_texts(const Batch& batch) -> std::vector<std::string> {
    EXPECT_TRUE(batch.rows->ValidateFull().ok()) << batch.rows->ValidateFull().ToString();
    std::vector<std::string> texts;
    const auto& rows = *batch.rows;
    for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
        const auto op = static_cast<const arrow::UInt8Array&>(*rows.column(op_column)).Value(row);
        std::string text(1, static_cast<char>(op));
        for (int i = first_table_column; i < rows.num_columns(); ++i) {
            text += i == first_table_column ? " " : "|";
            const bool sent = was_sent(*rows.column(unchanged_column), row, i - first_table_column);
            text += sent ? value_text(*rows.column(i), row) : "?";
        }
        texts.push_back(text + before_text(*rows.column(before_column), row));
    }
    return texts;
}

auto row_texts(const std::vector<Frame>& frames) -> std::vector<std::string> {
    std::vector<std::string> texts;
    for (const auto& frame : frames)
        for (const auto& batch : frame.batches)
            for (auto& text : row_texts(batch)) texts.push_back(std::move(text));
    return texts;
}

SourceRun::SourceRun(const std::string& uri, std::vector<std::string> tables, std::string pipeline)
    : pipeline_(std::move(pipeline)) {
    config.uri = config::Secret(uri);
    config.tables = std::move(tables);
    static int count = 0;
    // Slots are shared by all databases of the server.
    config.slot = "leat_" + pipeline_ + std::to_string(++count);
    std::string pattern = std::filesystem::temp_directory_path() / "leat-work-XXXXXX";
    work_dir_ = mkdtemp(pattern.data());
}

SourceRun::~SourceRun() {
    // Only a walsender that has not noticed yet that we went is worth waiting for.
    if (make())
        eventually([&] {
            const auto removed = source_->remove();
            return removed || removed.error().what.find("active") == std::string::npos;
        });
    source_.reset();
    std::filesystem::remove_all(work_dir_);
}

auto SourceRun::make() -> Result<void> {
    source_.reset();
    source_ = TRY(postgres::PostgresSource::make(config, {pipeline_, work_dir_, &clock_}));
    return {};
}

auto SourceRun::open() -> Result<void> {
    TRY(make());
    tables_ = TRY(source_->open(std::nullopt)).tables;
    return {};
}

auto SourceRun::reopen() -> Result<void> {
    TRY(make());
    Resume resume{position_, {}};
    for (const auto& [name, schema] : schemas_) resume.schemas.push_back(schema);
    auto opened = TRY(source_->open(resume));
    if (opened.gap) return *opened.gap;
    tables_ = std::move(opened.tables);
    return {};
}

auto SourceRun::start() -> std::vector<std::string> {
    const auto opened = open();
    EXPECT_TRUE(opened.has_value()) << opened.error().what;
    if (!opened) return {};
    auto image = take_image();
    EXPECT_TRUE(image.has_value()) << image.error().what;
    return image ? *std::move(image) : std::vector<std::string>();
}

auto SourceRun::take_image(SnapshotRequest request) -> Result<std::vector<std::string>> {
    if (request.tables.empty()) request.tables = tables_;
    position_ = TRY(source_->begin(request));
    std::vector<std::string> image;
    for (const auto& chunk : TRY(source_->chunks())) {
        schemas_[chunk.schema->name] = chunk.schema;
        const auto receive = [&](const Batch& batch) -> Result<void> {
            for (auto& text : row_texts(batch)) image.push_back(std::move(text));
            return {};
        };
        TRY(source_->read_chunk(chunk, 0, receive, {}));
    }
    EXPECT_EQ(TRY(source_->end()), position_);
    std::sort(image.begin(), image.end());
    return image;
}

auto SourceRun::read_one(std::chrono::milliseconds limit) -> Result<Frame> {
    std::stop_source stop;
    std::mutex mutex;
    const std::jthread watch([&](const std::stop_token& done) {
        std::unique_lock lock(mutex);
        std::condition_variable_any().wait_for(lock, done, limit, [] { return false; });
        if (!done.stop_requested()) stop.request_stop();
    });
    return source_->read(stop.get_token());
}

auto SourceRun::read_all() -> std::vector<Frame> {
    const auto head = source_->head();
    EXPECT_TRUE(head.has_value()) << head.error().what;
    std::vector<Frame> frames;
    bool whole = true;
    while (head && (position_ < *head || !whole)) {
        auto frame = read_one();
        EXPECT_TRUE(frame.has_value()) << frame.error().what << " " << frame.error().hint;
        if (!frame) break;
        accept(*frame);
        whole = frame->ends_transaction;
        if (frame->kind == FrameKind::changes) frames.push_back(*std::move(frame));
    }
    return frames;
}

auto SourceRun::remember(const Frame& frame) -> void {
    EXPECT_LE(frame.first, frame.last);
    EXPECT_LT(position_, frame.last);
    for (const auto& batch : frame.batches) schemas_[batch.schema->name] = batch.schema;
    position_ = frame.last;
}

auto SourceRun::accept(const Frame& frame) -> void {
    remember(frame);
    if (frame.ends_transaction) {
        const auto confirmed = source_->confirm(Prover::prove(frame.last));
        EXPECT_TRUE(confirmed.has_value());
    }
}

auto SourceRun::schema(const std::string& table) const -> SchemaPtr {
    return schemas_.at({"public", table});
}

auto SourceRun::slot() const -> std::string { return config.slot; }

auto eventually(const std::function<bool()>& condition) -> bool {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
}

}  // namespace leat::live
