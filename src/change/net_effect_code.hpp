// ColumnCode: the values of an Arrow array as bytes that are equal exactly when the values are, to
// be hashed and compared. Internal to collapse.cpp.
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "change/collapse.hpp"

namespace leat::net_effect {

// NULL equals NULL and any NaN equals any NaN. Borrows the array. Self-delimiting: the codes of
// several columns may stand one after the other.
class ColumnCode {
public:
    static auto make(const arrow::Array& array, ZeroSign zero_sign) -> Result<ColumnCode>;

    auto append(std::int64_t row, std::string& code) const -> void;

private:
    enum class Kind : std::uint8_t {
        nothing,
        bit,
        fixed,
        real32,
        real64,
        bytes32,
        bytes64,
        list32,
        list64,
        fixed_list,
        structure
    };

    ColumnCode() = default;
    auto set_layout(const arrow::Array& array) -> bool;
    auto append_value(std::int64_t row, std::string& code) const -> void;
    template <class Real, class Bits>
    auto append_real(std::int64_t row, std::string& code) const -> void;
    template <class Offset>
    auto append_bytes(std::int64_t row, std::string& code) const -> void;
    auto append_items(std::int64_t begin, std::int64_t end, std::string& code) const -> void;

    Kind kind_ = Kind::nothing;
    ZeroSign zero_sign_ = ZeroSign::keep;
    const arrow::Array* array_ = nullptr;
    std::int64_t offset_ = 0;
    std::int32_t width_ = 0;                // bytes of a fixed value, items of a fixed list
    const std::uint8_t* values_ = nullptr;  // fixed values, or bytes that offsets point into
    const std::uint8_t* offsets_ = nullptr;
    std::vector<ColumnCode> children_;
};

}  // namespace leat::net_effect
