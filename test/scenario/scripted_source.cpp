// Frames out of the server's log: several small transactions in one, or one over several.
#include "scenario/scripted_source.hpp"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

namespace leat::scenario {

namespace {

auto ordinal_at(const Batch& batch, std::int64_t row) -> std::uint64_t {
    return static_cast<const arrow::UInt64Array&>(*batch.rows->column(ordinal_column)).Value(row);
}

}  // namespace

class ScriptedSource final : public Source, public Snapshots {
public:
    explicit ScriptedSource(ScriptedServer& server) : server_(server) {}

    auto open(const std::optional<Resume>& resume) -> Result<Opened> override {
        if (auto failure = server_.plan_(Step::open)) return scripted_error(*failure);
        const std::lock_guard lock(server_.mutex_);
        captured_ = server_.captured_;
        Opened opened{captured_, std::nullopt};
        for (const auto& table : captured_) known_[table] = server_.last_commit_;
        if (!resume) return opened;
        for (const auto& schema : resume->schemas) known_[schema->name] = 0;
        for (const auto& [table, image] : resume->images)
            known_[table] = std::max(known_[table], image.commit);
        if (server_.is_lost_) {
            opened.gap = Error{Fault::fatal, "slot is gone", "Read the test.", ""};
            return opened;
        }
        const auto& from = resume->position;
        if (from.lineage != server_.lineage_)
            return Error{Fault::fatal, "another lineage: " + to_string(from), "", ""};
        if (server_.confirmed_ && from.commit < server_.confirmed_->commit)
            return Error{Fault::fatal, "transactions are lost: confirmed before they were durable",
                         "", ""};
        next_ = index_after(from.commit);
        return opened;
    }

    auto read(const std::stop_token& stop) -> Result<Frame> override {
        if (auto failure = server_.plan_(Step::read)) return scripted_error(*failure);
        std::unique_lock lock(server_.mutex_);
        if (next_ == server_.log_.size() && !idle_) {
            idle_ = true;
            return position_frame();
        }
        server_.changed_.wait(lock, stop, [&] { return next_ < server_.log_.size(); });
        if (next_ == server_.log_.size()) return Error{Fault::retry, "stopped", "", ""};
        idle_ = false;
        for (const auto& [table, commit] : server_.spoiled_)
            if (captured_.contains(table) && known_[table] < commit &&
                server_.log_[next_].commit > commit)
                stale_.insert(table);
        if (!stale_.empty()) return Error{Fault::retry, "a table cannot be followed", "", ""};
        return next_frame();
    }

    auto confirm(const Durable& durable) -> Result<void> override {
        const std::lock_guard lock(server_.mutex_);
        const auto& position = durable.position();
        // Of a generation before, or a marker of this one: nothing of this log.
        if (position.lineage != server_.lineage_ || position.commit == 0) return {};
        if (server_.confirmed_ && position.commit < server_.confirmed_->commit)
            return Error{Fault::fatal, "confirmed backwards: " + to_string(position), "", ""};
        server_.confirmed_ = position;
        return {};
    }

    auto head() -> Result<Position> override { return server_.head(); }

    auto begin(const SnapshotRequest& request) -> Result<Position> override {
        const std::lock_guard lock(server_.mutex_);
        server_.tables_read_.push_back(request.tables);
        const auto point = server_.last_commit_;
        image_.clear();
        for (auto& rows : server_.workload_.image(point, request.generation))
            if (request.tables.contains(rows.schema()->name)) image_.push_back(std::move(rows));
        if (request.is_anew) {
            server_.lineage_ = request.lineage;
            server_.generation_ = request.generation;
            server_.confirmed_.reset();
            server_.is_lost_ = false;
            next_ = server_.log_.size();
            for (const auto& table : captured_) known_[table] = point;
        }
        return Position{server_.lineage_, point, 0, "point"};
    }
    auto chunks() -> Result<std::vector<Chunk>> override {
        std::vector<Chunk> chunks;
        for (const auto& rows : image_) {
            Chunk chunk;
            chunk.schema = rows.build().schema;
            chunk.number = chunks.size();
            chunk.rows_estimate = rows.size();
            chunks.push_back(chunk);
        }
        return chunks;
    }
    auto read_chunk(const Chunk& chunk, std::size_t /*worker*/, const BatchReceiver& receive,
                    const std::stop_token& stop) -> Result<void> override {
        const auto batch = image_.at(chunk.number).build();
        // In two pieces, so that an image can be interrupted within a table.
        const auto half = batch.rows->num_rows() / 2;
        for (const auto& rows : {batch.rows->Slice(0, half), batch.rows->Slice(half)}) {
            if (auto failure = server_.plan_(Step::snapshot)) return scripted_error(*failure);
            if (stop.stop_requested()) return Error{Fault::retry, "stopped", "", ""};
            TRY(receive(Batch{batch.schema, rows}));
        }
        return {};
    }
    auto end() -> Result<Position> override { return server_.head(); }
    [[nodiscard]] auto stale() const -> std::set<TableName> override { return stale_; }

private:
    auto index_after(std::uint64_t commit) const -> std::size_t {
        const auto& log = server_.log_;
        const auto at = std::find_if(log.begin(), log.end(), [&](const auto& transaction) {
            return transaction.commit > commit;
        });
        return static_cast<std::size_t>(at - log.begin());
    }

