// ValueWriter: binds a mapping to a builder. Faults as Errors; constants as scalars.
#include <arrow/array.h>
#include <arrow/array/builder_base.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <utility>

#include "base/check.hpp"
#include "format/pgtype/codec.hpp"

namespace leat::pgtype {

namespace {

auto reason(ValueFault fault) -> const char* {
    switch (fault) {
        case ValueFault::none: break;
        case ValueFault::malformed: return "not a value of its type";
        case ValueFault::out_of_range: return "out of the range that its type can hold";
        case ValueFault::not_finite: return "NaN or infinity, which a decimal cannot hold";
        case ValueFault::array_shape:
            return "an array of several dimensions or not counted from 1, which a list cannot hold";
        case ValueFault::not_utf8: return "text that is not UTF-8";
        case ValueFault::no_binary: return "in binary form, which is not read for its type";
        case ValueFault::capacity: return "no more room in the batch";
    }
    return "no fault";
}

auto hint(ValueFault fault) -> const char* {
    switch (fault) {
        case ValueFault::not_finite:
            return "Declare the column numeric without precision, then NaN is kept as text.";
        case ValueFault::array_shape:
            return "Declare the column with its dimensions (integer[][]), then it is kept as text.";
        case ValueFault::not_utf8: return "Use a database whose encoding is UTF8.";
        default: return "";
    }
}

auto arrow_error(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "arrow: " + status.message(), "", ""};
}

auto bind(detail::ColumnState& state, Codec codec) -> void {
    const auto functions = scalar_functions(codec);
    state.text = functions.text;
    state.binary = functions.binary;
}

}  // namespace

auto to_error(ValueFault fault, std::string_view column, const ColumnMapping& mapping) -> Error {
    CHECK(fault != ValueFault::none);
    auto type = mapping.type->ToString();
    if (!mapping.logical_type.empty()) type += " (" + mapping.logical_type + ")";
    return Error{fault == ValueFault::capacity ? Fault::fatal : Fault::poison,
                 std::string("value cannot be taken: ") + reason(fault) + ", column " +
                     std::string(column) + ", type " + type,
                 hint(fault), "", Code::pg_value};
}

auto ValueWriter::make(ColumnMapping mapping, arrow::ArrayBuilder* builder) -> Result<ValueWriter> {
    CHECK(builder != nullptr && mapping.type != nullptr);
    if (!builder->type()->Equals(*mapping.type))
        return Error{Fault::fatal,
                     "builder of another type: " + builder->type()->ToString() + " instead of " +
                         mapping.type->ToString(),
                     "", ""};
    ValueWriter writer;
    auto& state = writer.state_;
    state.builder = builder;
    state.mapping = std::move(mapping);
    if (state.mapping.codec != Codec::list) {
        bind(state, state.mapping.codec);
        return writer;
    }
    state.text = &append_text_array;
    state.binary = &append_binary_array;
    state.element = std::make_unique<detail::ColumnState>();
    state.element->builder = static_cast<arrow::ListBuilder*>(builder)->value_builder();
    state.element->mapping = state.mapping;
    state.element->mapping.type = state.element->builder->type();
    bind(*state.element, state.mapping.element);
    return writer;
}

auto ValueWriter::append_null() -> ValueFault {
    return state_.builder->AppendNull().ok() ? ValueFault::none : ValueFault::capacity;
}

auto parse_default(const ColumnMapping& mapping, std::string_view text)
    -> Result<std::shared_ptr<arrow::Scalar>> {
    auto builder = arrow::MakeBuilder(mapping.type);
    if (!builder.ok()) return arrow_error(builder.status());
    auto writer = TRY(ValueWriter::make(mapping, builder->get()));
    const auto fault = writer.append_text(text);
    if (fault != ValueFault::none) return to_error(fault, "default", mapping);
    const auto array = (*builder)->Finish();
    if (!array.ok()) return arrow_error(array.status());
    auto scalar = (*array)->GetScalar(0);
    if (!scalar.ok()) return arrow_error(scalar.status());
    return std::move(*scalar);
}

}  // namespace leat::pgtype
