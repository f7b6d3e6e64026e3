// Widening of types and values.
#include "format/widen/widen.hpp"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/compute/cast.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <string>

#include "format/bson/json.hpp"
#include "format/widen/to_json.hpp"

namespace leat {

namespace {

auto is_tagged(const Column& column, std::string_view tag) -> bool {
    return column.type->id() == arrow::Type::STRING && column.logical_type == tag;
}

// A list's tag is its item's with "[]" behind it.
auto item_of(const Column& list) -> Column {
    Column item;
    item.type = list.type->field(0)->type();
    item.logical_type = list.logical_type.substr(0, list.logical_type.rfind("[]"));
    return item;
}

auto integer_bytes(const Column& column) -> int {
    switch (column.type->id()) {
        case arrow::Type::INT16: return 2;
        case arrow::Type::INT32: return 4;
        case arrow::Type::INT64: return 8;
        default: return 0;
    }
}

auto decimal_widens(const Column& from, const Column& to) -> bool {
    if (to.type->id() == arrow::Type::STRING) return true;
    if (to.type->id() != arrow::Type::DECIMAL128) return false;
    const auto& a = static_cast<const arrow::Decimal128Type&>(*from.type);
    const auto& b = static_cast<const arrow::Decimal128Type&>(*to.type);
    return b.scale() >= a.scale() && b.precision() - b.scale() >= a.precision() - a.scale();
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

// As JSON spells them, but for those that are none.
auto doubles_as_text(const arrow::Array& array) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    const auto& doubles = static_cast<const arrow::DoubleArray&>(array);
    arrow::StringBuilder builder;
    std::string text;
    for (std::int64_t row = 0; row < array.length(); ++row) {
        if (array.IsNull(row)) {
            ARROW_RETURN_NOT_OK(builder.AppendNull());
            continue;
        }
        text.clear();
        bson::append_number_text(text, doubles.Value(row));
        ARROW_RETURN_NOT_OK(builder.Append(text));
    }
    return builder.Finish();
}

auto widen_list(const arrow::Array& array, const Column& from, const Column& to)
    -> arrow::Result<std::shared_ptr<arrow::Array>> {
    const auto& lists = static_cast<const arrow::ListArray&>(array);
    ARROW_ASSIGN_OR_RAISE(const auto items, widen(lists.values(), item_of(from), item_of(to)));
    return std::make_shared<arrow::ListArray>(to.type, lists.length(), lists.value_offsets(), items,
                                              lists.null_bitmap(), arrow::kUnknownNullCount,
                                              lists.offset());
}

}  // namespace

auto widens(const Column& from, const Column& to) -> bool {
    const auto to_type = to.type->id();
    if (is_tagged(to, "json")) return has_json(from);
    switch (from.type->id()) {
        case arrow::Type::LIST: {
            if (to_type != arrow::Type::LIST) return false;
            const auto was = item_of(from);
            const auto now = item_of(to);
            return was.type->Equals(*now.type) || widens(was, now);
        }
        case arrow::Type::DECIMAL128: return decimal_widens(from, to);
        case arrow::Type::FLOAT: return to_type == arrow::Type::DOUBLE;
        case arrow::Type::DOUBLE: return is_tagged(to, "numeric");
        case arrow::Type::INT64: return to_type == arrow::Type::DOUBLE || is_tagged(to, "numeric");
        default: {
            const auto bytes = integer_bytes(from);
            return bytes > 0 && integer_bytes(to) > bytes;
        }
    }
}

auto widen(const std::shared_ptr<arrow::Array>& array, const Column& from, const Column& to)
    -> arrow::Result<std::shared_ptr<arrow::Array>> {
    if (is_tagged(to, "json") && !is_tagged(from, "json")) return to_json(*array, from);
    if (array->type()->Equals(*to.type)) return array;
    if (to.type->id() == arrow::Type::STRING) {
        if (array->type_id() == arrow::Type::DECIMAL128) return decimals_as_text(*array);
        if (array->type_id() == arrow::Type::DOUBLE) return doubles_as_text(*array);
    }
    if (array->type_id() == arrow::Type::LIST && to.type->id() == arrow::Type::LIST)
        return widen_list(*array, from, to);
    return arrow::compute::Cast(*array, to.type);
}

}  // namespace leat