    auto position_frame() const -> Frame {
        Frame frame;
        frame.kind = FrameKind::position;
        frame.first = frame.last = {server_.lineage_, server_.last_commit_ + 1, 0, "idle"};
        frame.commit_time_us = static_cast<std::int64_t>(server_.last_commit_) * 1000;
        return frame;
    }

    auto build(const fixture::BatchFixture& rows) const -> Batch {
        auto schema = std::make_shared<TableSchema>(*rows.schema());
        schema->generation = server_.generation_;
        return rows.with_schema(std::move(schema)).build();
    }

    // One transaction in pieces, or up to three whole ones.
    auto next_frame() -> Frame {
        Frame frame;
        const bool in_pieces = part_ > 0 || server_.random_() % 3 == 0;
        const auto& transaction = server_.log_[next_];
        if (in_pieces) {
            const auto parts = transaction.changes.size();
            const auto end = std::min(parts, part_ + 1 + server_.random_() % 3);
            for (; part_ < end; ++part_) frame.batches.push_back(build(transaction.changes[part_]));
            frame.ends_transaction = part_ == parts;
            if (frame.ends_transaction) {
                part_ = 0;
                ++next_;
            }
        } else {
            for (auto left = 1 + server_.random_() % 3; left > 0 && next_ < server_.log_.size();
                 --left, ++next_)
                for (const auto& rows : server_.log_[next_].changes)
                    frame.batches.push_back(build(rows));
        }
        const auto& last = frame.batches.back();
        frame.first = position_of(frame.batches.front(), 0);
        frame.last = position_of(last, last.rows->num_rows() - 1);
        frame.last.token = "token";
        frame.commit_time_us = static_cast<std::int64_t>(frame.last.commit) * 1000;
        std::erase_if(frame.batches,
                      [&](const Batch& batch) { return !captured_.contains(batch.schema->name); });
        return frame;
    }

    auto position_of(const Batch& batch, std::int64_t row) const -> Position {
        const auto& commits =
            static_cast<const arrow::UInt64Array&>(*batch.rows->column(commit_column));
        return {server_.lineage_, commits.Value(row), ordinal_at(batch, row), ""};
    }

    ScriptedServer& server_;
    std::set<TableName> captured_;
    std::set<TableName> stale_;
    std::map<TableName, std::uint64_t> known_;  // the commit up to which the table is as we know it
    Changes image_;
    std::size_t next_ = 0;
    std::size_t part_ = 0;  // of the transaction at next_
    bool idle_ = false;
};

ScriptedServer::ScriptedServer(std::uint64_t seed, FaultPlan plan)
    : plan_(plan ? std::move(plan) : [](Step) { return std::optional<Failure>(); }),
      random_(seed),
      workload_(seed) {
    for (const auto& rows : workload_.image(0, 0)) captured_.insert(rows.schema()->name);
}

auto ScriptedServer::capture(std::set<TableName> tables) -> void {
    const std::lock_guard lock(mutex_);
    captured_ = std::move(tables);
}

auto ScriptedServer::lose_position() -> void {
    const std::lock_guard lock(mutex_);
    is_lost_ = true;
}

auto ScriptedServer::spoil(const TableName& table) -> void {
    const std::lock_guard lock(mutex_);
    last_commit_ += 10;
    spoiled_[table] = last_commit_;
}

auto ScriptedServer::commit(int transactions) -> void {
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < transactions; ++i) {
        last_commit_ += 10;
        log_.push_back({last_commit_, workload_.transaction(last_commit_)});
    }
    changed_.notify_all();
}

auto ScriptedServer::make_source() -> std::unique_ptr<Source> {
    return std::make_unique<ScriptedSource>(*this);
}

auto ScriptedServer::tables() const -> Tables {
    const std::lock_guard lock(mutex_);
    return workload_.tables();
}

auto ScriptedServer::head() const -> Position {
    const std::lock_guard lock(mutex_);
    return {lineage_, last_commit_, 0, ""};
}

auto ScriptedServer::confirmed() const -> std::optional<Position> {
    const std::lock_guard lock(mutex_);
    return confirmed_;
}

auto ScriptedServer::snapshots_begun() const -> int {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(tables_read_.size());
}

auto ScriptedServer::tables_read() const -> std::vector<std::set<TableName>> {
    const std::lock_guard lock(mutex_);
    return tables_read_;
}

}  // namespace leat::scenario
