// Any bytes as a segment of the log: header page, frames, markers, state, schemas and batches. Once
// as they are, and once with checksums made right, so that what is behind them is reached.
#include <arrow/record_batch.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "queue/log/crc32c.hpp"
#include "queue/log/memory_disk.hpp"
#include "queue/log/payload.hpp"
#include "queue/log/segment_reader.hpp"

namespace {

using namespace leat;             // NOLINT
using namespace leat::log_queue;  // NOLINT

template <class T>
auto field(const std::string& bytes, std::size_t at) -> T {
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
}
auto set_field(std::string& bytes, std::size_t at, std::uint32_t value) -> void {
    std::memcpy(bytes.data() + at, &value, sizeof(value));
}

// A sound header page, and right checksums wherever something looks like a frame.
auto make_right(std::string bytes) -> std::string {
    if (bytes.size() < 2 * page_bytes) bytes.resize(2 * page_bytes, '\0');
    SegmentHeader header;
    header.file_bytes = bytes.size();
    bytes.replace(0, page_bytes, encode(header));
    const auto seed = frame_seed(header);
    for (auto at = page_bytes; at + page_bytes <= bytes.size(); at += page_bytes) {
        if (bytes.compare(at, 4, "LFRM") != 0) continue;
        const std::uint64_t header_bytes = field<std::uint32_t>(bytes, at + 8);
        const auto payload_bytes = field<std::uint64_t>(bytes, at + 16);
        if (header_bytes < 136 || header_bytes > bytes.size() - at ||
            payload_bytes > bytes.size() ||
            whole_pages(header_bytes + payload_bytes) > bytes.size() - at)
            continue;
        const std::string_view all(bytes);
        const auto body = whole_pages(header_bytes + payload_bytes) - header_bytes;
        set_field(bytes, at + 24, crc32c(all.substr(at + header_bytes, body)));
        set_field(bytes, at + 12, 0);
        set_field(bytes, at + 12, crc32c(all.substr(at, header_bytes), seed));
    }
    return bytes;
}

auto read_payload(const FrameHeader& header, const SegmentReader& reader, Dictionary& dictionary)
    -> void {
    const auto payload = reader.payload_view();
    if (header.kind == DiskKind::schemas) {
        const auto read = decode_schemas(payload, dictionary);
    } else if (header.kind == DiskKind::state) {
        const auto state = decode_state(payload);
    } else if (header.kind == DiskKind::marker) {
        const auto marker = decode_marker(payload);
    } else if (const auto batches = decode_batches(reader.payload(), dictionary); batches) {
        for (const auto& batch : *batches)
            if (batch.rows->ValidateFull().ok()) batch.rows->ToString();
    }
}

auto read_segment(const std::string& bytes) -> void {
    fixture::MemoryDisk disk;
    const Path path = "/log/changes-0000000000000000.seg";
    std::unique_ptr<File> file;
    const std::string_view piece = bytes;
    if (disk.open(path, Access::make, file) != 0) std::abort();
    if (!bytes.empty() && write_all(*file, std::span(&piece, 1), 0) != 0) std::abort();
    auto reader = SegmentReader::open(disk, path);
    if (!reader) return;
    Dictionary dictionary;
    for (auto at = page_bytes; at < bytes.size();) {
        const auto frame = (*reader).read(at, Depth::whole);
        if (!frame || (*frame).found != Found::frame) {
            at += page_bytes;
            continue;
        }
        read_payload((*frame).header, *reader, dictionary);
        at += (*frame).header.file_bytes();
    }
    const auto data = (*reader).first_nonzero(0);
    const auto end = (*reader).end_of_data(0);
    if (data && end && (*data).has_value() != (*end > 0)) std::abort();
}

}  // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    read_segment(bytes);
    read_segment(make_right(bytes));
    return 0;
}
