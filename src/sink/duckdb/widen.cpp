// Widening of types and values.
#include "sink/duckdb/widen.hpp"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/compute/cast.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <string>

namespace leat::duckdb {

namespace {

auto is_integer(duckdb_type id) -> bool {
    return id == DUCKDB_TYPE_SMALLINT || id == DUCKDB_TYPE_INTEGER || id == DUCKDB_TYPE_BIGINT;
}

// Arrow's own text of a small decimal has an exponent.
auto spelled(const arrow::Decimal128& value, std::int32_t scale) -> std::string {
    auto text = arrow::Decimal128(arrow::Decimal128::Abs(value)).ToIntegerString();
    const auto digits = static_cast<std::size_t>(scale);
    if (text.size() <= digits) text.insert(0, digits + 1 - text.size(), '0');
    if (digits > 0) text.insert(text.size() - digits, ".");
    return (value.Sign() < 0 ? "-" : "") + text;
}

auto decimals_as_text(const arrow::Array& array) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    const auto& decimals = static_cast<const arrow::Decimal128Array&>(array);
    const auto scale = static_cast<const arrow::Decimal128Type&>(*array.type()).scale();
    arrow::StringBuilder builder;
    for (std::int64_t row = 0; row < array.length(); ++row) {
        if (array.IsNull(row)) {
            ARROW_RETURN_NOT_OK(builder.AppendNull());
        } else {
            ARROW_RETURN_NOT_OK(
                builder.Append(spelled(arrow::Decimal128(decimals.GetValue(row)), scale)));
        }
    }
    return builder.Finish();
}

}  // namespace

auto widens(const ColumnType& from, const ColumnType& to) -> bool {
    if (from.kind == Kind::list && to.kind == Kind::list)
        return from.item->sql == to.item->sql || widens(*from.item, *to.item);
    if (from.kind == Kind::decimal && to.kind == Kind::text) return true;
    if (from.kind == Kind::decimal && to.kind == Kind::decimal)
        return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
    if (from.kind != Kind::fixed || to.kind != Kind::fixed) return false;
    if (from.id == DUCKDB_TYPE_FLOAT) return to.id == DUCKDB_TYPE_DOUBLE;
    return is_integer(from.id) && is_integer(to.id) && to.width > from.width;
}

auto widen(const std::shared_ptr<arrow::Array>& array, const std::shared_ptr<arrow::DataType>& type)
    -> arrow::Result<std::shared_ptr<arrow::Array>> {
    if (array->type()->Equals(*type)) return array;
    if (array->type_id() == arrow::Type::DECIMAL128 && type->id() == arrow::Type::STRING)
        return decimals_as_text(*array);
    if (array->type_id() == arrow::Type::LIST && type->id() == arrow::Type::LIST) {
        const auto& lists = static_cast<const arrow::ListArray&>(*array);
        ARROW_ASSIGN_OR_RAISE(const auto items,
                              widen(lists.values(), type->field(0)->type()));
        return std::make_shared<arrow::ListArray>(type, lists.length(), lists.value_offsets(), items,
                                                  lists.null_bitmap(), arrow::kUnknownNullCount,
                                                  lists.offset());
    }
    return arrow::compute::Cast(*array, type);
}

}  // namespace leat::duckdb
