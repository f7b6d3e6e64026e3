// decode(): one pgoutput message. Everything that a view later walks is checked here, once.
#include "format/pgoutput/message.hpp"

#include <string>

#include "base/bytes.hpp"
#include "format/pgoutput/wire_time.hpp"

namespace leat::pgoutput {

namespace {

auto malformed(char kind, const char* what) -> Error {
    const bool printable = kind > ' ' && kind <= '~';
    return Error{
        Fault::fatal,
        std::string("pgoutput message not understood: ") + what + ", kind " +
            (printable ? std::string(1, kind) : std::to_string(static_cast<unsigned char>(kind))),
        "", "", Code::pg_stream};
}

auto read_lsn(ByteReader& in) -> Lsn {
    return Lsn{in.big<std::uint64_t>()};
}
auto read_time(ByteReader& in) -> std::int64_t {
    return from_wire_time(in.big<std::int64_t>());
}

// The list whose bytes lie between `before` and where the reader stands now.
template <class List>
auto read_list(std::string_view before, const ByteReader& in, std::uint16_t count) -> List {
    return List(before.substr(0, before.size() - in.remaining()), count);
}

auto read_columns(ByteReader& in) -> std::optional<RelationColumns> {
    const auto count = in.big<std::uint16_t>();
    const auto before = in.rest();
    for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
        in.take(1);
        in.c_string();
        in.take(8);
    }
    if (!in.ok()) return std::nullopt;
    return read_list<RelationColumns>(before, in, count);
}

auto read_tuple(ByteReader& in) -> std::optional<TupleView> {
    const auto count = in.big<std::uint16_t>();
    const auto before = in.rest();
    for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
        switch (static_cast<ValueKind>(in.big<char>())) {
            case ValueKind::null:
            case ValueKind::unchanged: break;
            case ValueKind::text:
            case ValueKind::binary: in.take(in.big<std::uint32_t>()); break;
            default: return std::nullopt;
        }
    }
    if (!in.ok()) return std::nullopt;
    return read_list<TupleView>(before, in, count);
}

auto read_xid(ByteReader& in, bool in_stream) -> std::uint32_t {
    return in_stream ? in.big<std::uint32_t>() : 0;
}

auto decode_relation(ByteReader& in, bool in_stream) -> Result<Message> {
    Relation relation;
    relation.xid = read_xid(in, in_stream);
    relation.oid = in.big<std::uint32_t>();
    relation.schema = in.c_string();
    relation.table = in.c_string();
    relation.identity = static_cast<ReplicaIdentity>(in.big<char>());
    switch (relation.identity) {
        case ReplicaIdentity::primary_key:
        case ReplicaIdentity::nothing:
        case ReplicaIdentity::full:
        case ReplicaIdentity::index: break;
        default: return malformed('R', in.ok() ? "unknown replica identity" : "too short");
    }
    const auto columns = read_columns(in);
    if (!columns) return malformed('R', "columns cut off");
    relation.columns = *columns;
    return Message(relation);
}

auto decode_insert(ByteReader& in, bool in_stream) -> Result<Message> {
    Insert insert;
    insert.xid = read_xid(in, in_stream);
    insert.oid = in.big<std::uint32_t>();
    if (in.big<char>() != 'N') return malformed('I', "no new tuple");
    const auto after = read_tuple(in);
    if (!after) return malformed('I', "malformed tuple");
    insert.after = *after;
    return Message(insert);
}

auto decode_update(ByteReader& in, bool in_stream) -> Result<Message> {
    Update update;
    update.xid = read_xid(in, in_stream);
    update.oid = in.big<std::uint32_t>();
    auto part = in.big<char>();
    if (part == 'K' || part == 'O') {
        update.old_kind = static_cast<OldKind>(part);
        const auto before = read_tuple(in);
        if (!before) return malformed('U', "malformed old tuple");
        update.before = *before;
        part = in.big<char>();
    }
    if (part != 'N') return malformed('U', "no new tuple");
    const auto after = read_tuple(in);
    if (!after) return malformed('U', "malformed tuple");
    update.after = *after;
    return Message(update);
}

auto decode_delete(ByteReader& in, bool in_stream) -> Result<Message> {
    Delete removal;
    removal.xid = read_xid(in, in_stream);
    removal.oid = in.big<std::uint32_t>();
    const auto part = in.big<char>();
    if (part != 'K' && part != 'O') return malformed('D', "no old tuple");
    removal.old_kind = static_cast<OldKind>(part);
    const auto before = read_tuple(in);
    if (!before) return malformed('D', "malformed tuple");
    removal.before = *before;
    return Message(removal);
}

