// Encoding and decoding of frame headers and of the payloads that are not Arrow.
#include "queue/log/frame_codec.hpp"

#include "base/bytes.hpp"
#include "queue/log/crc32c.hpp"
#include "queue/log/little.hpp"

namespace leat::log_queue {

namespace {

constexpr std::string_view magic = "LFRM";
constexpr std::uint32_t fixed_bytes = 136;
constexpr std::uint32_t alignment = 64;  // of the payload in the file
constexpr std::size_t crc_at = 12;
constexpr std::uint8_t ends_transaction_flag = 1;

auto unreadable(std::string_view what) -> Error {
    return Error{Fault::fatal, "log frame cannot be read: " + std::string(what),
                 "Use the version of leat that wrote it.", "", Code::log_version};
}

auto put_text(std::string& bytes, std::string_view text) -> void {
    put(bytes, static_cast<std::uint32_t>(text.size()));
    bytes += text;
}

auto take_text(ByteReader& reader) -> std::string {
    return std::string(reader.take(reader.little<std::uint32_t>()));
}

auto put_position(std::string& bytes, const Position& position) -> void {
    put(bytes, position.lineage);
    put(bytes, position.commit);
    put(bytes, position.ordinal);
    put_text(bytes, position.token);
}

auto take_position(ByteReader& reader) -> Position {
    Position position;
    position.lineage = reader.little<std::uint32_t>();
    position.commit = reader.little<std::uint64_t>();
    position.ordinal = reader.little<std::uint64_t>();
    position.token = take_text(reader);
    return position;
}

template <class Tables>
auto put_tables(std::string& bytes, const Tables& tables) -> void {
    put(bytes, static_cast<std::uint32_t>(tables.size()));
    for (const auto& table : tables) {
        put_text(bytes, table.schema);
        put_text(bytes, table.table);
    }
}

auto take_tables(ByteReader& reader) -> std::vector<TableName> {
    std::vector<TableName> tables;
    const auto count = reader.little<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
        auto schema = take_text(reader);
        tables.push_back({std::move(schema), take_text(reader)});
    }
    return tables;
}

auto put_texts(std::string& bytes, const std::vector<std::string>& texts) -> void {
    put(bytes, static_cast<std::uint32_t>(texts.size()));
    for (const auto& text : texts) put_text(bytes, text);
}

auto take_texts(ByteReader& reader) -> std::vector<std::string> {
    std::vector<std::string> texts;
    const auto count = reader.little<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) texts.push_back(take_text(reader));
    return texts;
}

auto take_purpose(ByteReader& reader) -> Result<Purpose> {
    const auto purpose = reader.little<std::uint8_t>();
    if (purpose < 1 || purpose > 3) return unreadable("generation of an unknown purpose");
    return static_cast<Purpose>(purpose);
}

// The checksum of a header whose own checksum field counts as zero.
auto header_crc(std::string_view bytes, std::uint32_t seed) -> std::uint32_t {
    constexpr std::string_view zero("\0\0\0\0", 4);
    return crc32c(bytes.substr(crc_at + 4), crc32c(zero, crc32c(bytes.substr(0, crc_at), seed)));
}

}  // namespace

auto to_string(DiskKind kind) -> std::string_view {
    switch (kind) {
        case DiskKind::changes: return "changes";
        case DiskKind::position: return "position";
        case DiskKind::snapshot: return "snapshot";
        case DiskKind::marker: return "marker";
        case DiskKind::schemas: return "schemas";
        case DiskKind::state: return "state";
    }
    return "unknown";
}

auto header_size(std::string_view token) -> std::uint32_t {
    return (fixed_bytes + static_cast<std::uint32_t>(token.size()) + alignment - 1) / alignment *
           alignment;
}

