// Preparer: a thread that makes the next segment of each sequence ahead of time, so that a full
// disk shows away from an acknowledgement and no append waits for zeros to be written.
#pragma once

#include <stop_token>
#include <thread>

#include "queue/log/log_state.hpp"

namespace leat::log_queue {

class Preparer {
public:
    explicit Preparer(Log& log);

private:
    auto run(const std::stop_token& stop) -> void;
    auto prepare(SequenceKind kind) -> bool;

    Log& log_;
    std::jthread thread_;
};

}  // namespace leat::log_queue
