// Text of values and the Markdown table; see describe.hpp.
#include "config/describe.hpp"

#include <charconv>

#include "config/node.hpp"

namespace leat::config {
namespace detail {

auto format(bool value) -> std::string {
    return value ? "true" : "false";
}
auto format(std::int64_t value) -> std::string {
    return std::to_string(value);
}
auto format(std::uint64_t value) -> std::string {
    return std::to_string(value);
}

auto format(double value) -> std::string {
    std::string text(32, '\0');
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    text.resize(static_cast<std::size_t>(end - text.data()));
    return text;
}

auto format(const std::string& value) -> std::string {
    if (value.empty()) return {};
    constexpr std::string_view special_first = "&*!|>'%@`-? ";
    constexpr std::string_view special = "#\"{}[],\n\t";
    const bool is_plain = plain_kind(value) == Node::Kind::text &&
                          special_first.find(value.front()) == std::string_view::npos &&
                          value.find_first_of(special) == std::string::npos &&
                          value.find(": ") == std::string::npos && value.back() != ':' &&
                          value.back() != ' ';
    if (is_plain) return value;
    std::string text = "\"";
    for (const char c : value) {
        if (c == '\n') text += "\\n";
        else if (c == '\t') text += "\\t";
        else if (c == '"' || c == '\\') (text += '\\') += c;
        else text += c;
    }
    return text + "\"";
}

auto join(const std::vector<std::string>& parts) -> std::string {
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

auto bounds_text(const std::string& min, const std::string& max) -> std::string {
    if (min.empty() && max.empty()) return {};
    if (max.empty()) return "at least " + min;
    if (min.empty()) return "at most " + max;
    return min + " to " + max;
}

}  // namespace detail

auto markdown(std::span<const FieldInfo> fields) -> std::string {
    std::string text = "| key | type | default | meaning |\n|---|---|---|---|\n";
    for (const auto& field : fields) {
        std::string cell = field.required ? "required" : "";
        if (!field.default_value.empty()) cell = "`" + field.default_value + "`";
        const auto bounds = field.bounds.empty() ? "" : ", " + field.bounds;
        text += "| `" + field.key + "` | " + field.type + bounds + " | " + cell + " | " +
                field.doc + " |\n";
    }
    return text;
}

}  // namespace leat::config
