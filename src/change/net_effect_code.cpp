// Canonical bytes per value: one tag (0 null, 1 value), then the value, with its length in front
// where that varies.
#include "change/net_effect_code.hpp"

#include <arrow/array/array_nested.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace leat::net_effect {

namespace {

template <class T>
auto load(const std::uint8_t* bytes, std::int64_t index) -> T {
    T value;
    std::memcpy(&value, bytes + index * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    return value;
}

template <class T>
auto append_raw(T value, std::string& code) -> void {
    code.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

auto buffer_bytes(const arrow::ArrayData& data, std::size_t buffer) -> const std::uint8_t* {
    return data.buffers[buffer] ? data.buffers[buffer]->data() : nullptr;
}

}  // namespace

// False for a type that no column of ours has.
auto ColumnCode::set_layout(const arrow::Array& array) -> bool {
    const auto& data = *array.data();
    offset_ = data.offset;
    switch (array.type_id()) {
        case arrow::Type::NA: kind_ = Kind::nothing; return true;
        case arrow::Type::BOOL:
            kind_ = Kind::bit;
            values_ = buffer_bytes(data, 1);
            return true;
        case arrow::Type::FLOAT:
        case arrow::Type::DOUBLE:
            kind_ = array.type_id() == arrow::Type::FLOAT ? Kind::real32 : Kind::real64;
            values_ = buffer_bytes(data, 1);
            return true;
        case arrow::Type::STRING:
        case arrow::Type::BINARY:
        case arrow::Type::LARGE_STRING:
        case arrow::Type::LARGE_BINARY:
            kind_ = arrow::is_large_binary_like(array.type_id()) ? Kind::bytes64 : Kind::bytes32;
            offsets_ = buffer_bytes(data, 1);
            values_ = buffer_bytes(data, 2);
            return true;
        case arrow::Type::LIST:
        case arrow::Type::LARGE_LIST:
            kind_ = array.type_id() == arrow::Type::LIST ? Kind::list32 : Kind::list64;
            offsets_ = buffer_bytes(data, 1);
            return true;
        case arrow::Type::FIXED_SIZE_LIST:
            kind_ = Kind::fixed_list;
            width_ = static_cast<const arrow::FixedSizeListType&>(*array.type()).list_size();
            return true;
        case arrow::Type::STRUCT: kind_ = Kind::structure; return true;
        default: break;
    }
    if (!arrow::is_fixed_width(array.type_id()) || array.type_id() == arrow::Type::DICTIONARY)
        return false;
    kind_ = Kind::fixed;
    width_ = array.type()->byte_width();
    values_ = buffer_bytes(data, 1);
    return true;
}

auto ColumnCode::make(const arrow::Array& array, ZeroSign zero_sign) -> Result<ColumnCode> {
    ColumnCode code;
    code.array_ = &array;
    code.zero_sign_ = zero_sign;
    if (!code.set_layout(array))
        return Error{Fault::fatal, "rows cannot be compared: type " + array.type()->ToString(),
                     "Report this: the source made a type that no column may have.", "collapse"};
    switch (code.kind_) {
        case Kind::list32:
            code.children_.push_back(
                TRY(make(*static_cast<const arrow::ListArray&>(array).values(), zero_sign)));
            break;
        case Kind::list64:
            code.children_.push_back(
                TRY(make(*static_cast<const arrow::LargeListArray&>(array).values(), zero_sign)));
            break;
        case Kind::fixed_list:
            code.children_.push_back(TRY(
                make(*static_cast<const arrow::FixedSizeListArray&>(array).values(), zero_sign)));
            break;
        case Kind::structure:
            for (const auto& field : static_cast<const arrow::StructArray&>(array).fields())
                code.children_.push_back(TRY(make(*field, zero_sign)));
            break;
        default: break;
    }
    return code;
}

auto ColumnCode::append(std::int64_t row, std::string& code) const -> void {
    if (kind_ == Kind::nothing || array_->IsNull(row)) {
        code += '\0';
        return;
    }
    code += '\1';
    append_value(row, code);
}

template <class Real, class Bits>
auto ColumnCode::append_real(std::int64_t row, std::string& code) const -> void {
    auto value = load<Real>(values_, offset_ + row);
    if (std::isnan(value)) value = std::numeric_limits<Real>::quiet_NaN();
    else if (zero_sign_ == ZeroSign::ignore && value == Real{0}) value = Real{0};
    append_raw(std::bit_cast<Bits>(value), code);
}

template <class Offset>
auto ColumnCode::append_bytes(std::int64_t row, std::string& code) const -> void {
    const auto begin = load<Offset>(offsets_, offset_ + row);
    const auto end = load<Offset>(offsets_, offset_ + row + 1);
    const auto length = static_cast<std::size_t>(end - begin);
    append_raw(static_cast<std::uint64_t>(length), code);
    if (length != 0) code.append(reinterpret_cast<const char*>(values_) + begin, length);
}

auto ColumnCode::append_items(std::int64_t begin, std::int64_t end, std::string& code) const
    -> void {
    append_raw(end - begin, code);
    for (auto item = begin; item < end; ++item) children_.front().append(item, code);
}

auto ColumnCode::append_value(std::int64_t row, std::string& code) const -> void {
    const auto at = offset_ + row;
    switch (kind_) {
        case Kind::nothing: return;
        case Kind::bit: code += static_cast<char>(arrow::bit_util::GetBit(values_, at)); return;
        case Kind::fixed:
            code.append(reinterpret_cast<const char*>(values_) + at * width_,
                        static_cast<std::size_t>(width_));
            return;
        case Kind::real32: append_real<float, std::uint32_t>(row, code); return;
        case Kind::real64: append_real<double, std::uint64_t>(row, code); return;
        case Kind::bytes32: append_bytes<std::int32_t>(row, code); return;
        case Kind::bytes64: append_bytes<std::int64_t>(row, code); return;
        case Kind::list32:
            append_items(load<std::int32_t>(offsets_, at), load<std::int32_t>(offsets_, at + 1),
                         code);
            return;
        case Kind::list64:
            append_items(load<std::int64_t>(offsets_, at), load<std::int64_t>(offsets_, at + 1),
                         code);
            return;
        case Kind::fixed_list: append_items(at * width_, (at + 1) * width_, code); return;
        case Kind::structure:
            // fields() of a struct array are sliced with it: rows count from its own beginning.
            for (const auto& child : children_) child.append(row, code);
            return;
    }
}

}  // namespace leat::net_effect
