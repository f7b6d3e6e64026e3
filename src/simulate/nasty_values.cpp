// Odd values; see nasty_values.hpp. What only MongoDB knows is written in its extended JSON.
#include "simulate/nasty_values.hpp"

#include <fmt/core.h>

#include <limits>

namespace leat::simulate {

namespace {

using namespace std::string_view_literals;

// No zero: where a column holds 0.0 and -0.0, DuckDB's own compression keeps one of them only.
constexpr std::array odd_doubles = {0.1,
                                    1.5,
                                    1e16,
                                    1e300,
                                    std::numeric_limits<double>::denorm_min(),
                                    std::numeric_limits<double>::quiet_NaN(),
                                    std::numeric_limits<double>::infinity(),
                                    -std::numeric_limits<double>::infinity()};
constexpr std::array odd_texts = {""sv,
                                  " "sv,
                                  "NULL"sv,
                                  "it's \"quoted\""sv,
                                  "tab\tline\nend\r"sv,
                                  "naïve 漢字 🚰"sv,
                                  "{\"a\": 1}"sv,
                                  "2026-02-30"sv,
                                  "-0"sv,
                                  "5"sv,
                                  "1.0"sv,
                                  "507f1f77bcf86cd799439011"sv,
                                  "\0inside"sv};
constexpr std::array odd_decimals = {
    "0",       "-0.000",   "1.50",
    "NaN",     "Infinity", "-Infinity",
    "1E+6111", "1E-6176",  "9.999999999999999999999999999999999E+6144"};
constexpr std::array odd_names = {"a", "b", "A", "", "naïve 漢字", "with space", "_id", "0"};
constexpr std::array<std::int64_t, 5> odd_times = {0, -1'000, 253'402'300'799'999'000,
                                                   -62'135'596'800'000'000, 1'767'225'600'123'000};
constexpr std::array odd_types = {
    R"({"$oid": "64b0f0f0f0f0f0f0f0f0f0f0"})",
    R"({"$binary": {"base64": "AAECAwQ=", "subType": "00"}})",
    R"({"$binary": {"base64": "x//SZjbyTUScb8QG8HbYRg==", "subType": "04"}})",
    R"({"$binary": {"base64": "", "subType": "80"}})",
    R"({"$binary": {"base64": "x//SZjbyTUScb8QG8HbYRg==", "subType": "03"}})",
    R"({"$binary": {"base64": "AQI=", "subType": "04"}})",
    R"({"$binary": {"base64": "AQI=", "subType": "05"}})",
    R"({"$regularExpression": {"pattern": "^a.*z$", "options": "i"}})",
    R"({"$timestamp": {"t": 1767225600, "i": 7}})",
    R"({"$code": "function() { return 1; }"})",
    R"({"$code": "g", "$scope": {"x": 1}})",
    R"({"$symbol": "a symbol"})",
    R"({"$undefined": true})",
    R"({"$minKey": 1})",
    R"({"$maxKey": 1})"};

auto extended(std::string json) -> Value {
    return value(Extended{std::move(json)});
}

auto any_scalar(Random& random) -> Value {
    switch (random.below(10)) {
        case 0: return value(Null{});
        case 1: return value(random.chance(0.5));
        case 2: return value(static_cast<std::int32_t>(random.between(-5, 5)));
        case 3:
            return value(random.chance(0.5) ? std::numeric_limits<std::int32_t>::max()
                                            : std::numeric_limits<std::int32_t>::min());
        case 4:
            return value(random.chance(0.5) ? std::numeric_limits<std::int64_t>::max()
                                            : random.below(1LL << 53));
        case 5: return value(random.pick(odd_doubles));
        case 6: return text(std::string(random.pick(odd_texts)));
        case 7: return value(Decimal{random.pick(odd_decimals)});
        case 8: return value(Time{random.pick(odd_times)});
        default: return extended(random.pick(odd_types));
    }
}

}  // namespace

auto any_value(Random& random, int depth) -> Value {
    if (depth == 0 || random.chance(0.7)) return any_scalar(random);
    const auto length = random.below(4);
    if (random.chance(0.5)) {
        Array list;
        if (random.chance(0.3)) list.push_back(value(-0.0));
        for (std::int64_t i = 0; i < length; ++i) list.push_back(any_value(random, depth - 1));
        return value(std::move(list));
    }
    Document document;
    const auto first = random.below(static_cast<std::int64_t>(odd_names.size()));
    for (std::int64_t i = 0; i < length; ++i) {  // no name twice
        const auto name = static_cast<std::size_t>(first + i) % odd_names.size();
        document.push_back({odd_names.at(name), any_value(random, depth - 1)});
    }
    return value(std::move(document));
}

// Of numbers and of keys that there can be only one of, each appears once: 1, 1.0 and the decimal 1
// would be one key.
auto any_key(std::int64_t number) -> Value {
    if (number == 0) return value(Null{});
    if (number == 1) return value(true);
    if (number == 2) return value(false);
    if (number == 3) return extended(R"({"$minKey": 1})");
    if (number == 4) return extended(R"({"$maxKey": 1})");
    switch (number % 11) {
        case 0: return value(static_cast<std::int32_t>(number));
        case 1: return value(number + (1LL << 40));
        case 2: return value(static_cast<double>(number) + 0.5);
        case 3: return text(fmt::format("{}", number));  // looks like a number
        case 4: return text(fmt::format("naïve/{} \"🚰\"", number));
        case 5: return value(Decimal{fmt::format("{}.25", number)});
        case 6: return value(Time{number * 1'000'000});
        case 7: return extended(fmt::format(R"({{"$oid": "{:024x}"}})", number));
        case 8:
            return extended(
                fmt::format(R"({{"$uuid": "f47ac10b-58cc-4372-a567-{:012x}"}})", number));
        case 9: return extended(fmt::format(R"({{"$timestamp": {{"t": {}, "i": 1}}}})", number));
        default: return value(Document{{"shop", text("Exeter")}, {"number", value(number)}});
    }
}

auto equal_key(Random& random) -> Value {
    const auto number = random.below(20);
    switch (random.below(6)) {
        case 0: return value(static_cast<std::int32_t>(number));
        case 1: return value(number);
        case 2: return value(static_cast<double>(number));
        case 3: return value(Decimal{std::to_string(number)});
        case 4: return value(Document{{"a", value(static_cast<std::int32_t>(number))}});
        default: return value(Document{{"a", value(static_cast<double>(number))}});
    }
}

namespace {

enum class Type {
    whole,
    huge,
    fraction,
    decimal,
    words,
    object_id,
    date,
    endless,
    bytes,
    uuid,
    yes,
    any
};

struct Drifting {
    const char* name;
    std::array<Type, 3> types;  // nearly always the first
    bool is_plain = true;       // an update takes the name for no path and no operator
};
constexpr std::array drifting = {
    Drifting{"i", {Type::whole, Type::whole, Type::whole}},
    Drifting{"d", {Type::whole, Type::fraction, Type::fraction}},
    Drifting{"n", {Type::whole, Type::huge, Type::decimal}},
    Drifting{"h", {Type::whole, Type::huge, Type::huge}},
    Drifting{"dh", {Type::fraction, Type::huge, Type::huge}},
    Drifting{"t", {Type::words, Type::object_id, Type::object_id}},
    Drifting{"id", {Type::object_id, Type::words, Type::words}},
    Drifting{"when", {Type::date, Type::endless, Type::words}},
    Drifting{"b", {Type::bytes, Type::uuid, Type::any}},
    Drifting{"any", {Type::any, Type::any, Type::any}},
    Drifting{"flag", {Type::yes, Type::whole, Type::whole}},
    // Names that differ in case only, that are Leat's own, that are hard to quote.
    Drifting{"I", {Type::whole, Type::whole, Type::whole}},
    Drifting{"_extra", {Type::words, Type::words, Type::words}},
    Drifting{"_NULLS", {Type::whole, Type::whole, Type::whole}},
    Drifting{"q\"uote", {Type::whole, Type::whole, Type::whole}},
    Drifting{"", {Type::words, Type::words, Type::words}, false},
    Drifting{"with.dot", {Type::words, Type::words, Type::words}, false},
    Drifting{"$dollar", {Type::whole, Type::whole, Type::whole}, false},
};

auto value_of(Random& random, Type type) -> Value {
    constexpr std::array<std::int64_t, 4> huge = {(1LL << 53) + 1, -(1LL << 53) - 1,
                                                  std::numeric_limits<std::int64_t>::max(),
                                                  std::numeric_limits<std::int64_t>::min()};
    switch (type) {
        case Type::whole: return value(static_cast<std::int32_t>(random.between(-500, 500)));
        case Type::huge: return value(random.pick(huge));
        case Type::fraction: return value(random.pick(odd_doubles));
        case Type::decimal: return value(Decimal{random.pick(odd_decimals)});
        case Type::words: return text(std::string(random.pick(odd_texts)));
        case Type::object_id: return extended(fmt::format(R"({{"$oid": "{}"}})", random.hex(24)));
        case Type::date: return value(Time{random.pick(odd_times)});
        case Type::endless: return extended(R"({"$date": {"$numberLong": "9223372036854775807"}})");
        case Type::bytes: return extended(odd_types[1]);
        case Type::uuid: return extended(odd_types[2]);
        case Type::yes: return value(true);
        default: return any_value(random, 2);
    }
}

}  // namespace

auto drifting_fields(Random& random, bool whole) -> Document {
    constexpr double wild_share = 0.15;
    constexpr double null_share = 0.1;
    const bool is_wild = random.chance(wild_share);
    const auto first = static_cast<std::size_t>(random.below(drifting.size()));
    const auto step = random.pick(std::array<std::size_t, 3>{1, 5, 7});  // no name twice
    Document fields;
    for (auto left = random.between(1, 6); left > 0; --left) {
        const auto& [name, types, is_plain] =
            drifting.at((first + static_cast<std::size_t>(left) * step) % drifting.size());
        if (!whole && !is_plain) continue;
        const auto type = is_wild ? random.pick(types) : types[0];
        fields.push_back(
            {name, random.chance(null_share) ? value(Null{}) : value_of(random, type)});
    }
    if (fields.empty() || random.chance(0.2))
        fields.push_back({fmt::format("new{}", random.below(40)), any_value(random, 1)});
    return fields;
}

}  // namespace leat::simulate
