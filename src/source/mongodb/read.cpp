// MongoSource in flow: frames out, and where the head is.
#include <algorithm>

#include "source/mongodb/event.hpp"
#include "source/mongodb/mongodb_source.hpp"
#include "source/mongodb/note_file.hpp"

namespace leat::mongodb {

namespace {

constexpr Duration position_interval = std::chrono::seconds(1);
constexpr Duration listing_interval = std::chrono::seconds(60);
constexpr std::size_t busy_bytes = 16U << 10U;
constexpr int busy_lingers = 5;

}  // namespace

auto MongoSource::read(const std::stop_token& stop) -> Result<Frame> {
    TRY(watch_collections());
    while (true) {
        if (auto frame = decoder_->take()) {
            last_commit_ = frame->last.commit;
            gathering_since_.reset();
            decoder_->tell(*frame);
            return *std::move(frame);
        }
        if (!decoder_->has_whole()) {
            if (auto frame = idle_frame()) return *std::move(frame);
        } else if (!gathering_since_) {
            gathering_since_ = context_.clock->steady();
        }
        const auto wait = patience();
        auto reply = receiver_->next(stop, wait);
        if (!reply) {
            // What is whole by now is not lost with the stream.
            if (!decoder_->has_whole() || decoder_->has_open())
                return give_up_stream(reply.error());
            TRY(decoder_->close_frame());
            continue;
        }
        if (*reply) {
            TRY(decoder_->feed(**reply));
            if ((*reply)->has_ended) TRY(go_on_behind_invalidate());
        } else if (stop.stop_requested()) {
            return Error{Fault::retry, "stopped", "", "mongodb"};
        } else if (gathering_since_ && patience() == Duration::zero()) {
            TRY(decoder_->close_frame());
            gathering_since_.reset();
        }
    }
}

// How long to wait for more before something has to be done.
auto MongoSource::patience() const -> Duration {
    const auto now = context_.clock->steady();
    const auto since = gathering_since_.value_or(now);
    auto limit = gathering_since_ ? Duration(config_.linger) : position_interval;
    // A busy stream: fewer, larger frames are worth a few milliseconds.
    if (gathering_since_ && decoder_->gathered_bytes() >= busy_bytes) limit *= busy_lingers;
    return std::max(Duration::zero(), since + limit - now);
}

// The server has looked further than rows came from: a position of its own, so that the token of a
// quiet collection does not age out of the oplog.
auto MongoSource::idle_frame() -> std::optional<Frame> {
    const auto& told = decoder_->told();
    if (told.commit <= last_commit_ || decoder_->has_open()) return std::nullopt;
    const auto now = context_.clock->steady();
    const auto head = head_.load();
    const bool reaches_head = last_commit_ < head && told.commit >= head;
    if (!reaches_head && now - position_told_at_ < position_interval) return std::nullopt;
    position_told_at_ = now;
    last_commit_ = told.commit;
    Frame frame;
    frame.kind = FrameKind::position;
    frame.first = frame.last = position_at(told.commit, told.token);
    frame.commit_time_us = context_.clock->wall_us();
    decoder_->tell(frame);
    return frame;
}

// The server ends a database's stream when the database is dropped; a new one begins behind that.
auto MongoSource::go_on_behind_invalidate() -> Result<void> {
    receiver_.reset();
    auto stream = TRY(
        open_stream(TRY(Connection::connect(options("capture"))), {decoder_->told().token, {}}));
    receive(std::move(stream));
    return {};
}

// Collections that have come and that patterns name: the next source carries them.
auto MongoSource::watch_collections() -> Result<void> {
    const auto now = context_.clock->steady();
    if (now - collections_listed_at_ < listing_interval) return {};
    collections_listed_at_ = now;
    if (!listing_) listing_ = TRY(Connection::connect(brisk("check")));
    auto names = select(*listing_, {names_.begin(), names_.end()});
    if (!names) {
        listing_.reset();
        return names.error();
    }
    for (const auto& name : *names)
        if (std::find(names_.begin(), names_.end(), name) == names_.end())
            return Error{Fault::retry, "a collection has come: " + to_string(name), "", "mongodb"};
    return {};
}

// Where the stream cannot go on (an event too large to be sent, a token that turns out not to be of
// this server) is noted, so that the next start knows it for a gap; trying again would meet it
// again.
auto MongoSource::give_up_stream(const Error& error) -> Error {
    if (error.code != Code::mongo_event_too_large && error.code != Code::mongo_stream) return error;
    const auto noted =
        write_note(context_.work_dir / "given_up",
                   Document()
                       .add("position", static_cast<std::int64_t>(last_commit_))
                       .add("why", error.what)
                       .add("is_too_large", error.code == Code::mongo_event_too_large));
    if (!noted) return noted.error();
    auto again = error;
    again.fault = Fault::retry;
    return again;
}

auto MongoSource::wait_for(std::uint64_t commit) -> void {
    auto known = head_.load();
    while (known < commit && !head_.compare_exchange_weak(known, commit)) {
    }
}

auto MongoSource::head() -> Result<Position> {
    auto connection = TRY(Connection::connect(brisk("head")));
    TRY(connection.command("admin", Document().add("ping", 1)));
    const auto head = to_commit(connection.operation_time());
    wait_for(head);
    return position_at(head, {});
}

}  // namespace leat::mongodb
