// Odd values; see nasty_values.hpp. What only MongoDB knows is written in its extended JSON.
#include "simulate/nasty_values.hpp"

#include <fmt/core.h>

#include <limits>

namespace leat::simulate {

namespace {

constexpr std::array odd_doubles = {0.0,
                                    -0.0,
                                    0.1,
                                    1e300,
                                    std::numeric_limits<double>::denorm_min(),
                                    std::numeric_limits<double>::quiet_NaN(),
                                    std::numeric_limits<double>::infinity(),
                                    -std::numeric_limits<double>::infinity()};
constexpr std::array odd_texts = {
    "",           " ",          "NULL", "it's \"quoted\"", "tab\tline\nend\r", "naïve 漢字 🚰",
    "{\"a\": 1}", "2026-02-30", "-0"};
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
    R"({"$regularExpression": {"pattern": "^a.*z$", "options": "i"}})",
    R"({"$timestamp": {"t": 1767225600, "i": 7}})",
    R"({"$code": "function() { return 1; }"})",
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
        case 6: return text(random.pick(odd_texts));
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

}  // namespace leat::simulate
