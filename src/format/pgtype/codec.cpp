// The codecs of single values: text and binary form of each, straight into its builder.
#include "format/pgtype/codec.hpp"

#include <arrow/util/decimal.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "format/pgtype/datetime.hpp"
#include "format/pgtype/numeric.hpp"
#include "format/utf8/utf8.hpp"

namespace leat::pgtype {

namespace {

using detail::ColumnState;

template <class C, auto Read>
auto append(ColumnState& column, std::string_view bytes) -> ValueFault {
    auto& builder = static_cast<typename C::Builder&>(*column.builder);
    typename C::Value value{};
    const auto fault = Read(column, bytes, value);
    if (fault != ValueFault::none) [[unlikely]]
        return fail_slot(builder, fault);
    return builder.Append(value).ok() ? ValueFault::none : ValueFault::capacity;
}

template <class C>
constexpr auto functions() -> CodecFunctions {
    return {&append<C, &C::text>, &append<C, &C::binary>};
}

auto append_nothing(ColumnState& column, std::string_view) -> ValueFault {
    return column.builder->AppendNull().ok() ? ValueFault::none : ValueFault::capacity;
}

struct Boolean {
    using Builder = arrow::BooleanBuilder;
    using Value = bool;

    static auto text(ColumnState&, std::string_view text, bool& value) -> ValueFault {
        value = text == "t";
        return value || text == "f" ? ValueFault::none : ValueFault::malformed;
    }
    static auto binary(ColumnState&, std::string_view bytes, bool& value) -> ValueFault {
        if (bytes.size() != 1) return ValueFault::malformed;
        value = bytes[0] != 0;
        return ValueFault::none;
    }
};

template <class T, class ArrowBuilder>
struct Integer {
    using Builder = ArrowBuilder;
    using Value = T;

    static auto text(ColumnState&, std::string_view text, T& value) -> ValueFault {
        // Up to 18 digits cannot overflow: no check per digit.
        const bool negative = !text.empty() && text.front() == '-';
        const auto digits = text.substr(negative ? 1 : 0);
        if (digits.empty()) return ValueFault::malformed;
        if (digits.size() > 18) return long_text(text, value);
        std::int64_t wide = 0;
        for (const char c : digits) {
            const auto digit = static_cast<unsigned>(c - '0');
            if (digit > 9) return ValueFault::malformed;
            wide = wide * 10 + digit;
        }
        if (negative) wide = -wide;
        value = static_cast<T>(wide);
        return std::int64_t{value} == wide ? ValueFault::none : ValueFault::out_of_range;
    }
    static auto binary(ColumnState&, std::string_view bytes, T& value) -> ValueFault {
        if (bytes.size() != sizeof(T)) return ValueFault::malformed;
        value = ByteReader(bytes).big<T>();
        return ValueFault::none;
    }

private:
    static auto long_text(std::string_view text, T& value) -> ValueFault {
        const auto* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        if (error == std::errc::result_out_of_range) return ValueFault::out_of_range;
        return error == std::errc{} && stop == end ? ValueFault::none : ValueFault::malformed;
    }
};

template <class T, class Bits, class ArrowBuilder>
struct Float {
    using Builder = ArrowBuilder;
    using Value = T;

    // from_chars knows NaN and Infinity as the server spells them.
    static auto text(ColumnState&, std::string_view text, T& value) -> ValueFault {
        const auto* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        if (error == std::errc::result_out_of_range) return ValueFault::out_of_range;
        if (error != std::errc{} || stop != end) return ValueFault::malformed;
        return one_nan(value), ValueFault::none;
    }
    static auto binary(ColumnState&, std::string_view bytes, T& value) -> ValueFault {
        if (bytes.size() != sizeof(T)) return ValueFault::malformed;
        const auto bits = ByteReader(bytes).big<Bits>();
        std::memcpy(&value, &bits, sizeof bits);
        return one_nan(value), ValueFault::none;
    }

private:
    // The text form has one NaN only; sign and payload must not tell the two forms apart.
    static auto one_nan(T& value) -> void {
        if (std::isnan(value)) value = std::numeric_limits<T>::quiet_NaN();
    }
};

struct Decimal {
    using Builder = arrow::Decimal128Builder;
    using Value = arrow::Decimal128;
    using Reader = auto(*)(std::string_view, DecimalShape, Int128&) -> ValueFault;

    static auto text(ColumnState& column, std::string_view text, Value& value) -> ValueFault {
        return read(column, text, value, &parse_decimal);
    }
    static auto binary(ColumnState& column, std::string_view bytes, Value& value) -> ValueFault {
        return read(column, bytes, value, &decode_decimal);
    }

private:
    static auto read(const ColumnState& column, std::string_view bytes, Value& value, Reader reader)
        -> ValueFault {
        Int128 number = 0;
        const auto& mapping = column.mapping;
        const auto fault = reader(bytes, {mapping.precision, mapping.scale}, number);
        value = Value(static_cast<std::int64_t>(number >> 64), static_cast<std::uint64_t>(number));
        return fault;
    }
};

// Values whose two forms are the same bytes, and the server's text of unmapped types.
struct Text {
    using Builder = arrow::StringBuilder;
    using Value = std::string_view;

