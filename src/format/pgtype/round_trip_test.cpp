// Properties: any value, written down as PostgreSQL prints and as it sends it, comes back.
#include <arrow/array.h>
#include <arrow/util/decimal.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <tuple>
#include <vector>

#include "format/pgtype/datetime.hpp"
#include "format/pgtype/numeric.hpp"
#include "format/pgtype/written_test.hpp"
#include "format/wire_bytes_test.hpp"

namespace leat::pgtype {
namespace {

template <class Array, class T>
auto comes_back(std::uint32_t oid, T value) -> void {
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    const auto printed = write_text(base(oid), {text, static_cast<std::size_t>(end - text)});
    RC_ASSERT(printed.fault == ValueFault::none);
    RC_ASSERT(printed.number<Array>() == value);
    const auto wire = ByteReader::from_big(value);
    const auto sent = write_binary(base(oid), {reinterpret_cast<const char*>(&wire), sizeof wire});
    RC_ASSERT(sent.fault == ValueFault::none);
    RC_ASSERT(sent.number<Array>() == value);
}

RC_GTEST_PROP(PgtypeRoundTrip, int8, (std::int64_t value)) {
    comes_back<arrow::Int64Array>(20, value);
}
RC_GTEST_PROP(PgtypeRoundTrip, int4, (std::int32_t value)) {
    comes_back<arrow::Int32Array>(23, value);
}
RC_GTEST_PROP(PgtypeRoundTrip, int2, (std::int16_t value)) {
    comes_back<arrow::Int16Array>(21, value);
}

RC_GTEST_PROP(PgtypeRoundTrip, float8, (std::uint64_t bits)) {
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    RC_PRE(value == value && value - value == 0);
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    const auto printed = write_text(base(701), {text, static_cast<std::size_t>(end - text)});
    const auto sent = write_binary(base(701), WireBytes{}.big(bits).bytes);
    for (const auto& written : {printed, sent}) {
        RC_ASSERT(written.fault == ValueFault::none);
        const auto back = written.number<arrow::DoubleArray>();
        RC_ASSERT(std::memcmp(&back, &value, sizeof value) == 0);
    }
}

// The digits of a number, most significant first, in PostgreSQL's two forms.
struct Number {
    bool negative = false;
    std::string digits;  // at least one more than `scale`
    std::size_t scale = 0;

