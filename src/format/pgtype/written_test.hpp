// Written: one value through a ValueWriter into a one-row array, for this folder's tests.
#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "format/pgtype/pgtype.hpp"

namespace leat::pgtype {

struct Written {
    ValueFault fault = ValueFault::none;
    std::shared_ptr<arrow::Array> array;

    [[nodiscard]] auto shown() const -> std::string {
        return array->GetScalar(0).ValueOrDie()->ToString();
    }
    // Integers of any width, dates and times.
    template <class Array>
    [[nodiscard]] auto number() const {
        return static_cast<const Array&>(*array).Value(0);
    }
};

inline auto base(std::uint32_t oid, std::int32_t typmod = -1) -> PgType {
    PgType type;
    type.oid = oid;
    type.typmod = typmod;
    return type;
}

inline auto numeric(std::int32_t precision, std::int32_t scale) -> PgType {
    return base(1700, (precision << 16 | (scale & 0x7ff)) + 4);
}

inline auto array_of(const ScalarType& element, std::int32_t dimensions = 1) -> PgType {
    PgType type;
    type.kind = Kind::array;
    type.element = element;
    type.dimensions = dimensions;
    return type;
}

enum class Form { text, binary };

inline auto write(const PgType& type, Form form, std::string_view bytes) -> Written {
    const auto mapping = map(type);
    const auto builder = arrow::MakeBuilder(mapping.type).ValueOrDie();
    auto writer = ValueWriter::make(mapping, builder.get());
    if (!writer) {
        ADD_FAILURE() << writer.error().what;
        return {};
    }
    Written written;
    written.fault = form == Form::text ? writer->append_text(bytes) : writer->append_binary(bytes);
    written.array = builder->Finish().ValueOrDie();
    EXPECT_EQ(written.array->length(), 1);
    return written;
}

inline auto write_text(const PgType& type, std::string_view text) -> Written {
    return write(type, Form::text, text);
}
inline auto write_binary(const PgType& type, std::string_view bytes) -> Written {
    return write(type, Form::binary, bytes);
}

}  // namespace leat::pgtype
