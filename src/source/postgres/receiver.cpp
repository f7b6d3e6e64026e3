// The receiving loop: drain libpq, gather a little, hand over, answer. Protocol: "Streaming
// Replication Protocol" of the PostgreSQL documentation (XLogData, keepalive, status update).
#include "source/postgres/receiver.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "format/pgoutput/replication.hpp"

namespace leat::postgres {

namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A read that brought this much left more behind: libpq reads 16 KiB at once.
constexpr std::size_t worth_reading_on_bytes = 8192;
constexpr milliseconds changed_report_interval{1000};
constexpr milliseconds goodbye_time_max{300};

// "ERROR:  XX000: …", as errors that the server has no other name for.
auto is_internal(const Error& error) -> bool {
    return error.what.find(":  XX") != std::string::npos;
}

}  // namespace

Receiver::Receiver(Connection connection, Lsn confirmed, const ReceiverOptions& options)
    : connection_(std::move(connection)),
      options_(options),
      queue_(options.queue_bytes_max),
      confirmed_(confirmed.value),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      received_(confirmed) {
    PQsetnonblocking(connection_.raw(), 1);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Receiver::~Receiver() {
    thread_.request_stop();
    eventfd_write(wake_, 1);
    thread_.join();
    close(wake_);
}

auto Receiver::next(const std::stop_token& stop, Duration wait)
    -> Result<std::optional<MessageChunk>> {
    auto chunk = queue_.pop(stop, wait);
    if (!chunk && queue_.closed_and_empty())
        if (auto failure = failure_.copy()) return *std::move(failure);
    return chunk;
}

auto Receiver::confirm(Lsn lsn) -> void {
    auto before = confirmed_.load(std::memory_order_relaxed);
    while (before < lsn.value && !confirmed_.compare_exchange_weak(before, lsn.value)) {
    }
}

auto Receiver::run(const std::stop_token& stop) -> void {
    reported_at_ = SteadyClock::now();
    auto result = receive(stop);
    if (result) {
        say_goodbye();
    } else {
        failure_.with([&](auto& failure) { failure = std::move(result).error(); });
        // What came before the failure is whole; a second failure adds nothing.
        [[maybe_unused]] const auto handed_over = hand_over(stop);
    }
    queue_.close();
}

auto Receiver::receive(const std::stop_token& stop) -> Result<void> {
    TRY(report());
    while (!stop.stop_requested()) {
        const auto drained = TRY(drain(stop));
        TRY(report_if_due(std::exchange(asked_, false)));
        if (chunk_.bytes.empty()) {
            wait_for_data();
        } else if (SteadyClock::now() - chunk_began_ >= options_.linger) {
            TRY(hand_over(stop));
        } else if (drained < worth_reading_on_bytes) {
            // The server writes a few rows at a time. Letting them gather in the socket costs no
            // latency that the linger does not allow, and saves most of the read calls.
            std::this_thread::sleep_for(options_.linger);
        }
        if (PQconsumeInput(connection_.raw()) == 0) return connection_.failure("receiving changes");
    }
    return {};
}

// Takes all messages that libpq holds; how many bytes that were.
auto Receiver::drain(const std::stop_token& stop) -> Result<std::size_t> {
    std::size_t drained = 0;
    while (true) {
        char* data = nullptr;
        const int size = PQgetCopyData(connection_.raw(), &data, 1);
        if (size > 0) {
            auto taken = take({data, static_cast<std::size_t>(size)});
            PQfreemem(data);
            TRY(std::move(taken));
            drained += static_cast<std::size_t>(size);
            if (chunk_.bytes.size() >= options_.chunk_bytes) {
                TRY(hand_over(stop));
                TRY(report_if_due(std::exchange(asked_, false)));
            }
            continue;
        }
        if (size == 0) return drained;
        const Rows end(size == -1 ? PQgetResult(connection_.raw()) : nullptr);
        auto error = connection_.failure("receiving changes");
        // The server ends a stream only when it shuts down or was told to.
        if (error.what == "receiving changes: ") error.what += "the server ended the stream";
        if (is_internal(error)) {
            error.code = Code::pg_decoding;
            error.hint = "If it comes again and again: `leat explain PG-DECODING`.";
        }
        return error;
    }
}

auto Receiver::take(std::string_view data) -> Result<void> {
    const auto frame = TRY(pgoutput::decode_frame(data));
    if (const auto* changes = std::get_if<pgoutput::XLogData>(&frame)) {
        append(changes->payload);
        return {};
    }
    const auto& keepalive = std::get<pgoutput::Keepalive>(frame);
    if (keepalive.reply_requested) asked_ = true;
    if (keepalive.wal_end > received_) {
        received_ = keepalive.wal_end;
        append(data.substr(0, 1 + sizeof(keepalive.wal_end.value)));
    }
    return {};
}

auto Receiver::append(std::string_view message) -> void {
    auto& bytes = chunk_.bytes;
    if (bytes.empty()) chunk_began_ = SteadyClock::now();
    const auto size = static_cast<std::uint32_t>(message.size());
    bytes.append(reinterpret_cast<const char*>(&size), sizeof(size));
    bytes.append(message);
}

// Blocks while the queue is full, answering the server meanwhile: it counts any status as a sign
// of life, though nothing is read from it. A chunk is never left out, whatever fails beside it:
// what libpq still holds would follow with a gap before it.
auto Receiver::hand_over(const std::stop_token& stop) -> Result<void> {
    if (chunk_.bytes.empty()) return {};
    const bool was_full = chunk_.bytes.size() >= options_.chunk_bytes;
    const auto bytes = chunk_.bytes.capacity();
    constexpr milliseconds patience{100};
    Result<void> reported;
    while (!queue_.push(chunk_, bytes, stop, patience)) {
        if (stop.stop_requested()) return {};
        if (reported) reported = report_if_due(false);
    }
    chunk_.bytes = {};
    if (was_full) chunk_.bytes.reserve(options_.chunk_bytes + options_.chunk_bytes / 4);
    return reported;
}

auto Receiver::wait_for_data() -> void {
    std::array<pollfd, 2> sockets = {pollfd{PQsocket(connection_.raw()), POLLIN, 0},
                                     pollfd{wake_, POLLIN, 0}};
    if (PQflush(connection_.raw()) == 1) sockets[0].events |= POLLOUT;
    // Long enough to sleep well, short enough to pass on a confirmation soon.
    const auto wait = std::min(options_.status_interval, changed_report_interval) / 2;
    poll(sockets.data(), sockets.size(), static_cast<int>(wait.count()));
}

auto Receiver::report_if_due(bool asked) -> Result<void> {
    const auto age = SteadyClock::now() - reported_at_;
    const bool changed = confirmed_.load(std::memory_order_relaxed) != reported_;
    if (asked || age >= options_.status_interval || (changed && age >= changed_report_interval))
        return report();
    return {};
}

// Only "flushed" moves the slot. "Written" says the same on purpose: the server sends a keepalive
// with its newest position as long as both lag behind, and that is how an idle stream advances.
auto Receiver::report() -> Result<void> {
    const auto confirmed = confirmed_.load(std::memory_order_acquire);
    const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const auto status =
        pgoutput::encode({Lsn{confirmed}, Lsn{confirmed}, Lsn{confirmed}, now_us.count(), false});
    if (PQputCopyData(connection_.raw(), status.data(), static_cast<int>(status.size())) < 0 ||
        PQflush(connection_.raw()) < 0)
        return connection_.failure("answering the server");
    reported_ = confirmed;
    reported_at_ = SteadyClock::now();
    return {};
}

// Tells the newest confirmation and ends the stream in order, so that the slot is free at once.
auto Receiver::say_goodbye() -> void {
    if (!report() || PQputCopyEnd(connection_.raw(), nullptr) < 0) return;
    const auto deadline = SteadyClock::now() + goodbye_time_max;
    while (SteadyClock::now() < deadline) {
        PQflush(connection_.raw());
        char* data = nullptr;
        const int size = PQgetCopyData(connection_.raw(), &data, 1);
        PQfreemem(data);
        if (size < 0) return;
        if (size > 0) continue;
        pollfd socket{PQsocket(connection_.raw()), POLLIN, 0};
        poll(&socket, 1, 50);
        if (PQconsumeInput(connection_.raw()) == 0) return;
    }
}

}  // namespace leat::postgres
