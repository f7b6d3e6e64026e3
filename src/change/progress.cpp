// The one-line text form of a Progress: fixed fields in fixed order, so that decoding is exact.
#include "change/progress.hpp"

#include <array>
#include <charconv>
#include <concepts>

namespace leat {

namespace {

constexpr std::string_view heading = "leat-progress-1";
constexpr std::string_view hex_digits = "0123456789abcdef";

auto to_hex(std::string_view bytes) -> std::string {
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const char byte : bytes) {
        hex += hex_digits[static_cast<unsigned char>(byte) >> 4];
        hex += hex_digits[static_cast<unsigned char>(byte) & 15];
    }
    return hex;
}

auto from_hex(std::string_view hex, std::string& bytes) -> bool {
    if (hex.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const auto high = hex_digits.find(hex[i]);
        const auto low = hex_digits.find(hex[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return false;
        bytes += static_cast<char>(high * 16 + low);
    }
    return true;
}

auto position_text(const Position& position) -> std::string {
    return to_string(position) + "/" + to_hex(position.token);
}

// Takes `text` apart from the front; after the first mismatch `ok` stays false.
class Fields {
public:
    explicit Fields(std::string_view text) : rest_(text) {}

    auto literal(std::string_view expected) -> void {
        if (!rest_.starts_with(expected)) ok_ = false;
        else rest_.remove_prefix(expected.size());
    }
    template <std::integral T>
    auto number(T& value) -> void {
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (error != std::errc{}) ok_ = false;
        else rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    }
    auto position(Position& value) -> void {
        number(value.lineage);
        literal("/");
        number(value.commit);
        literal("/");
        number(value.ordinal);
        literal("/");
        const auto end = rest_.find(';');
        const auto hex = rest_.substr(0, end);
        if (!from_hex(hex, value.token)) ok_ = false;
        rest_.remove_prefix(hex.size());
    }
    [[nodiscard]] auto done() const -> bool { return ok_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace

auto encode(const Progress& progress) -> std::string {
    const auto& offsets = progress.offsets;
    std::string text(heading);
    text += ";generation=" + std::to_string(offsets.generation);
    text += ";consistent=" + position_text(offsets.consistent_point);
    text += ";snapshot=" + std::to_string(offsets.snapshot_offset);
    text += ";image=" + std::to_string(offsets.image_complete ? 1 : 0);
    text += ";changes=" + std::to_string(offsets.change_offset);
    text += ";position=" + position_text(progress.position);
    text += ";time=" + std::to_string(progress.commit_time_us);
    // Closed by a semicolon: a text that was cut short must not read as a smaller number.
    text += ";incarnation=" + std::to_string(progress.incarnation) + ";";
    return text;
}

auto decode_progress(std::string_view text) -> Result<Progress> {
    Progress progress;
    int image = 0;
    Fields fields(text);
    fields.literal(heading);
    fields.literal(";generation=");
    fields.number(progress.offsets.generation);
    fields.literal(";consistent=");
    fields.position(progress.offsets.consistent_point);
    fields.literal(";snapshot=");
    fields.number(progress.offsets.snapshot_offset);
    fields.literal(";image=");
    fields.number(image);
    fields.literal(";changes=");
    fields.number(progress.offsets.change_offset);
    fields.literal(";position=");
    fields.position(progress.position);
    fields.literal(";time=");
    fields.number(progress.commit_time_us);
    fields.literal(";incarnation=");
    fields.number(progress.incarnation);
    fields.literal(";");
    progress.offsets.image_complete = image == 1;
    if (!fields.done() || encode(progress) != text)
        return Error{Fault::fatal, "progress cannot be read: not of a form this version knows",
                     "Use the version of leat that wrote it, or rebuild the sink.", "progress",
                     Code::log_version};
    return progress;
}

}  // namespace leat
