// Text forms of values; see postgres_text.hpp.
#include "simulate/postgres_text.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <boost/json.hpp>

namespace leat::simulate {

namespace {

auto time_text(const Time& time) -> std::string {
    constexpr std::int64_t second_us = 1'000'000;
    const auto seconds = time.us / second_us - (time.us % second_us < 0 ? 1 : 0);
    return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06}+00", fmt::gmtime(seconds),
                       time.us - seconds * second_us);
}

struct ToJson {
    auto operator()(const Null&) const -> boost::json::value { return nullptr; }
    auto operator()(const Decimal& decimal) const -> boost::json::value {
        return boost::json::string(decimal.digits);  // a number would lose digits
    }
    auto operator()(const Time& time) const -> boost::json::value {
        return boost::json::string(time_text(time));
    }
    auto operator()(const Extended& value) const -> boost::json::value {
        return boost::json::parse(value.json);
    }
    auto operator()(const Array& array) const -> boost::json::value {
        boost::json::array list;
        for (const auto& value : array) list.push_back(std::visit(*this, value.held));
        return list;
    }
    auto operator()(const Document& document) const -> boost::json::value {
        boost::json::object object;
        for (const auto& [name, value] : document) object[name] = std::visit(*this, value.held);
        return object;
    }
    template <class T>
    auto operator()(const T& held) const -> boost::json::value {
        return boost::json::value_from(held);
    }
};

// {"a","it's"}: quoted as JSON texts are, which an array's elements may be.
auto array_text(const Array& array) -> std::string {
    std::string text = "{";
    for (const auto& value : array) {
        if (text.size() > 1) text += ',';
        text += boost::json::serialize(std::visit(ToJson{}, value.held));
    }
    return text + "}";
}

struct ToText {
    ColumnType type;

    auto operator()(const Null&) const -> std::string { return ""; }
    auto operator()(bool held) const -> std::string { return held ? "t" : "f"; }
    auto operator()(const std::string& text) const -> std::string { return text; }
    auto operator()(const Decimal& decimal) const -> std::string { return decimal.digits; }
    auto operator()(const Time& time) const -> std::string { return time_text(time); }
    auto operator()(const Array& array) const -> std::string {
        return type == ColumnType::texts ? array_text(array)
                                         : boost::json::serialize(ToJson{}(array));
    }
    auto operator()(const Document& document) const -> std::string {
        return boost::json::serialize(ToJson{}(document));
    }
    auto operator()(const Extended& value) const -> std::string { return value.json; }
    template <class T>
    auto operator()(const T& number) const -> std::string {
        return fmt::format("{}", number);
    }
};

}  // namespace

auto postgres_text(const Value& value, ColumnType type) -> std::optional<std::string> {
    if (std::holds_alternative<Null>(value.held)) return std::nullopt;
    return std::visit(ToText{type}, value.held);
}

auto postgres_type(ColumnType type) -> std::string {
    switch (type) {
        case ColumnType::integer: return "integer";
        case ColumnType::bigint: return "bigint";
        case ColumnType::double_precision: return "double precision";
        case ColumnType::numeric: return "numeric(12,2)";
        case ColumnType::boolean: return "boolean";
        case ColumnType::text: return "text";
        case ColumnType::texts: return "text[]";
        case ColumnType::timestamp: return "timestamptz";
        case ColumnType::json: return "jsonb";
    }
    return "";
}

}  // namespace leat::simulate
