// The one-line text form of a Progress: fixed fields in fixed order, so that decoding is exact.
#include "change/progress.hpp"

#include <array>
#include <charconv>
#include <concepts>

namespace leat {

namespace {

constexpr std::string_view heading = "leat-progress-2";
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

// "schema.table,…" in hex, so that no name can break the line apart.
auto tables_text(const std::set<TableName>& tables) -> std::string {
    std::string text;
    for (const auto& table : tables)
        text += (text.empty() ? "" : ",") + to_hex(table.schema) + "." + to_hex(table.table);
    return text;
}

auto place_text(const Place& place) -> std::string {
    return ";generation=" + std::to_string(place.generation) +
           ";consistent=" + position_text(place.consistent_point) +
           ";settled=" + position_text(place.settled_point) +
           ";snapshot=" + std::to_string(place.snapshot_offset) +
           ";image=" + std::to_string(place.image_complete ? 1 : 0) +
           ";changes=" + std::to_string(place.change_offset);
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
    auto truth(bool& value) -> void {
        int digit = 0;
        number(digit);
        value = digit == 1;
    }
    auto position(Position& value) -> void {
        number(value.lineage);
        literal("/");
        number(value.commit);
        literal("/");
        number(value.ordinal);
        literal("/");
        if (!from_hex(until(";"), value.token)) ok_ = false;
    }
    auto tables(std::set<TableName>& value) -> void {
        while (ok_ && !rest_.starts_with(";")) {
            TableName name;
            const auto schema = until(".");
            literal(".");
            if (!from_hex(schema, name.schema) || !from_hex(until(",;"), name.table)) ok_ = false;
            if (rest_.starts_with(",")) literal(",");
            value.insert(std::move(name));
        }
    }
    auto place(Place& value) -> void {
        literal(";generation=");
        number(value.generation);
        literal(";consistent=");
        position(value.consistent_point);
        literal(";settled=");
        position(value.settled_point);
        literal(";snapshot=");
        number(value.snapshot_offset);
        literal(";image=");
        truth(value.image_complete);
        literal(";changes=");
        number(value.change_offset);
    }
    [[nodiscard]] auto is_next(std::string_view text) const -> bool {
        return ok_ && rest_.starts_with(text);
    }
    [[nodiscard]] auto done() const -> bool { return ok_ && rest_.empty(); }

private:
    auto until(std::string_view ends) -> std::string_view {
        const auto text = rest_.substr(0, rest_.find_first_of(ends));
        rest_.remove_prefix(text.size());
        return text;
    }

    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace

auto encode(const Progress& progress) -> std::string {
    const auto& offsets = progress.offsets;
    std::string text(heading);
    text += place_text(offsets);
    text += ";swapped=" + std::to_string(offsets.is_swapped_in ? 1 : 0);
    text += ";absent=" + tables_text(offsets.absent);
    for (const auto& rebuild : offsets.rebuilds)
        text += ";rebuild" + place_text(rebuild) + ";tables=" + tables_text(rebuild.tables);
    text += ";position=" + position_text(progress.position);
    text += ";time=" + std::to_string(progress.commit_time_us);
    // Closed by a semicolon: a text that was cut short must not read as a smaller number.
    text += ";incarnation=" + std::to_string(progress.incarnation) + ";";
    return text;
}

auto decode_progress(std::string_view text) -> Result<Progress> {
    Progress progress;
    Fields fields(text);
    fields.literal(heading);
    fields.place(progress.offsets);
    fields.literal(";swapped=");
    fields.truth(progress.offsets.is_swapped_in);
    fields.literal(";absent=");
    fields.tables(progress.offsets.absent);
    while (fields.is_next(";rebuild")) {
        auto& rebuild = progress.offsets.rebuilds.emplace_back();
        fields.literal(";rebuild");
        fields.place(rebuild);
        fields.literal(";tables=");
        fields.tables(rebuild.tables);
    }
    fields.literal(";position=");
    fields.position(progress.position);
    fields.literal(";time=");
    fields.number(progress.commit_time_us);
    fields.literal(";incarnation=");
    fields.number(progress.incarnation);
    fields.literal(";");
    if (!fields.done() || encode(progress) != text)
        return Error{Fault::fatal, "progress cannot be read: not of a form this version knows",
                     "Use the version of leat that wrote it, or rebuild the sink.", "progress",
                     Code::log_version};
    return progress;
}

}  // namespace leat
