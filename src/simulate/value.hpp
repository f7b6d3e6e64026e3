// Values of the sample data, as rich as documents are: what the generator makes and each writer
// puts into its database's own form. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace leat::simulate {

struct Null {
    auto operator==(const Null&) const -> bool = default;
};
struct Time {
    std::int64_t us = 0;  // since 1970-01-01 UTC
    auto operator==(const Time&) const -> bool = default;
};
struct Decimal {
    std::string digits;  // such as 12.30
    auto operator==(const Decimal&) const -> bool = default;
};
// A value of a type that only MongoDB has, in canonical extended JSON: {"$minKey": 1}.
struct Extended {
    std::string json;
    auto operator==(const Extended&) const -> bool = default;
};

struct Field;
struct Value;
using Array = std::vector<Value>;
using Document = std::vector<Field>;  // fields in order; a row is one

struct Value {
    std::variant<Null, bool, std::int32_t, std::int64_t, double, std::string, Decimal, Time,
                 Extended, Array, Document>
        held;
    auto operator==(const Value&) const -> bool = default;
};

struct Field {
    std::string name;
    Value value;
    auto operator==(const Field&) const -> bool = default;
};

template <class T>
auto value(T held) -> Value {
    return Value{std::move(held)};
}
inline auto text(std::string held) -> Value {
    return Value{std::move(held)};
}

// 1230 as the decimal 12.30.
auto money(std::int64_t cents) -> Value;

// About as many bytes as the document takes as BSON.
auto size_of(const Document& document) -> std::size_t;

}  // namespace leat::simulate
