// Segment header pages and file names.
#include "queue/log/segment.hpp"

#include <charconv>
#include <cstring>

#include "base/bytes.hpp"
#include "queue/log/crc32c.hpp"
#include "queue/log/little.hpp"

namespace leat::log_queue {

namespace {

constexpr std::string_view magic = "LEATSEG\n";
constexpr std::size_t crc_at = page_bytes - 4;
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t number_digits = 16;

}  // namespace

auto to_string(SequenceKind kind) -> std::string_view {
    return kind == SequenceKind::changes ? "changes" : "snapshot";
}

auto to_string(const Uuid& uuid) -> std::string {
    std::string text;
    for (const char byte : uuid) {
        text += hex_digits[static_cast<unsigned char>(byte) >> 4];
        text += hex_digits[static_cast<unsigned char>(byte) & 15];
    }
    return text;
}

auto parse_uuid(std::string_view text) -> std::optional<Uuid> {
    Uuid uuid{};
    if (text.size() != 2 * uuid.size()) return std::nullopt;
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        const auto high = hex_digits.find(text[2 * i]);
        const auto low = hex_digits.find(text[2 * i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        uuid[i] = static_cast<char>(high * 16 + low);
    }
    return uuid;
}

auto encode(const SegmentHeader& header) -> std::string {
    std::string page(magic);
    put(page, format_version);
    put(page, static_cast<std::uint8_t>(header.kind));
    page.append(3, '\0');
    page.append(header.log.data(), header.log.size());
    put(page, header.number);
    put(page, header.base_offset);
    put(page, header.salt);
    put(page, header.file_bytes);
    put(page, header.created_us);
    put(page, header.closing_crc);
    page.resize(page_bytes, '\0');
    put_at(page, crc_at, crc32c(std::string_view(page).substr(0, crc_at)));
    return page;
}

auto decode_segment_header(std::string_view page) -> DecodedPage {
    DecodedPage decoded;
    if (page.size() != page_bytes) return decoded;
    if (all_zero(page)) {
        decoded.state = PageState::empty;
        return decoded;
    }
    if (!page.starts_with(magic) ||
        get_at<std::uint32_t>(page, crc_at) != crc32c(page.substr(0, crc_at)))
        return decoded;
    ByteReader reader(page.substr(magic.size()));
    auto& header = decoded.header;
    decoded.version = reader.little<std::uint32_t>();
    if (decoded.version > format_version) {
        decoded.state = PageState::newer;
        return decoded;
    }
    const auto kind = reader.little<std::uint8_t>();
    reader.take(3);
    const auto log = reader.take(header.log.size());
    std::memcpy(header.log.data(), log.data(), header.log.size());
    header.kind = static_cast<SequenceKind>(kind);
    header.number = reader.little<std::uint64_t>();
    header.base_offset = reader.little<std::uint64_t>();
    header.salt = reader.little<std::uint64_t>();
    header.file_bytes = reader.little<std::uint64_t>();
    header.created_us = reader.little<std::int64_t>();
    header.closing_crc = reader.little<std::uint32_t>();
    const bool sound = reader.ok() && decoded.version > 0 && (kind == 1 || kind == 2) &&
                       header.file_bytes >= 2 * page_bytes && header.file_bytes % page_bytes == 0;
    decoded.state = sound ? PageState::valid : PageState::invalid;
    return decoded;
}

auto frame_seed(const SegmentHeader& header) -> std::uint32_t {
    std::string bytes(header.log.data(), header.log.size());
    put(bytes, header.salt);
    return crc32c(bytes);
}

auto segment_name(SequenceKind kind, std::uint64_t number) -> std::string {
    std::string digits(number_digits, '0');
    for (auto at = digits.rbegin(); number != 0; number >>= 4, ++at) *at = hex_digits[number & 15];
    return std::string(to_string(kind)) + "-" + digits + ".seg";
}

auto parse_segment_name(std::string_view name) -> std::optional<SegmentName> {
    for (const auto kind : sequence_kinds) {
        const auto prefix = to_string(kind);
        if (!name.starts_with(prefix)) continue;
        const auto rest = name.substr(prefix.size());
        if (rest.size() != number_digits + 5 || rest.front() != '-' || !rest.ends_with(".seg"))
            return std::nullopt;
        SegmentName parsed{kind, 0};
        const auto digits = rest.substr(1, number_digits);
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), parsed.number, 16);
        if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
        return parsed;
    }
    return std::nullopt;
}

auto all_zero(std::string_view bytes) -> bool {
    // Comparing a range with itself, one byte on, is memcmp and therefore fast.
    return bytes.empty() || (bytes.front() == '\0' &&
                             std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

auto damage(std::string_view file, std::uint64_t at, std::string_view what) -> Error {
    return Error{Fault::fatal,
                 "log is damaged: " + std::string(what) + " at byte " + std::to_string(at),
                 "Look at it with `leat log inspect`, put the folder back from a copy, or run "
                 "`leat drop FILE`, move the warehouse files away and start again.",
                 std::string(file), Code::log_damaged};
}

}  // namespace leat::log_queue
