// The frames around pgoutput: decoding 'w' and 'k', encoding 'r'.
#include "format/pgoutput/replication.hpp"

#include "base/bytes.hpp"
#include "format/pgoutput/wire_time.hpp"

namespace leat::pgoutput {

namespace {

auto malformed(const char* what) -> Error {
    return Error{Fault::fatal, std::string("replication stream not understood: ") + what, "", "",
                 Code::pg_stream};
}

auto put(std::string& out, std::uint64_t value) -> void {
    const auto wire = ByteReader::from_big(value);
    out.append(reinterpret_cast<const char*>(&wire), sizeof wire);
}

}  // namespace

auto decode_frame(std::string_view bytes) -> Result<WireFrame> {
    ByteReader reader(bytes);
    const auto kind = reader.big<char>();
    if (kind == 'w') {
        XLogData data;
        data.start.value = reader.big<std::uint64_t>();
        data.wal_end.value = reader.big<std::uint64_t>();
        data.send_time_us = from_wire_time(reader.big<std::int64_t>());
        data.payload = reader.rest();
        if (!reader.ok()) return malformed("short frame of wal data");
        return WireFrame(data);
    }
    if (kind == 'k') {
        Keepalive keepalive;
        keepalive.wal_end.value = reader.big<std::uint64_t>();
        keepalive.send_time_us = from_wire_time(reader.big<std::int64_t>());
        keepalive.reply_requested = reader.big<std::uint8_t>() != 0;
        if (!reader.ok() || reader.remaining() > 0) return malformed("keepalive of wrong size");
        return WireFrame(keepalive);
    }
    return malformed(bytes.empty() ? "empty frame" : "frame of unknown kind");
}

auto encode(const StandbyStatus& status) -> std::string {
    std::string out;
    out.reserve(34);
    out.push_back('r');
    put(out, status.written.value);
    put(out, status.flushed.value);
    put(out, status.applied.value);
    put(out, static_cast<std::uint64_t>(to_wire_time(status.time_us)));
    out.push_back(status.reply_now ? '\1' : '\0');
    return out;
}

}  // namespace leat::pgoutput
