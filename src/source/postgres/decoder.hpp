// Decoder: received messages → rows in frames. Knows transactions: ordinary ones, large ones that
// go through a spill file, and streamed ones that wait in theirs until they commit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/result.hpp"
#include "change/frame.hpp"
#include "format/pgoutput/message.hpp"
#include "source/postgres/frame_builder.hpp"
#include "source/postgres/receiver.hpp"
#include "source/postgres/relations.hpp"
#include "source/postgres/spill.hpp"

namespace leat::postgres {

struct DecoderOptions {
    std::filesystem::path work_dir;
    // A frame of whole transactions is closed at this size.
    std::size_t frame_bytes = 1U << 20U;
    // A larger transaction leaves in parts of about this size.
    std::size_t part_bytes = 4U << 20U;
    // What of an uncommitted transaction stays in memory; the rest goes to a spill file.
    std::size_t open_bytes_max = 16U << 20U;
};

// One thread. Use: take() frames; when there is none, advance(); when that says that all is
// consumed, feed() the next chunk.
class Decoder {
public:
    Decoder(Relations relations, FrameBuilder frames, DecoderOptions options);

    auto feed(MessageChunk chunk) -> void;
    // Goes on until a frame is ready (true) or everything fed is consumed (false).
    auto advance() -> Result<bool>;
    auto take() -> std::optional<Frame> { return frames_.take(); }

    // Whole transactions are waiting for more to join their frame.
    [[nodiscard]] auto has_whole() const -> bool { return frames_.has_whole(); }
    [[nodiscard]] auto gathered_bytes() const -> std::size_t { return frames_.bytes(); }
    auto close_frame() -> Result<void> { return frames_.close(); }
    // The server has told everything up to here, and no transaction is open in the stream.
    [[nodiscard]] auto told() const -> Lsn { return told_; }
    [[nodiscard]] auto stale() const -> const std::set<TableName>& { return relations_.stale(); }
    [[nodiscard]] auto commit_time_us() const -> std::int64_t { return commit_time_us_; }

    // Rows that were left out since the last call.
    auto take_passed_over() -> std::vector<PassedOver> { return std::exchange(passed_over_, {}); }

    // The transactions with partial rows, by commit; those before `commit` may be forgotten.
    [[nodiscard]] auto partial_commits() const -> const std::map<std::uint64_t, std::uint32_t>& {
        return partial_commits_;
    }
    auto forget_partial_before(std::uint64_t commit) -> void {
        partial_commits_.erase(partial_commits_.begin(), partial_commits_.lower_bound(commit));
    }

private:
    // A transaction that is read back from its file, its commit known.
    struct Replay {
        std::unique_ptr<SpillFile> file;
        bool streamed = false;
        FrameBuilder::CommitPoint point;
    };

    auto consume(std::string_view bytes) -> Result<void>;
    auto control(const pgoutput::Message& message) -> Result<void>;
    auto end_transaction(const FrameBuilder::CommitPoint& point) -> Result<void>;
    auto note_partial(const FrameBuilder::CommitPoint& point) -> void;
    auto start_stream_block(const pgoutput::StreamStart& start) -> Result<void>;
    auto abort_stream(const pgoutput::StreamAbort& abort) -> void;
    auto commit_stream(const pgoutput::StreamCommit& commit) -> Result<void>;
    auto replay_some() -> Result<bool>;

    // A description that is of use only for transactions that commit later.
    struct HeldBack {
        TableName table;
        std::string bytes;
        bool streamed = false;
    };

    auto apply(const pgoutput::Message& message, std::string_view bytes) -> Result<void>;
    auto relate(const pgoutput::Relation& relation, std::string_view bytes) -> Result<void>;
    auto relate_held_back(std::uint32_t oid) -> Result<void>;
    [[nodiscard]] auto is_streamed() const -> bool { return replay_ && replay_->streamed; }
    auto truncate(const pgoutput::Truncate& truncation) -> Result<void>;
    template <class AppendRow>
    auto add_row(std::uint32_t oid, std::size_t bytes, AppendRow append) -> Result<void>;
    // Into the builder, in the shape of the table (decoder_fit.cpp).
    auto insert(TableBuilder& table, const pgoutput::Insert& insert, std::uint64_t ordinal)
        -> TableBuilder::Outcome;
    auto update(TableBuilder& table, const pgoutput::Update& update, std::uint64_t ordinal)
        -> TableBuilder::Outcome;
    auto remove(TableBuilder& table, const pgoutput::Delete& removal, std::uint64_t ordinal)
        -> TableBuilder::Outcome;
    auto is_discarded(const TableBuilder& table, const RowFit::Fitted& row) const -> bool;
    auto pass_over(const TableName& table, const char* reason, bool goes_on = false) -> void;
    auto make_room() -> Result<void>;
    auto recover(TableBuilder& table, const RowProblem& problem) -> Result<TableBuilder*>;
    auto find_table(std::uint32_t oid) -> Result<TableBuilder*>;

    Relations relations_;
    FrameBuilder frames_;
    const DecoderOptions options_;

    MessageChunk chunk_;
    std::size_t chunk_at_ = 0;

    // Null: a table that is not captured.
    std::unordered_map<std::uint32_t, std::unique_ptr<TableBuilder>> tables_;
    std::unordered_map<std::uint32_t, HeldBack> held_back_;
    std::uint32_t last_oid_ = 0;
    TableBuilder* last_table_ = nullptr;

    bool in_transaction_ = false;
    std::uint32_t xid_ = 0;  // of the transaction whose changes are applied
    Lsn commit_;             // not beyond the end of its commit
    std::int64_t commit_time_us_ = 0;
    Lsn told_;
    std::string fitted_;  // the row at hand in the shape of its table
    std::string fitted_old_;
    bool is_discarded_ = false;  // the row at hand
    std::vector<PassedOver> passed_over_;
    bool has_partial_ = false;  // the transaction whose changes are applied
    std::map<std::uint64_t, std::uint32_t> partial_commits_;       // xid by commit
    std::unique_ptr<SpillFile> overflow_;                          // rest of the open transaction
    std::map<std::uint32_t, std::unique_ptr<SpillFile>> streams_;  // by top transaction
    SpillFile* block_ = nullptr;                                   // inside a stream block
    std::optional<Replay> replay_;
};

}  // namespace leat::postgres
