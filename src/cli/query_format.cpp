// Layout of answers; see query_format.hpp.
#include "cli/query_format.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <string_view>

namespace leat::cli {

namespace {

auto is_number(std::string_view type) -> bool {
    constexpr std::array<std::string_view, 12> numbers = {
        "TINYINT",  "SMALLINT",  "INTEGER", "BIGINT",   "HUGEINT", "UTINYINT",
        "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT",   "DOUBLE"};
    return type.starts_with("DECIMAL") ? !type.ends_with("[]")
                                       : std::find(numbers.begin(), numbers.end(), type) !=
                                             numbers.end();
}

// Code points, so that columns stand straight for most scripts.
auto width_of(std::string_view text) -> std::size_t {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

// What would break the line or drive the terminal, made visible.
auto on_one_line(std::string_view text) -> std::string {
    std::string line;
    for (const char c : text) {
        if (c == '\n') line += "\\n";
        else if (c == '\r') line += "\\r";
        else if (c == '\t') line += "\\t";
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) line += '?';
        else line += c;
    }
    return line;
}

auto shown(const std::optional<std::string>& value) -> std::string {
    return value ? on_one_line(*value) : "NULL";
}

auto csv_field(std::string_view text) -> std::string {
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos)
        return std::string(text);
    std::string field = "\"";
    for (const char c : text) field += c == '"' ? std::string("\"\"") : std::string(1, c);
    return field + "\"";
}

// JSON has no words for these numbers.
auto is_finite(const std::string& digits) -> bool {
    return digits.find_first_of("nN") == std::string::npos;
}

auto json_value(const std::optional<std::string>& value, std::string_view type) -> std::string {
    if (!value) return "null";
    if (type == "BOOLEAN" || (is_number(type) && is_finite(*value))) return *value;
    return boost::json::serialize(boost::json::string_view(*value));
}

}  // namespace

auto as_table(const QueryAnswer& answer) -> std::string {
    const auto columns = answer.columns.size();
    std::vector<std::size_t> widths(columns);
    for (std::size_t i = 0; i < columns; ++i) {
        widths[i] = width_of(on_one_line(answer.columns[i]));
        for (const auto& row : answer.rows) widths[i] = std::max(widths[i], width_of(shown(row[i])));
    }
    std::string text;
    const auto end_line = [&] {
        text.erase(text.find_last_not_of(' ') + 1);
        text += '\n';
    };
    const auto add = [&](std::size_t i, const std::string& cell) {
        const std::string space(widths[i] - width_of(cell), ' ');
        text += (i == 0 ? "" : "  ") + (is_number(answer.types[i]) ? space + cell : cell + space);
    };
    for (std::size_t i = 0; i < columns; ++i) add(i, on_one_line(answer.columns[i]));
    end_line();
    for (std::size_t i = 0; i < columns; ++i) add(i, std::string(widths[i], '-'));
    end_line();
    for (const auto& row : answer.rows) {
        for (std::size_t i = 0; i < columns; ++i) add(i, shown(row[i]));
        // Rows of empty texts are lines too.
        end_line();
    }
    const auto count = answer.rows.size();
    return text + "(" + std::to_string(count) + (count == 1 ? " row" : " rows") +
           (answer.truncated ? ", more were left out)\n" : ")\n");
}

auto as_csv(const QueryAnswer& answer) -> std::string {
    std::string text;
    const auto separator = [&](std::size_t i) {
        text += i + 1 == answer.columns.size() ? "\r\n" : ",";
    };
    for (std::size_t i = 0; i < answer.columns.size(); ++i) {
        text += csv_field(answer.columns[i]);
        separator(i);
    }
    for (const auto& row : answer.rows)
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (row[i]) text += csv_field(*row[i]);
            separator(i);
        }
    return text;
}

auto as_json(const QueryAnswer& answer) -> std::string {
    std::string text = "[";
    for (std::size_t number = 0; number < answer.rows.size(); ++number) {
        text += number == 0 ? "\n{" : ",\n{";
        for (std::size_t i = 0; i < answer.columns.size(); ++i)
            text += (i == 0 ? "" : ",") +
                    boost::json::serialize(boost::json::string_view(answer.columns[i])) + ":" +
                    json_value(answer.rows[number][i], answer.types[i]);
        text += '}';
    }
    return text + (answer.rows.empty() ? "]\n" : "\n]\n");
}

}  // namespace leat::cli
