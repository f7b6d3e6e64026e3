// One pgoutput message ("Logical Replication Message Formats", protocol versions 1 to 4) as plain
// values and views over the received bytes. Pure: no state, no allocation, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/result.hpp"
#include "format/pgoutput/lsn.hpp"
#include "format/pgoutput/tuple.hpp"

namespace leat::pgoutput {

// Times are microseconds since 1970-01-01 UTC. Views borrow the payload given to decode().
// `xid` is 0 outside a stream block; inside one it is the (sub)transaction the message belongs to.

struct Begin {
    Lsn final_lsn;
    std::int64_t commit_time_us = 0;
    std::uint32_t xid = 0;
};

struct Commit {
    std::uint8_t flags = 0;
    Lsn commit_lsn;
    Lsn end_lsn;  // where the next transaction may begin: the position to store
    std::int64_t commit_time_us = 0;
};

struct Origin {
    Lsn origin_lsn;
    std::string_view name;
};

enum class ReplicaIdentity : char { primary_key = 'd', nothing = 'n', full = 'f', index = 'i' };

struct Relation {
    std::uint32_t xid = 0;
    std::uint32_t oid = 0;
    std::string_view schema;  // the server sends "" for pg_catalog
    std::string_view table;
    ReplicaIdentity identity = ReplicaIdentity::primary_key;
    RelationColumns columns;
};

// Precedes the Relation whose column has this type, for types that are not built in.
struct Type {
    std::uint32_t xid = 0;
    std::uint32_t oid = 0;
    std::string_view schema;
    std::string_view name;
};

// What the old tuple of an update or delete holds. `key`: full width, only the replica identity's
// columns filled, the others null.
enum class OldKind : char { none = 0, key = 'K', full = 'O' };

struct Insert {
    std::uint32_t xid = 0;
    std::uint32_t oid = 0;
    TupleView after;
};

struct Update {
    std::uint32_t xid = 0;
    std::uint32_t oid = 0;
    OldKind old_kind = OldKind::none;
    TupleView before;  // empty when old_kind is none
    TupleView after;
};

struct Delete {
    std::uint32_t xid = 0;
    std::uint32_t oid = 0;
    OldKind old_kind = OldKind::key;
    TupleView before;
};

struct Truncate {
    std::uint32_t xid = 0;
    bool cascade = false;
    bool restart_identity = false;
    std::uint32_t count = 0;
    std::string_view oids;  // count big-endian 32-bit numbers

    [[nodiscard]] auto oid(std::uint32_t index) const -> std::uint32_t {
        return detail::load_big<std::uint32_t>(oids.data() + std::size_t{4} * index);
    }
};

// pg_logical_emit_message(). Not transactional: stands at its own WAL position, ahead of open
// transactions, and is no position to resume from.
struct LogicalMessage {
    std::uint32_t xid = 0;
    bool transactional = false;
    Lsn lsn;
    std::string_view prefix;
    std::string_view content;
};

struct StreamStart {
    std::uint32_t xid = 0;  // of the top transaction
    bool first = false;     // first block of that transaction
};
struct StreamStop {};
struct StreamCommit {
    std::uint32_t xid = 0;
    std::uint8_t flags = 0;
    Lsn commit_lsn;
    Lsn end_lsn;
    std::int64_t commit_time_us = 0;
};
// `subxid` == `xid`: the whole transaction. Version 4 with streaming 'parallel' adds lsn and time.
struct StreamAbort {
    std::uint32_t xid = 0;
    std::uint32_t subxid = 0;
    std::optional<Lsn> abort_lsn;
    std::int64_t abort_time_us = 0;
};

using Message =
    std::variant<Begin, Commit, Origin, Relation, Type, Insert, Update, Delete, Truncate,
                 LogicalMessage, StreamStart, StreamStop, StreamCommit, StreamAbort>;

// `in_stream`: the payload came between StreamStart and StreamStop, so that R, Y, I, U, D, T and M
// carry an xid. The caller keeps that one bit. Errors (fatal): unknown kind, short or overlong
// message, a malformed tuple, the two-phase kinds b P K r p (leat never asks for two_phase).
auto decode(std::string_view payload, bool in_stream) -> Result<Message>;

}  // namespace leat::pgoutput
