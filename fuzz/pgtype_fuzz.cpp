// Any bytes as a value: the first byte chooses the type, its top bit the binary form. Each append
// adds one slot, a good one makes a valid array, and a writer goes on after a bad one.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "format/pgtype/pgtype.hpp"

namespace {

using namespace leat::pgtype;  // NOLINT: the subject

auto scalar(std::uint32_t oid, std::int32_t typmod = -1) -> PgType {
    PgType type;
    type.oid = oid;
    type.typmod = typmod;
    return type;
}

auto all_types() -> std::vector<PgType> {
    constexpr std::int32_t numeric_12_2 = (12 << 16 | 2) + 4;
    constexpr std::int32_t numeric_38_38 = (38 << 16 | 38) + 4;
    std::vector<PgType> types;
    for (const std::uint32_t oid : {16U, 17U, 18U, 20U, 21U, 23U, 25U, 26U, 114U, 700U, 701U, 1082U,
                                    1083U, 1114U, 1184U, 1186U, 1700U, 2950U, 3802U})
        types.push_back(scalar(oid));
    types.push_back(scalar(1700, numeric_12_2));
    types.push_back(scalar(1700, numeric_38_38));
    const auto scalars = types;
    for (const auto& element : scalars) {
        PgType type;
        type.kind = Kind::array;
        type.element = element;
        type.dimensions = 1;
        types.push_back(type);
    }
    return types;
}

auto require(bool holds) -> void {
    if (!holds) std::abort();
}

// 24:00:00 is a time of day in PostgreSQL; Arrow's validation alone thinks otherwise.
auto holds_times(const ColumnMapping& mapping) -> bool {
    return mapping.codec == Codec::time || mapping.element == Codec::time;
}

}  // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    static const auto types = all_types();
    if (size < 1) return 0;
    const auto mapping = map(types[(data[0] & 0x7fU) % types.size()]);
    const bool binary = (data[0] & 0x80U) != 0;
    const std::string_view value(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto builder = arrow::MakeBuilder(mapping.type).ValueOrDie();
    auto writer = ValueWriter::make(mapping, builder.get());
    require(writer.has_value());
    for (std::int64_t row = 1; row <= 2; ++row) {
        const auto fault = binary ? writer->append_binary(value) : writer->append_text(value);
        require(fault != ValueFault::capacity);
        require(builder->length() == row);
        if (fault != ValueFault::none) require(!to_error(fault, "c", mapping).what.empty());
    }
    require(writer->append_null() == ValueFault::none);
    const auto array = builder->Finish().ValueOrDie();
    require(array->IsNull(2));
    require(holds_times(mapping) ? array->Validate().ok() : array->ValidateFull().ok());
    return 0;
}