    static auto text(ColumnState&, std::string_view text, Value& value) -> ValueFault {
        value = text;
        return is_utf8(text) ? ValueFault::none : ValueFault::not_utf8;
    }
    static auto binary(ColumnState& column, std::string_view bytes, Value& value) -> ValueFault {
        return text(column, bytes, value);
    }
};

struct ServerText : Text {
    static auto binary(ColumnState&, std::string_view, Value&) -> ValueFault {
        return ValueFault::no_binary;
    }
};

struct NumericText : Text {
    static auto binary(ColumnState& column, std::string_view bytes, Value& value) -> ValueFault {
        const auto fault = decode_numeric_text(bytes, column.scratch);
        value = column.scratch;
        return fault;
    }
};

// jsonb_send: a version byte, then the text.
struct Jsonb : Text {
    static auto binary(ColumnState& column, std::string_view bytes, Value& value) -> ValueFault {
        if (bytes.empty() || bytes.front() != 1) return ValueFault::malformed;
        return text(column, bytes.substr(1), value);
    }
};

// "char": one byte, 0 is printed as nothing, bytes past ASCII as \ooo (since 16; before that they
// came as they are, which is no UTF-8).
struct Char1 : Text {
    static auto text(ColumnState& column, std::string_view text, Value& value) -> ValueFault {
        if (text.size() == 1) return binary(column, text, value);
        return Text::text(column, text, value);
    }
    static auto binary(ColumnState& column, std::string_view bytes, Value& value) -> ValueFault {
        if (bytes.size() != 1) return ValueFault::malformed;
        const auto byte = static_cast<unsigned char>(bytes.front());
        value = byte == 0 ? std::string_view() : bytes;
        if (byte < 0x80) return ValueFault::none;
        column.scratch = {'\\', static_cast<char>('0' + (byte >> 6)),
                          static_cast<char>('0' + (byte >> 3 & 7)),
                          static_cast<char>('0' + (byte & 7))};
        value = column.scratch;
        return ValueFault::none;
    }
};

auto hex_digit(char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return 16;
}

// False at the first pair that is not hexadecimal.
auto hex_byte(const char* at, char& byte) -> bool {
    const auto high = hex_digit(at[0]);
    const auto low = hex_digit(at[1]);
    byte = static_cast<char>((high << 4 | low) & 0xff);
    return high < 16 && low < 16;
}

struct Bytea {
    using Builder = arrow::BinaryBuilder;
    using Value = std::string_view;

    static auto text(ColumnState& column, std::string_view text, Value& value) -> ValueFault {
        if (text.size() < 2 || text.size() % 2 != 0 || text.substr(0, 2) != "\\x")
            return ValueFault::malformed;
        column.scratch.resize(text.size() / 2 - 1);
        const char* at = text.data() + 2;
        for (char& byte : column.scratch) {
            if (!hex_byte(at, byte)) return ValueFault::malformed;
            at += 2;
        }
        value = column.scratch;
        return ValueFault::none;
    }
    static auto binary(ColumnState&, std::string_view bytes, Value& value) -> ValueFault {
        value = bytes;
        return ValueFault::none;
    }
};

struct Uuid {
    using Builder = arrow::FixedSizeBinaryBuilder;
    using Value = std::string_view;

    static auto text(ColumnState& column, std::string_view text, Value& value) -> ValueFault {
        if (text.size() != 36) return ValueFault::malformed;
        column.scratch.resize(16);
        const char* at = text.data();
        for (std::size_t i = 0; i < 16; ++i) {
            if ((i == 4 || i == 6 || i == 8 || i == 10) && *at++ != '-')
                return ValueFault::malformed;
            if (!hex_byte(at, column.scratch[i])) return ValueFault::malformed;
            at += 2;
        }
        value = column.scratch;
        return ValueFault::none;
    }
    static auto binary(ColumnState&, std::string_view bytes, Value& value) -> ValueFault {
        value = bytes;
        return bytes.size() == 16 ? ValueFault::none : ValueFault::malformed;
    }
};

template <class T, class ArrowBuilder, auto Parse, auto Decode>
struct Temporal {
    using Builder = ArrowBuilder;
    using Value = T;

    static auto text(ColumnState&, std::string_view text, T& value) -> ValueFault {
        return Parse(text, value);
    }
    static auto binary(ColumnState&, std::string_view bytes, T& value) -> ValueFault {
        return Decode(bytes, value);
    }
};

using DateCodec = Temporal<std::int32_t, arrow::Date32Builder, &parse_date, &decode_date>;
using TimeCodec = Temporal<std::int64_t, arrow::Time64Builder, &parse_time, &decode_time>;
using TimestampCodec =
    Temporal<std::int64_t, arrow::TimestampBuilder, &parse_timestamp, &decode_timestamp>;

}  // namespace

auto scalar_functions(Codec codec) -> CodecFunctions {
    switch (codec) {
        case Codec::boolean: return functions<Boolean>();
        case Codec::int2: return functions<Integer<std::int16_t, arrow::Int16Builder>>();
        case Codec::int4: return functions<Integer<std::int32_t, arrow::Int32Builder>>();
        case Codec::int8: return functions<Integer<std::int64_t, arrow::Int64Builder>>();
        case Codec::oid: return functions<Integer<std::uint32_t, arrow::UInt32Builder>>();
        case Codec::float4: return functions<Float<float, std::uint32_t, arrow::FloatBuilder>>();
        case Codec::float8: return functions<Float<double, std::uint64_t, arrow::DoubleBuilder>>();
        case Codec::decimal: return functions<Decimal>();
        case Codec::numeric_text: return functions<NumericText>();
        case Codec::text:
        case Codec::json:
        case Codec::enumeration: return functions<Text>();
        case Codec::jsonb: return functions<Jsonb>();
        case Codec::char1: return functions<Char1>();
        case Codec::bytea: return functions<Bytea>();
        case Codec::uuid: return functions<Uuid>();
        case Codec::date: return functions<DateCodec>();
        case Codec::time: return functions<TimeCodec>();
        case Codec::timestamp: return functions<TimestampCodec>();
        case Codec::server_text: return functions<ServerText>();
        case Codec::discarded: return {&append_nothing, &append_nothing};
        case Codec::list: break;
    }
    CHECK(codec != Codec::list);
    return {};
}

}  // namespace leat::pgtype