auto decode_truncate(ByteReader& in, bool in_stream) -> Result<Message> {
    Truncate truncate;
    truncate.xid = read_xid(in, in_stream);
    truncate.count = in.big<std::uint32_t>();
    const auto flags = in.big<std::uint8_t>();
    truncate.cascade = (flags & 1) != 0;
    truncate.restart_identity = (flags & 2) != 0;
    truncate.oids = in.take(std::size_t{4} * truncate.count);
    return Message(truncate);
}

auto decode_message(ByteReader& in, bool in_stream) -> Result<Message> {
    LogicalMessage message;
    message.xid = read_xid(in, in_stream);
    message.transactional = (in.big<std::uint8_t>() & 1) != 0;
    message.lsn = read_lsn(in);
    message.prefix = in.c_string();
    message.content = in.take(in.big<std::uint32_t>());
    return Message(message);
}

auto decode_begin(ByteReader& in) -> Message {
    Begin begin;
    begin.final_lsn = read_lsn(in);
    begin.commit_time_us = read_time(in);
    begin.xid = in.big<std::uint32_t>();
    return begin;
}

// 'C', and 'c' after its xid.
template <class Kind>
auto decode_commit(ByteReader& in, Kind commit) -> Message {
    commit.flags = in.big<std::uint8_t>();
    commit.commit_lsn = read_lsn(in);
    commit.end_lsn = read_lsn(in);
    commit.commit_time_us = read_time(in);
    return commit;
}

auto decode_stream_abort(ByteReader& in) -> Message {
    StreamAbort abort;
    abort.xid = in.big<std::uint32_t>();
    abort.subxid = in.big<std::uint32_t>();
    if (in.remaining() > 0) {
        abort.abort_lsn = read_lsn(in);
        abort.abort_time_us = read_time(in);
    }
    return abort;
}

auto decode_type(ByteReader& in, bool in_stream) -> Message {
    Type type;
    type.xid = read_xid(in, in_stream);
    type.oid = in.big<std::uint32_t>();
    type.schema = in.c_string();
    type.name = in.c_string();
    return type;
}

auto decode_origin(ByteReader& in) -> Message {
    Origin origin;
    origin.origin_lsn = read_lsn(in);
    origin.name = in.c_string();
    return origin;
}

auto decode_stream_start(ByteReader& in) -> Message {
    StreamStart start;
    start.xid = in.big<std::uint32_t>();
    start.first = in.big<std::uint8_t>() == 1;
    return start;
}

auto two_phase(char kind) -> Error {
    auto error = malformed(kind, "two-phase commit is not supported");
    error.hint = "Drop the slot and let leat create it, without two_phase.";
    return error;
}

auto decode_kind(char kind, ByteReader& in, bool in_stream) -> Result<Message> {
    switch (kind) {
        case 'I': return decode_insert(in, in_stream);
        case 'U': return decode_update(in, in_stream);
        case 'D': return decode_delete(in, in_stream);
        case 'B': return decode_begin(in);
        case 'C': return decode_commit(in, Commit{});
        case 'R': return decode_relation(in, in_stream);
        case 'T': return decode_truncate(in, in_stream);
        case 'M': return decode_message(in, in_stream);
        case 'Y': return decode_type(in, in_stream);
        case 'O': return decode_origin(in);
        case 'S': return decode_stream_start(in);
        case 'E': return Message(StreamStop{});
        case 'c': {
            StreamCommit commit;
            commit.xid = in.big<std::uint32_t>();
            return decode_commit(in, commit);
        }
        case 'A': return decode_stream_abort(in);
        case 'b':
        case 'P':
        case 'K':
        case 'r':
        case 'p': return two_phase(kind);
        default: return malformed(kind, "unknown message");
    }
}

}  // namespace

auto decode(std::string_view payload, bool in_stream) -> Result<Message> {
    if (payload.empty())
        return Error{Fault::fatal, "pgoutput message not understood: empty", "", "",
                     Code::pg_stream};
    ByteReader in(payload.substr(1));
    auto message = decode_kind(payload.front(), in, in_stream);
    if (!message) return message;
    if (!in.ok()) return malformed(payload.front(), "too short");
    if (in.remaining() > 0) return malformed(payload.front(), "bytes left over");
    return message;
}

}  // namespace leat::pgoutput
