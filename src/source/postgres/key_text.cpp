// Values of the types that keys have, as text.
#include "source/postgres/key_text.hpp"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <limits>

namespace leat::postgres {

namespace {

template <class Integer>
auto infinity_of(Integer value) -> std::optional<std::string> {
    if (value == std::numeric_limits<Integer>::max()) return "infinity";
    if (value == std::numeric_limits<Integer>::min()) return "-infinity";
    return std::nullopt;
}

auto hex(std::string_view bytes) -> std::string {
    constexpr auto digits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

// Arrow's own text; what it cannot print it puts in angle brackets. Years before 1 it counts from 0
// and with a sign, PostgreSQL does not.
auto printed(const arrow::Array& values, std::int64_t row) -> std::optional<std::string> {
    const auto scalar = values.GetScalar(row);
    if (!scalar.ok()) return std::nullopt;
    auto text = (*scalar)->ToString();
    const bool is_date =
        values.type_id() == arrow::Type::DATE32 || values.type_id() == arrow::Type::TIMESTAMP;
    const bool is_early = is_date && (text.starts_with('-') || text.starts_with("0000"));
    if (text.starts_with('<') || is_early) return std::nullopt;
    return text;
}

}  // namespace

auto key_text(const arrow::Array& values, std::int64_t row) -> std::optional<std::string> {
    if (values.IsNull(row)) return std::nullopt;
    std::optional<std::string> text;
    switch (values.type_id()) {
        case arrow::Type::STRING:
            return static_cast<const arrow::StringArray&>(values).GetString(row);
        case arrow::Type::BINARY:
            return "\\x" + hex(static_cast<const arrow::BinaryArray&>(values).GetView(row));
        case arrow::Type::FIXED_SIZE_BINARY:
            return hex(static_cast<const arrow::FixedSizeBinaryArray&>(values).GetView(row));
        case arrow::Type::LIST: return std::nullopt;
        case arrow::Type::DATE32:
            text = infinity_of(static_cast<const arrow::Date32Array&>(values).Value(row));
            break;
        case arrow::Type::TIMESTAMP:
            text = infinity_of(static_cast<const arrow::TimestampArray&>(values).Value(row));
            break;
        default: break;
    }
    return text ? text : printed(values, row);
}

auto append_element(std::string& literal, const std::string& text) -> void {
    literal += literal.empty() ? "{\"" : ",\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') literal += '\\';
        literal += c;
    }
    literal += '"';
}

}  // namespace leat::postgres
