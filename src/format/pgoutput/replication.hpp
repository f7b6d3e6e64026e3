// The frames around pgoutput on a replication connection ("Streaming Replication Protocol"): what
// PQgetCopyData hands out and what PQputCopyData sends back. Pure: bytes in, values out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"
#include "format/pgoutput/lsn.hpp"

namespace leat::pgoutput {

// All times here are microseconds since 1970-01-01 UTC.

// 'w'. `payload` is one pgoutput message and borrows the frame's bytes. `start` is 0 for
// Relation and Type messages: never a position to resume from.
struct XLogData {
    Lsn start;
    Lsn wal_end;
    std::int64_t send_time_us = 0;
    std::string_view payload;
};

// 'k'. The server has nothing to send up to `wal_end`.
struct Keepalive {
    Lsn wal_end;
    std::int64_t send_time_us = 0;
    bool reply_requested = false;
};

using WireFrame = std::variant<XLogData, Keepalive>;

// Any other or short frame is an error (fatal).
auto decode_frame(std::string_view bytes) -> Result<WireFrame>;

// 'r'. Each position is exclusive, as Commit::end_lsn is: everything before it was written, made
// durable, applied (the protocol's "last byte + 1"). Only `flushed` moves the slot.
struct StandbyStatus {
    Lsn written;
    Lsn flushed;
    Lsn applied;
    std::int64_t time_us = 0;
    bool reply_now = false;
};
auto encode(const StandbyStatus& status) -> std::string;

}  // namespace leat::pgoutput