auto encode_header(FrameHeader& header, std::uint32_t seed) -> std::string {
    header.header_bytes = header_size(header.last.token);
    std::string bytes(magic);
    put(bytes, static_cast<std::uint8_t>(header.kind));
    put(bytes, header.ends_transaction ? ends_transaction_flag : std::uint8_t{0});
    put(bytes, header.codec);
    put(bytes, std::uint8_t{0});
    put(bytes, header.header_bytes);
    put(bytes, std::uint32_t{0});
    put(bytes, header.payload_bytes);
    put(bytes, header.body_crc);
    put(bytes, header.previous_crc);
    put(bytes, header.offset);
    put(bytes, header.group_first);
    put(bytes, header.incarnation);
    put(bytes, header.rows);
    put(bytes, header.generation);
    put(bytes, header.commit_time_us);
    put(bytes, header.written_us);
    put(bytes, header.first.commit);
    put(bytes, header.first.ordinal);
    put(bytes, header.last.commit);
    put(bytes, header.last.ordinal);
    put(bytes, header.first.lineage);
    put(bytes, header.last.lineage);
    put(bytes, static_cast<std::uint32_t>(header.last.token.size()));
    put(bytes, std::uint32_t{0});
    bytes += header.last.token;
    bytes.resize(header.header_bytes, '\0');
    header.chain = header_crc(bytes, seed);
    put_at(bytes, crc_at, header.chain);
    return bytes;
}

auto decode_header(std::string_view bytes, std::uint32_t seed, std::uint64_t& wanted)
    -> std::optional<FrameHeader> {
    wanted = 0;
    if (bytes.size() < fixed_bytes || !bytes.starts_with(magic)) return std::nullopt;
    ByteReader reader(bytes.substr(magic.size()));
    FrameHeader header;
    header.kind = static_cast<DiskKind>(reader.little<std::uint8_t>());
    header.ends_transaction = (reader.little<std::uint8_t>() & ends_transaction_flag) != 0;
    header.codec = reader.little<std::uint8_t>();
    reader.take(1);
    header.header_bytes = reader.little<std::uint32_t>();
    if (header.header_bytes < fixed_bytes || header.header_bytes > header_bytes_max ||
        header.header_bytes % alignment != 0)
        return std::nullopt;
    if (header.header_bytes > bytes.size()) {
        wanted = header.header_bytes;
        return std::nullopt;
    }
    header.chain = reader.little<std::uint32_t>();
    if (header.chain != header_crc(bytes.substr(0, header.header_bytes), seed)) return std::nullopt;
    header.payload_bytes = reader.little<std::uint64_t>();
    header.body_crc = reader.little<std::uint32_t>();
    header.previous_crc = reader.little<std::uint32_t>();
    header.offset = reader.little<std::uint64_t>();
    header.group_first = reader.little<std::uint64_t>();
    header.incarnation = reader.little<std::uint64_t>();
    header.rows = reader.little<std::uint64_t>();
    header.generation = reader.little<std::uint64_t>();
    header.commit_time_us = reader.little<std::int64_t>();
    header.written_us = reader.little<std::int64_t>();
    header.first.commit = reader.little<std::uint64_t>();
    header.first.ordinal = reader.little<std::uint64_t>();
    header.last.commit = reader.little<std::uint64_t>();
    header.last.ordinal = reader.little<std::uint64_t>();
    header.first.lineage = reader.little<std::uint32_t>();
    header.last.lineage = reader.little<std::uint32_t>();
    const auto token_bytes = reader.little<std::uint32_t>();
    reader.take(4);
    header.last.token = std::string(reader.take(token_bytes));
    constexpr std::uint64_t payload_bytes_max = 1ULL << 40;
    if (!reader.ok() || token_bytes > header.header_bytes - fixed_bytes ||
        header.payload_bytes > payload_bytes_max)
        return std::nullopt;
    return header;
}

auto State::find(Generation generation) -> GenerationRecord* {
    for (auto& record : generations)
        if (record.generation == generation) return &record;
    return nullptr;
}

auto State::beginning() const -> const GenerationRecord* {
    const GenerationRecord* found = nullptr;
    for (const auto& record : generations)
        if (record.purpose == Purpose::anew) found = &record;
    return found;
}

auto encode_marker(const Marker& marker) -> std::string {
    std::string bytes;
    put(bytes, static_cast<std::uint8_t>(marker.kind));
    put(bytes, static_cast<std::uint8_t>(marker.purpose));
    put(bytes, static_cast<std::uint8_t>(marker.is_all));
    put(bytes, marker.generation);
    put(bytes, marker.snapshot_offset);
    put_position(bytes, marker.position);
    put_texts(bytes, marker.sinks);
    put_tables(bytes, marker.tables);
    return bytes;
}

