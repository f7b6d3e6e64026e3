// Reading ahead, until the stream ends or nobody wants more.
#include "source/mongodb/receiver.hpp"

#include <utility>

namespace leat::mongodb {

namespace {

// One reply may be 16 MB.
constexpr std::size_t ahead_bytes_max = 24U << 20U;
// A stop has to wait for a getMore that is under way.
constexpr std::chrono::milliseconds idle_wait{400};
// Behind events an empty batch says that a transaction was whole, so it is worth having soon.
constexpr std::chrono::milliseconds settling_wait{10};

}  // namespace

Receiver::Receiver(ChangeStream stream, ReopenStream reopen)
    : stream_(std::move(stream)),
      reopen_(std::move(reopen)),
      replies_(ahead_bytes_max),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Receiver::~Receiver() {
    thread_.request_stop();
    replies_.close();
}

auto Receiver::run(const std::stop_token& stop) -> void {
    if (auto result = receive(stop); !result)
        failure_.with([&](auto& failure) { failure = std::move(result).error(); });
    replies_.close();
}

// Until it has caught up once the server may look through its oplog for minutes before it answers;
// from then on an answer is due at once, and one that does not come tells that the server is stuck.
auto Receiver::receive(const std::stop_token& stop) -> Result<void> {
    auto wait = settling_wait;
    bool has_caught_up = false;
    while (!stop.stop_requested()) {
        auto reply = TRY(stream_.next(wait));
        wait = reply.is_empty ? idle_wait : settling_wait;
        const bool has_ended = reply.has_ended;
        if (reply.is_empty && !has_ended && !std::exchange(has_caught_up, true))
            stream_ = TRY(reopen_(reply.token));
        const auto bytes = reply.reply.bytes().size();
        if (!replies_.push(reply, bytes, stop) || has_ended) return {};
    }
    return {};
}

auto Receiver::next(const std::stop_token& stop, Duration wait)
    -> Result<std::optional<StreamReply>> {
    if (auto reply = replies_.pop(stop, wait)) return reply;
    if (!replies_.closed_and_empty()) return std::optional<StreamReply>();
    if (auto failure = failure_.copy()) return *std::move(failure);
    return Error{Fault::retry, "the change stream has ended", "", "mongodb stream"};
}

}  // namespace leat::mongodb
