// Private to this folder. One struct per codec says how a value is read; column_codec() turns it
// into the two functions that a writer calls, with the builder's type known at compile time.
#pragma once

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>

#include <string_view>

#include "format/pgtype/pgtype.hpp"

namespace leat::pgtype {

struct CodecFunctions {
    detail::AppendValue text = nullptr;
    detail::AppendValue binary = nullptr;
};

// Of one value (codec list excepted) and of a whole array.
auto scalar_functions(Codec codec) -> CodecFunctions;
auto append_text_array(detail::ColumnState& column, std::string_view text) -> ValueFault;
auto append_binary_array(detail::ColumnState& column, std::string_view bytes) -> ValueFault;

// Keeps the row's columns aligned after a value that could not be read.
inline auto fail_slot(arrow::ArrayBuilder& builder, ValueFault fault) -> ValueFault {
    return builder.AppendNull().ok() ? fault : ValueFault::capacity;
}

}  // namespace leat::pgtype