auto decode_marker(std::string_view payload) -> Result<Marker> {
    ByteReader reader(payload);
    Marker marker;
    const auto kind = reader.little<std::uint8_t>();
    if (kind < 1 || kind > 5) return unreadable("marker of an unknown kind");
    marker.kind = static_cast<MarkerKind>(kind);
    marker.purpose = TRY(take_purpose(reader));
    marker.is_all = reader.little<std::uint8_t>() != 0;
    marker.generation = reader.little<std::uint64_t>();
    marker.snapshot_offset = reader.little<std::uint64_t>();
    marker.position = take_position(reader);
    marker.sinks = take_texts(reader);
    marker.tables = take_tables(reader);
    if (!reader.ok() || reader.remaining() != 0) return unreadable("marker of the wrong size");
    return marker;
}

auto encode_state(const State& state) -> std::string {
    std::string bytes;
    put(bytes, static_cast<std::uint32_t>(state.generations.size()));
    for (const auto& record : state.generations) {
        put(bytes, record.generation);
        put(bytes, record.lineage);
        put(bytes, static_cast<std::uint8_t>(record.purpose));
        put(bytes, static_cast<std::uint8_t>(record.is_all));
        put(bytes, static_cast<std::uint8_t>(record.has_point));
        put(bytes, static_cast<std::uint8_t>(record.has_ended));
        put(bytes, record.begin_offset);
        put(bytes, record.snapshot_offset);
        put_position(bytes, record.consistent_point);
        put_texts(bytes, record.sinks);
        put_tables(bytes, record.tables);
        put_tables(bytes, record.whole);
    }
    put_tables(bytes, state.tables);
    put(bytes, static_cast<std::uint8_t>(state.last.has_value()));
    put_position(bytes, state.last.value_or(Position{}));
    put(bytes, state.last_time_us);
    return bytes;
}

auto decode_state(std::string_view payload) -> Result<State> {
    ByteReader reader(payload);
    State state;
    const auto count = reader.little<std::uint32_t>();
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
        auto& record = state.generations.emplace_back();
        record.generation = reader.little<std::uint64_t>();
        record.lineage = reader.little<std::uint32_t>();
        record.purpose = TRY(take_purpose(reader));
        record.is_all = reader.little<std::uint8_t>() != 0;
        record.has_point = reader.little<std::uint8_t>() != 0;
        record.has_ended = reader.little<std::uint8_t>() != 0;
        record.begin_offset = reader.little<std::uint64_t>();
        record.snapshot_offset = reader.little<std::uint64_t>();
        record.consistent_point = take_position(reader);
        record.sinks = take_texts(reader);
        record.tables = take_tables(reader);
        record.whole = take_tables(reader);
    }
    for (auto& table : take_tables(reader)) state.tables.insert(std::move(table));
    const bool has_last = reader.little<std::uint8_t>() != 0;
    auto last = take_position(reader);
    if (has_last) state.last = std::move(last);
    state.last_time_us = reader.little<std::int64_t>();
    if (!reader.ok() || reader.remaining() != 0) return unreadable("state of the wrong size");
    return state;
}

auto encode_message_prefix(std::uint32_t schema, std::uint64_t bytes) -> std::string {
    std::string prefix;
    put(prefix, schema);
    put(prefix, std::uint32_t{0});
    put(prefix, bytes);
    return prefix;
}

auto decode_messages(std::string_view payload) -> Result<std::vector<Message>> {
    std::vector<Message> messages;
    ByteReader reader(payload);
    while (reader.ok() && reader.remaining() > 0) {
        Message message;
        message.schema = reader.little<std::uint32_t>();
        reader.take(4);
        const auto size = reader.little<std::uint64_t>();
        message.at = payload.size() - reader.remaining();
        message.bytes = reader.take(size);
        if (reader.ok()) messages.push_back(message);
    }
    if (!reader.ok()) return unreadable("payload of the wrong size");
    return messages;
}

}  // namespace leat::log_queue
