// COPY … TO STDOUT (FORMAT binary): an incremental decoder ("COPY", section Binary Format). Pure:
// bytes in, rows out; one decoder per COPY, used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace leat::pgcopy {

// One column's value in its binary form; `bytes` is empty for NULL.
struct Field {
    bool null = true;
    std::string_view bytes;
};

// One row as a view: next() yields the columns left to right without checks, at most size() times.
// Valid until the following call of any function of its Decoder.
class RowView {
public:
    // Only for bytes that have been checked to hold exactly `columns` fields.
    RowView(std::string_view checked, std::uint16_t columns)
        : at_(checked.data()), bytes_(checked.size()), columns_(columns) {}

    [[nodiscard]] auto size() const -> std::size_t { return columns_; }
    [[nodiscard]] auto byte_size() const -> std::size_t { return bytes_; }
    auto next() -> Field {
        std::int32_t size = 0;
        std::memcpy(&size, at_, sizeof size);
        size = ByteReader::from_big(size);
        at_ += sizeof size;
        if (size < 0) return {};
        const Field field{false, {at_, static_cast<std::size_t>(size)}};
        at_ += size;
        return field;
    }

private:
    const char* at_;
    std::size_t bytes_;
    std::uint16_t columns_;
};

// Bytes arrive in pieces cut anywhere (the server glues the header to the first row). Use:
// feed(piece); then next() until it yields nothing; then the next piece. A row that lies within one
// piece is not copied, so the piece must live until next() yields nothing. Buffers at most one
// unfinished row (the server's limit for a row is 1 GB).
class Decoder {
public:
    // `columns`: how many the query selects; a row of another width is an error.
    explicit Decoder(std::uint16_t columns) : columns_(columns) {}

    // All rows of the piece before must have been taken.
    auto feed(std::string_view piece) -> void;
    // Nothing: more bytes are needed, or the trailer was reached. Errors (fatal): wrong signature,
    // flags that must be understood, bad lengths, wrong width, bytes after the trailer. After an
    // error only errors follow.
    auto next() -> Result<std::optional<RowView>>;
    // Whether the trailer was seen; a COPY that ends without it was cut off.
    [[nodiscard]] auto finished() const -> bool { return state_ == State::trailer; }

private:
    enum class State : std::uint8_t { header, rows, trailer, failed };

    auto read_header() -> Result<bool>;
    auto scan_row() -> Result<bool>;
    auto keep_rest() -> void;
    auto fail(std::string what) -> Error;

    std::uint16_t columns_;
    State state_ = State::header;
    std::string_view rest_;     // not yet handed out; in the piece or in pending_
    std::string pending_;       // an unfinished row and what came after
    std::size_t scanned_ = 0;   // bytes of rest_ known to be whole fields of the current row
    std::uint16_t fields_ = 0;  // fields within scanned_
};

}  // namespace leat::pgcopy
