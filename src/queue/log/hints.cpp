// The file `state`: two slots of fixed size with checksum and count.
#include <algorithm>
#include <cerrno>

#include "base/bytes.hpp"
#include "queue/log/crc32c.hpp"
#include "queue/log/little.hpp"
#include "queue/log/manifest.hpp"

namespace leat::log_queue {

namespace {

constexpr std::string_view magic = "LEATHNT1";
constexpr std::size_t slot_bytes = 64 << 10;
constexpr std::size_t head_bytes = magic.size() + 4 + 8 + 4;  // crc, sequence, size

auto encode_hints(const Hints& hints, std::uint64_t sequence) -> std::string {
    std::string body;
    put(body, sequence);
    put(body, std::uint32_t{0});
    put(body, hints.incarnation);
    put(body, hints.changes_end);
    put(body, hints.snapshot_end);
    for (const auto& [lane, offsets] : hints.released) {
        Progress progress;
        progress.offsets = offsets;
        const auto text = encode(progress);
        // More lanes than have room are read again from the start of the log.
        if (body.size() + lane.size() + text.size() + 64 > slot_bytes) break;
        put(body, static_cast<std::uint32_t>(lane.size()));
        body += lane;
        put(body, static_cast<std::uint32_t>(text.size()));
        body += text;
    }
    put_at(body, 8, static_cast<std::uint32_t>(body.size()));
    std::string slot(magic);
    put(slot, crc32c(body));
    return slot + body;
}

struct Slot {
    Hints hints;
    std::uint64_t sequence = 0;
};

auto decode_slot(std::string_view slot) -> std::optional<Slot> {
    if (slot.size() < head_bytes || !slot.starts_with(magic)) return std::nullopt;
    ByteReader reader(slot.substr(magic.size()));
    const auto crc = reader.little<std::uint32_t>();
    const auto body = reader.rest();
    Slot decoded;
    decoded.sequence = reader.little<std::uint64_t>();
    const auto size = reader.little<std::uint32_t>();
    if (size > body.size() || size < 36 || crc != crc32c(body.substr(0, size))) return std::nullopt;
    reader = ByteReader(body.substr(12, size - 12));
    decoded.hints.incarnation = reader.little<std::uint64_t>();
    decoded.hints.changes_end = reader.little<std::uint64_t>();
    decoded.hints.snapshot_end = reader.little<std::uint64_t>();
    while (reader.ok() && reader.remaining() > 0) {
        const auto lane = reader.take(reader.little<std::uint32_t>());
        const auto progress = decode_progress(reader.take(reader.little<std::uint32_t>()));
        if (!progress) return std::nullopt;
        decoded.hints.released.emplace(lane, (*progress).offsets);
    }
    if (!reader.ok()) return std::nullopt;
    return decoded;
}

}  // namespace

auto HintFile::read() -> Result<std::optional<Hints>> {
    const auto path = folder_ / "state";
    std::unique_ptr<File> file;
    const int failed = disk_.open(path, Access::read, file);
    if (failed == -ENOENT) return std::optional<Hints>();
    if (failed != 0) return disk_error("opening the log's hints", path, failed);
    std::string bytes(2 * slot_bytes, '\0');
    const auto size = read_some(*file, bytes, 0);
    if (size < 0) return disk_error("reading the log's hints", path, static_cast<int>(size));
    std::optional<Slot> newest;
    for (const auto at : {std::size_t{0}, slot_bytes}) {
        auto slot = decode_slot(std::string_view(bytes).substr(at, slot_bytes));
        if (slot && (!newest || slot->sequence > newest->sequence)) newest = std::move(slot);
    }
    if (!newest) return std::optional<Hints>();
    sequence_ = newest->sequence;
    return std::optional(std::move(newest->hints));
}

auto HintFile::write(const Hints& hints, bool durable) -> Result<void> {
    const auto path = folder_ / "state";
    ++sequence_;
    const auto slot = encode_hints(hints, sequence_);
    const std::string_view piece = slot;
    std::unique_ptr<File> file;
    int failed = disk_.open(path, Access::make, file);
    if (failed == 0 && file->size() < static_cast<std::int64_t>(2 * slot_bytes)) {
        failed = write_zeros(*file, 0, 2 * slot_bytes);
        durable = true;
    }
    if (failed == 0) failed = write_all(*file, std::span(&piece, 1), sequence_ % 2 * slot_bytes);
    constexpr std::string_view step = "writing the log's hints";
    if (failed != 0) return disk_error(step, path, failed);
    if (!durable) return close_written(*file, step, path);
    TRY(sync_and_close(*file, Sync::all, step, path));
    return sync_folder(disk_, step, folder_);
}

}  // namespace leat::log_queue
