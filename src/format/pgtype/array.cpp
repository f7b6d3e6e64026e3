// Arrays: array_out's braces and array_send's dimensions, for columns that are lists. Only what a
// list can hold gets in: one dimension counted from 1, or the empty array.
#include "base/bytes.hpp"
#include "format/pgtype/codec.hpp"

namespace leat::pgtype {

namespace {

using detail::ColumnState;

auto open_list(ColumnState& column) -> bool {
    return static_cast<arrow::ListBuilder&>(*column.builder).Append().ok();
}

auto append_null(ColumnState& column) -> ValueFault {
    return column.builder->AppendNull().ok() ? ValueFault::none : ValueFault::capacity;
}

// A quoted element: takes it off `text`, without its quotes and backslashes.
auto unquote(std::string_view& text, std::string& out) -> bool {
    out.clear();
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return true;
        }
        if (text[i] == '\\' && ++i == text.size()) return false;
        out.push_back(text[i]);
    }
    return false;
}

// One element off the front of `text`, which stands behind a brace or delimiter.
auto append_text_element(ColumnState& column, std::string_view& text) -> ValueFault {
    auto& element = *column.element;
    if (text.empty()) return ValueFault::malformed;
    if (text.front() == '{') return ValueFault::array_shape;
    if (text.front() == '"') {
        if (!unquote(text, column.scratch)) return ValueFault::malformed;
        return element.text(element, column.scratch);
    }
    std::size_t size = 0;
    while (size < text.size() && text[size] != column.mapping.delimiter && text[size] != '}')
        ++size;
    const auto value = text.substr(0, size);
    text.remove_prefix(size);
    if (value.empty()) return ValueFault::malformed;
    if (value == "NULL") return append_null(element);
    return element.text(element, value);
}

}  // namespace

auto append_text_array(ColumnState& column, std::string_view text) -> ValueFault {
    // "[0:2]={…}": lower bounds are printed when one of them is not 1.
    const bool bounds = !text.empty() && text.front() == '[';
    if (text.size() < 2 || text.front() != '{' || text.back() != '}')
        return fail_slot(*column.builder, bounds ? ValueFault::array_shape : ValueFault::malformed);
    if (!open_list(column)) return ValueFault::capacity;
    text.remove_prefix(1);
    if (text == "}") return ValueFault::none;
    while (true) {
        const auto fault = append_text_element(column, text);
        if (fault != ValueFault::none) return fault;
        if (text == "}") return ValueFault::none;
        if (text.empty() || text.front() != column.mapping.delimiter) return ValueFault::malformed;
        text.remove_prefix(1);
    }
}

auto append_binary_array(ColumnState& column, std::string_view bytes) -> ValueFault {
    ByteReader in(bytes);
    const auto dimensions = in.big<std::int32_t>();
    in.take(8);  // "has nulls" and the element's oid: nothing that the values do not say
    if (in.ok() && dimensions > 1) return fail_slot(*column.builder, ValueFault::array_shape);
    std::int32_t count = 0;
    if (dimensions == 1) {
        count = in.big<std::int32_t>();
        const auto first = in.big<std::int32_t>();
        if (in.ok() && first != 1) return fail_slot(*column.builder, ValueFault::array_shape);
    }
    if (!in.ok() || dimensions < 0 || count < 0)
        return fail_slot(*column.builder, ValueFault::malformed);
    if (!open_list(column)) return ValueFault::capacity;
    auto& element = *column.element;
    for (std::int32_t i = 0; i < count; ++i) {
        const auto size = in.big<std::int32_t>();
        if (!in.ok() || size < -1) return ValueFault::malformed;
        const auto value = in.take(static_cast<std::size_t>(size > 0 ? size : 0));
        if (!in.ok()) return ValueFault::malformed;
        const auto fault = size < 0 ? append_null(element) : element.binary(element, value);
        if (fault != ValueFault::none) return fault;
    }
    return in.remaining() == 0 ? ValueFault::none : ValueFault::malformed;
}

}  // namespace leat::pgtype
