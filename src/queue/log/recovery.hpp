// Recovery: brings an open Log's shared state in line with what its files say, and cuts what an
// interrupted writer left. At open, and whenever capture begins anew.
#pragma once

#include <map>

#include "base/result.hpp"
#include "queue/log/log_state.hpp"
#include "queue/log/scan.hpp"
#include "queue/log/sequence.hpp"

namespace leat::log_queue {

struct Recovered {
    std::map<SequenceKind, Tail> tails;
    RecoveryReport report;
    Incarnation incarnation = 0;  // highest that any scanned frame carries
};

// Holds `log.files`. Nothing may append meanwhile; readers may go on.
auto recover(Log& log) -> Result<Recovered>;

}  // namespace leat::log_queue
