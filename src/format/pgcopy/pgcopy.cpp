// COPY binary, incremental: header, rows, trailer. Only an unfinished row is ever copied.
#include "format/pgcopy/pgcopy.hpp"

#include <utility>

namespace leat::pgcopy {

namespace {

constexpr std::string_view signature{"PGCOPY\n\377\r\n\0", 11};
constexpr std::size_t header_bytes = signature.size() + 8;
// Bits 16-31 of the flags must be understood by the reader; bit 16 (oids) is gone since 12.
constexpr std::uint32_t critical_flags = 0xffff0000U;
constexpr std::size_t count_bytes = sizeof(std::int16_t);

}  // namespace

auto Decoder::fail(std::string what) -> Error {
    state_ = State::failed;
    rest_ = {};
    return Error{Fault::fatal, "copy stream not understood: " + std::move(what), "", "",
                 Code::pg_stream};
}

auto Decoder::feed(std::string_view piece) -> void {
    if (rest_.empty()) {
        pending_.clear();
        rest_ = piece;
        return;
    }
    keep_rest();
    pending_.append(piece);
    rest_ = pending_;
}

// What is left outlives the piece it came in.
auto Decoder::keep_rest() -> void {
    if (rest_.empty()) {
        pending_.clear();
    } else if (rest_.data() != pending_.data()) {
        std::string kept(rest_);  // rest_ may point into pending_
        pending_ = std::move(kept);
        rest_ = pending_;
    }
}

// True when the header and its extension were passed over.
auto Decoder::read_header() -> Result<bool> {
    const auto known = rest_.substr(0, signature.size());
    if (known != signature.substr(0, known.size())) return fail("wrong signature");
    if (rest_.size() < header_bytes) return false;
    ByteReader in(rest_.substr(signature.size()));
    const auto flags = in.big<std::uint32_t>();
    const auto extension = in.big<std::int32_t>();
    if ((flags & critical_flags) != 0) return fail("unknown flags");
    if (extension < 0) return fail("negative header extension");
    const auto size = header_bytes + static_cast<std::size_t>(extension);
    if (rest_.size() < size) return false;
    rest_.remove_prefix(size);
    state_ = State::rows;
    return true;
}

// True when a whole row (or the trailer) stands at the front of rest_, `scanned_` bytes long. Goes
// on where it stopped, so that a row in many small pieces is looked at once.
auto Decoder::scan_row() -> Result<bool> {
    if (scanned_ == 0) {
        if (rest_.size() < count_bytes) return false;
        const auto count = ByteReader(rest_).big<std::int16_t>();
        if (count == -1) {
            state_ = State::trailer;
            rest_.remove_prefix(count_bytes);
            if (!rest_.empty()) return fail("bytes after the trailer");
            return true;
        }
        if (count < 0 || count != columns_)
            return fail("row of " + std::to_string(count) + " columns instead of " +
                        std::to_string(columns_));
        scanned_ = count_bytes;
        fields_ = 0;
    }
    while (fields_ < columns_) {
        ByteReader in(rest_.substr(scanned_));
        const auto size = in.big<std::int32_t>();
        if (!in.ok()) return false;
        if (size < -1) return fail("negative value length");
        if (size > 0 && in.remaining() < static_cast<std::size_t>(size)) return false;
        scanned_ += sizeof size + static_cast<std::size_t>(size > 0 ? size : 0);
        ++fields_;
    }
    return true;
}

auto Decoder::next() -> Result<std::optional<RowView>> {
    if (state_ == State::failed) return fail("read after an error");
    if (state_ == State::header && !TRY(read_header())) return keep_rest(), std::nullopt;
    if (state_ == State::trailer) {
        if (!rest_.empty()) return fail("bytes after the trailer");
        return std::nullopt;
    }
    if (!TRY(scan_row())) return keep_rest(), std::nullopt;
    if (state_ == State::trailer) return std::nullopt;
    const RowView row(rest_.substr(count_bytes, scanned_ - count_bytes), columns_);
    rest_.remove_prefix(scanned_);
    scanned_ = 0;
    return std::optional<RowView>(row);
}

}  // namespace leat::pgcopy
