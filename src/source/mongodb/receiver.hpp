// Receiver: the thread that reads a change stream ahead of the decoder, so that the server, which
// is the slower side, works while we decode. One of the two exceptions to "a connector has no
// threads": between two getMore a cursor stands still.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>

#include "base/bounded_queue.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"
#include "source/mongodb/stream.hpp"

namespace leat::mongodb {

// The same stream behind a token, over a connection that does not wait long for an answer. Called
// from the receiver's thread.
using ReopenStream = std::function<Result<ChangeStream>(std::string_view token)>;

// next() from capture's thread.
class Receiver {
public:
    Receiver(ChangeStream stream, ReopenStream reopen);
    ~Receiver();
    Receiver(const Receiver&) = delete;
    auto operator=(const Receiver&) -> Receiver& = delete;

    // Nothing within `wait`: empty. After the stream's end: its error, once all is drained.
    auto next(const std::stop_token& stop, Duration wait) -> Result<std::optional<StreamReply>>;

private:
    auto run(const std::stop_token& stop) -> void;
    auto receive(const std::stop_token& stop) -> Result<void>;

    ChangeStream stream_;
    const ReopenStream reopen_;
    BoundedQueue<StreamReply> replies_;
    Guarded<std::optional<Error>> failure_;
    std::jthread thread_;  // last: it goes first
};

}  // namespace leat::mongodb
