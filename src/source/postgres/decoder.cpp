// Transactions of the stream: what is applied at once, what is spilled, what is read back. Rows are
// in decoder_rows.cpp. Protocol: "Logical Streaming Replication Protocol", message flow.
#include "source/postgres/decoder.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <variant>

#include "base/bytes.hpp"
#include "base/failpoint.hpp"

namespace leat::postgres {

Decoder::Decoder(Relations relations, FrameBuilder frames, DecoderOptions options)
    : relations_(std::move(relations)), frames_(std::move(frames)), options_(std::move(options)) {}

auto Decoder::feed(MessageChunk chunk) -> void {
    chunk_ = std::move(chunk);
    chunk_at_ = 0;
}

auto Decoder::advance() -> Result<bool> {
    while (true) {
        if (frames_.has_ready()) return true;
        if (replay_) {
            if (TRY(replay_some())) continue;
        }
        if (chunk_at_ >= chunk_.bytes.size()) return false;
        std::uint32_t size = 0;
        std::memcpy(&size, chunk_.bytes.data() + chunk_at_, sizeof(size));
        chunk_at_ += sizeof(size);
        const std::string_view message(chunk_.bytes.data() + chunk_at_, size);
        chunk_at_ += size;
        TRY(consume(message));
    }
}

auto Decoder::consume(std::string_view bytes) -> Result<void> {
    if (bytes.empty())
        return Error{Fault::fatal, "replication stream: empty message", "", "", Code::pg_stream};
    const char tag = bytes.front();
    if (tag == 'k') {
        const Lsn end{ByteReader(bytes.substr(1)).big<std::uint64_t>()};
        if (!in_transaction_ && block_ == nullptr && end > told_) told_ = end;
        return {};
    }
    if (block_ != nullptr && tag != 'E') return block_->append(bytes);
    if (overflow_ && tag != 'C') return overflow_->append(bytes);
    const auto message = pgoutput::decode(bytes, block_ != nullptr);
    if (!message) return message.error();
    switch (tag) {
        case 'I':
        case 'U':
        case 'D':
        case 'T':
        case 'R': return apply(*message, bytes);
        default: return control(*message);
    }
}

auto Decoder::control(const pgoutput::Message& message) -> Result<void> {
    if (const auto* begin = std::get_if<pgoutput::Begin>(&message)) {
        frames_.begin();
        in_transaction_ = true;
        xid_ = begin->xid;
        commit_ = {begin->final_lsn.value + 1};
        commit_time_us_ = begin->commit_time_us;
        has_partial_ = false;
    } else if (const auto* commit = std::get_if<pgoutput::Commit>(&message)) {
        in_transaction_ = false;
        told_ = std::max(told_, commit->end_lsn);
        return end_transaction({commit->end_lsn.value, commit->commit_time_us});
    } else if (const auto* start = std::get_if<pgoutput::StreamStart>(&message)) {
        return start_stream_block(*start);
    } else if (std::holds_alternative<pgoutput::StreamStop>(message)) {
        if (block_ == nullptr)
            return Error{Fault::fatal, "replication stream: end of a block that was not begun", "",
                         "", Code::pg_stream};
        return std::exchange(block_, nullptr)->pause();
    } else if (const auto* abort = std::get_if<pgoutput::StreamAbort>(&message)) {
        abort_stream(*abort);
    } else if (const auto* done = std::get_if<pgoutput::StreamCommit>(&message)) {
        return commit_stream(*done);
    }
    return {};
}

auto Decoder::end_transaction(const FrameBuilder::CommitPoint& point) -> Result<void> {
    if (overflow_) {
        TRY(overflow_->pause());
        failpoint("spill.commit");
        replay_ = Replay{std::move(overflow_), false, point};
        return {};
    }
    note_partial(point);
    TRY(frames_.commit(point));
    if (frames_.bytes() >= options_.frame_bytes) return frames_.close();
    return {};
}

// Before rows leave with this commit.
auto Decoder::note_partial(const FrameBuilder::CommitPoint& point) -> void {
    if (has_partial_) partial_commits_[point.commit] = xid_;
}

auto Decoder::start_stream_block(const pgoutput::StreamStart& start) -> Result<void> {
    auto& file = streams_[start.xid];
    if (start.first) {
        file.reset();
        file = std::make_unique<SpillFile>(spill_path(options_.work_dir, start.xid));
    }
    if (!file)
        return Error{Fault::fatal, "replication stream: block of an unknown transaction", "", "",
                     Code::pg_stream};
    block_ = file.get();
    return {};
}

auto Decoder::abort_stream(const pgoutput::StreamAbort& abort) -> void {
    const auto file = streams_.find(abort.xid);
    if (file == streams_.end()) return;
    if (abort.xid == abort.subxid) streams_.erase(file);
    else file->second->abort_subtransaction(abort.subxid);
}

auto Decoder::commit_stream(const pgoutput::StreamCommit& commit) -> Result<void> {
    told_ = std::max(told_, commit.end_lsn);
    auto file = streams_.extract(commit.xid);
    if (file.empty()) return {};
    failpoint("spill.commit");
    TRY(frames_.close());
    frames_.begin();
    xid_ = commit.xid;
    commit_ = commit.end_lsn;
    commit_time_us_ = commit.commit_time_us;
    has_partial_ = false;
    replay_ = Replay{std::move(file.mapped()), true, {commit.end_lsn.value, commit.commit_time_us}};
    return {};
}

// Goes on with the transaction in the file; false when it has been read to its end and nothing of
// it came out as a frame.
auto Decoder::replay_some() -> Result<bool> {
    while (!frames_.has_ready()) {
        const auto bytes = TRY(replay_->file->next());
        if (!bytes) {
            const auto point = replay_->point;
            replay_.reset();
            note_partial(point);
            TRY(frames_.commit(point));
            TRY(frames_.close());
            return frames_.has_ready();
        }
        const auto message = pgoutput::decode(*bytes, replay_->streamed);
        if (!message) return message.error();
        TRY(apply(*message, *bytes));
    }
    return true;
}

}  // namespace leat::postgres
