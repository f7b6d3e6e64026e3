// Receiver: the thread that owns the replication connection while it streams. It answers the
// server whatever happens behind it, and hands raw messages over in large pieces.
// The one exception to "a connector has no threads": keepalives must be answered while the engine
// waits for a disk, or the server drops the connection.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "base/bounded_queue.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"
#include "source/postgres/client.hpp"

namespace leat::postgres {

// Messages in the order of arrival, each as a 32-bit length of this machine and that many bytes:
// pgoutput messages without the XLogData header, and keepalives as 'k' + walEnd (64-bit, network
// order), a tag that pgoutput does not use.
struct MessageChunk {
    std::string bytes;
};

struct ReceiverOptions {
    std::size_t queue_bytes_max = 8U << 20U;
    std::size_t chunk_bytes = 256U << 10U;
    // Longest age of a message before it is handed over.
    std::chrono::microseconds linger{500};
    // A status goes out at least this often: less than a third of wal_sender_timeout.
    std::chrono::milliseconds status_interval{10'000};
};

// Made by the capture thread with a connection that is already streaming; next() from that thread,
// confirm() from any.
class Receiver {
public:
    // `confirmed`: where the stream was started.
    Receiver(Connection connection, Lsn confirmed, const ReceiverOptions& options);
    ~Receiver();
    Receiver(const Receiver&) = delete;
    auto operator=(const Receiver&) -> Receiver& = delete;

    // Nothing within `wait`: empty. After the connection's end: its error, once all is drained.
    auto next(const std::stop_token& stop, Duration wait) -> Result<std::optional<MessageChunk>>;

    // The server may forget everything before `lsn`. Never goes back.
    auto confirm(Lsn lsn) -> void;

private:
    auto run(const std::stop_token& stop) -> void;
    auto receive(const std::stop_token& stop) -> Result<void>;
    auto drain(const std::stop_token& stop) -> Result<std::size_t>;
    auto take(std::string_view data) -> Result<void>;
    auto append(std::string_view message) -> void;
    auto hand_over(const std::stop_token& stop) -> Result<void>;
    auto wait_for_data() -> void;
    auto report_if_due(bool asked) -> Result<void>;
    auto report() -> Result<void>;
    auto say_goodbye() -> void;

    Connection connection_;
    const ReceiverOptions options_;
    BoundedQueue<MessageChunk> queue_;
    std::atomic<std::uint64_t> confirmed_;
    Guarded<std::optional<Error>> failure_;
    int wake_ = -1;  // eventfd: ends a wait for the socket

    MessageChunk chunk_;
    std::chrono::steady_clock::time_point chunk_began_;
    std::chrono::steady_clock::time_point reported_at_;
    std::uint64_t reported_ = 0;
    Lsn received_;
    bool asked_ = false;
    std::jthread thread_;
};

}  // namespace leat::postgres