    [[nodiscard]] auto text() const -> std::string {
        auto whole = digits.substr(0, digits.size() - scale);
        whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
        const auto zero = digits.find_first_not_of('0') == std::string::npos;
        return (negative && !zero ? "-" : "") + whole +
               (scale > 0 ? "." + digits.substr(digits.size() - scale) : "");
    }
    [[nodiscard]] auto binary() const -> std::string {
        auto padded = digits + std::string((4 - scale % 4) % 4, '0');
        padded.insert(0, (4 - padded.size() % 4) % 4, '0');
        const auto fraction_groups = (scale + 3) / 4;
        std::vector<std::uint16_t> groups;
        for (std::size_t i = 0; i < padded.size(); i += 4)
            groups.push_back(static_cast<std::uint16_t>(std::stoi(padded.substr(i, 4))));
        auto weight = static_cast<int>(groups.size() - fraction_groups) - 1;
        while (!groups.empty() && groups.front() == 0) groups.erase(groups.begin()), --weight;
        while (!groups.empty() && groups.back() == 0) groups.pop_back();
        if (groups.empty()) weight = 0;
        WireBytes out;
        out.big(static_cast<std::uint16_t>(groups.size())).big(static_cast<std::int16_t>(weight));
        out.big(static_cast<std::uint16_t>(negative && !groups.empty() ? 0x4000 : 0));
        out.big(static_cast<std::uint16_t>(scale));
        for (const auto group : groups) out.big(group);
        return out.bytes;
    }
};

auto any_number(std::size_t digits_max, std::size_t scale_max) -> Number {
    Number number;
    number.negative = *rc::gen::arbitrary<bool>();
    number.scale = *rc::gen::inRange<std::size_t>(0, std::min(scale_max, digits_max - 1) + 1);
    const auto size = *rc::gen::inRange<std::size_t>(number.scale + 1, digits_max + 1);
    number.digits = *rc::gen::container<std::string>(
        size, rc::gen::weightedElement<char>({{5, '0'}, {1, '1'}, {1, '5'}, {3, '9'}}));
    return number;
}

RC_GTEST_PROP(PgtypeRoundTrip, decimals, ()) {
    const auto number = any_number(38, 37);
    const auto type = numeric(38, static_cast<std::int32_t>(number.scale));
    const auto expected = number.text();
    for (const auto& written : {write_text(type, expected), write_binary(type, number.binary())}) {
        RC_ASSERT(written.fault == ValueFault::none);
        const auto& array = static_cast<const arrow::Decimal128Array&>(*written.array);
        const auto value = arrow::Decimal128(array.GetValue(0));
        // Not ToString(): it turns to exponents.
        auto digits = value.ToIntegerString();
        const bool negative = digits.front() == '-';
        if (negative) digits.erase(0, 1);
        if (digits.size() <= number.scale) digits.insert(0, number.scale + 1 - digits.size(), '0');
        RC_ASSERT((Number{negative, digits, number.scale}.text()) == expected);
    }
}

RC_GTEST_PROP(PgtypeRoundTrip, numerics_of_any_size, ()) {
    const auto number = any_number(90, 60);
    RC_ASSERT(write_binary(base(1700), number.binary()).shown() == number.text());
    RC_ASSERT(write_text(base(1700), number.text()).shown() == number.text());
}

// Splits a day count the slow way, year by year: an independent calendar.
auto print_date(std::int64_t days) -> std::pair<std::string, bool> {
    std::int64_t year = 1970;
    const auto leap = [](std::int64_t y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); };
    const auto length = [&](std::int64_t y) { return leap(y) ? 366 : 365; };
    for (; days < 0; days += length(year)) --year;
    for (; days >= length(year); ++year) days -= length(year);
    int month = 0;
    const int lengths[] = {31, leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (; days >= lengths[month]; ++month) days -= lengths[month];
    const bool before_christ = year < 1;
    char text[40];
    const int size = std::snprintf(text, sizeof text, "%04d-%02d-%02d",
                                   static_cast<int>(before_christ ? 1 - year : year), month + 1,
                                   static_cast<int>(days) + 1);
    return {{text, static_cast<std::size_t>(size)}, before_christ};
}

RC_GTEST_PROP(PgtypeRoundTrip, dates, ()) {
    const auto days = *rc::gen::inRange<std::int32_t>(-2'440'000, 3'000'000);
    const auto [text, before_christ] = print_date(days);
    const auto printed = write_text(base(1082), text + (before_christ ? " BC" : ""));
    RC_ASSERT(printed.number<arrow::Date32Array>() == days);
    const auto sent = write_binary(base(1082), WireBytes{}.big(days - 10'957).bytes);
    RC_ASSERT(sent.number<arrow::Date32Array>() == days);
}

RC_GTEST_PROP(PgtypeRoundTrip, timestamps_at_any_offset, ()) {
    const auto days = *rc::gen::inRange<std::int64_t>(-2'440'000, 3'000'000);
    const auto second = *rc::gen::inRange(0, 86'400);
    const auto us = *rc::gen::inRange(0, 1'000'000);
    const auto offset = *rc::gen::inRange(-57'599, 57'600);  // seconds east, as zones had them
    auto [text, before_christ] = print_date(days);
    char rest[64];
    const auto size =
        std::snprintf(rest, sizeof rest, " %02d:%02d:%02d.%06d%c%02d:%02d:%02d", second / 3600,
                      second / 60 % 60, second % 60, us, offset < 0 ? '-' : '+',
                      std::abs(offset) / 3600, std::abs(offset) / 60 % 60, std::abs(offset) % 60);
    text.append(rest, static_cast<std::size_t>(size));
    const auto expected = (days * 86'400 + second - offset) * 1'000'000 + us;
    const auto printed = write_text(base(1184), text + (before_christ ? " BC" : ""));
    RC_ASSERT(printed.fault == ValueFault::none);
    RC_ASSERT(printed.number<arrow::TimestampArray>() == expected);
    const auto sent =
        write_binary(base(1184), WireBytes{}.big(expected - 946'684'800'000'000).bytes);
    RC_ASSERT(sent.number<arrow::TimestampArray>() == expected);
}

RC_GTEST_PROP(PgtypeRoundTrip, bytea, (const std::string& value)) {
    std::string text = "\\x";
    for (const unsigned char byte : value) {
        text.push_back("0123456789abcdef"[byte >> 4]);
        text.push_back("0123456789abcdef"[byte & 15]);
    }
    for (const auto& written : {write_text(base(17), text), write_binary(base(17), value)})
        RC_ASSERT(static_cast<const arrow::BinaryArray&>(*written.array).GetView(0) == value);
}

// As array_out quotes them.
auto print_array(const std::vector<std::pair<bool, std::string>>& elements) -> std::string {
    std::string text = "{";
    for (const auto& [null, element] : elements) {
        if (text.size() > 1) text.push_back(',');
        if (null) {
            text += "NULL";
            continue;
        }
        text.push_back('"');
        for (const char c : element) {
            if (c == '"' || c == '\\') text.push_back('\\');
            text.push_back(c);
        }
        text.push_back('"');
    }
    return text + "}";
}

RC_GTEST_PROP(PgtypeRoundTrip, text_arrays, ()) {
    const auto elements =
        *rc::gen::container<std::vector<std::pair<bool, std::string>>>(rc::gen::pair(
            rc::gen::arbitrary<bool>(), rc::gen::container<std::string>(rc::gen::elementOf(
                                            std::string("ab{},\"\\ NUL\n\t'")))));
    WireBytes wire;
    wire.big(elements.empty() ? 0 : 1).big(1).big(25);
    if (!elements.empty()) wire.big(static_cast<std::int32_t>(elements.size())).big(1);
    for (const auto& [null, element] : elements) {
        if (null) wire.big(-1);
        else wire.sized(element);
    }
    const auto type = array_of(base(25));
    for (const auto& written :
         {write_text(type, print_array(elements)), write_binary(type, wire.bytes)}) {
        RC_ASSERT(written.fault == ValueFault::none);
        const auto slice = static_cast<const arrow::ListArray&>(*written.array).value_slice(0);
        const auto& values = static_cast<const arrow::StringArray&>(*slice);
        RC_ASSERT(static_cast<std::size_t>(values.length()) == elements.size());
        for (std::size_t i = 0; i < elements.size(); ++i) {
            const auto at = static_cast<std::int64_t>(i);
            RC_ASSERT(values.IsNull(at) == elements[i].first);
            if (!elements[i].first) RC_ASSERT(values.GetView(at) == elements[i].second);
        }
    }
}

}  // namespace
}  // namespace leat::pgtype
