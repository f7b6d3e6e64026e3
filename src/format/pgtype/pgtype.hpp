// PostgreSQL types: which Arrow type and tag a column gets (map), and the writer that parses wire
// values straight into its Arrow builder. Pure; a writer belongs to one thread.
//
// Text values are read as the server prints them under these session settings, which whoever
// connects must set: client_encoding=UTF8, DateStyle=ISO, IntervalStyle=postgres, TimeZone=UTC,
// extra_float_digits=1 (or more), bytea_output=hex, lc_monetary=C. For pgoutput they are those of
// the walsender's session.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace arrow {
class ArrayBuilder;
class DataType;
class Scalar;
}  // namespace arrow

namespace leat::pgtype {

// pg_type.typtype; `array`: typcategory A and typinput = array_in.
enum class Kind : std::uint8_t { base, array, enumeration, composite, range, other };

// Domains are resolved by the caller: oid, typmod (pg_type.typtypmod when the column's is -1), kind
// and name are those of the base type.
struct ScalarType {
    std::uint32_t oid = 0;
    std::int32_t typmod = -1;  // pg_attribute.atttypmod; of an array column: the element's
    std::string name;          // pg_type.typname; becomes the tag of types without a mapping
    Kind kind = Kind::base;
};

// `element` (kind array only): pg_type.typelem, its domain resolved too; an element of kind array
// (a domain over an array) makes the column text. `dimensions`: pg_attribute.attndims.
struct PgType : ScalarType {
    std::optional<ScalarType> element;
    std::int32_t dimensions = 0;
    char delimiter = ',';  // the element's pg_type.typdelim
};

// How one value is read; follows from the type, chosen by map().
enum class Codec : std::uint8_t {
    boolean,
    int2,
    int4,
    int8,
    oid,
    float4,
    float8,
    decimal,
    numeric_text,
    text,
    char1,
    bytea,
    date,
    time,
    timestamp,
    uuid,
    json,
    jsonb,
    enumeration,
    list,
    server_text,
    discarded,
};

// `type` and `logical_type` go into Column. A list's tag is its element's tag with "[]" (uuid[]),
// empty where the element has none; a text column of an array has the element's name with "[]".
// `binary_ok`: values may come in binary form ('b', COPY BINARY). Where it is false only the
// server can print the value: ask for text, in COPY BINARY by casting the column (col::text).
struct ColumnMapping {
    std::shared_ptr<arrow::DataType> type;
    std::string logical_type;
    bool binary_ok = false;
    Codec codec = Codec::server_text;
    Codec element = Codec::server_text;  // codec list only
    std::int32_t scale = 0;              // decimal or list of it
    std::int32_t precision = 0;
    char delimiter = ',';  // codec list only
};

// Never fails: what has no mapping is utf8 in the server's own text form, tagged with its name.
//   bool int2 int4 int8 float4 float8 bytea date time timestamp timestamptz: their Arrow type
//     (date32, time64[us], timestamp[us], timestamp[us, UTC]); oid: uint32
//   numeric(p,s), p <= 38, 0 <= s <= p: decimal128(p,s); any other numeric: utf8 "numeric"
//   text varchar bpchar (with its padding) name "char" citext: utf8; uuid: 16 bytes "uuid";
//   json jsonb: utf8 "json"; enums: utf8 "enum"
//   arrays declared with one dimension: list of the element's mapping; all others utf8
auto map(const PgType& type) -> ColumnMapping;

// A column whose values nobody can want: every one, of whatever type, is read as NULL. utf8,
// tagged "discarded".
auto discarded() -> ColumnMapping;

// Why a value could not be appended. Every reason but `capacity` concerns this one value.
enum class ValueFault : std::uint8_t {
    none,
    malformed,     // not a value of this type
    out_of_range,  // a timestamp past the year 294246, more digits than declared, …
    not_finite,    // NaN or infinity where the column is decimal128
    array_shape,   // an array of several dimensions, or not counted from 1, in a list column
    not_utf8,
    no_binary,  // a binary value of a type whose binary_ok is false
    capacity,   // the builder is full (2 GB) or memory is out: nothing was appended
};

// The Error for the log: poison (capacity: fatal), naming the column and the reason, no value.
auto to_error(ValueFault fault, std::string_view column, const ColumnMapping& mapping) -> Error;

namespace detail {
struct ColumnState;
using AppendValue = auto(*)(ColumnState&, std::string_view) -> ValueFault;
struct ColumnState {
    arrow::ArrayBuilder* builder = nullptr;
    ColumnMapping mapping;
    AppendValue text = nullptr;
    AppendValue binary = nullptr;
    std::string scratch;                   // unescaped bytes of the value at hand
    std::unique_ptr<ColumnState> element;  // codec list only
};
}  // namespace detail

// Appends values of one column to one builder, which it borrows: one writer per column and schema
// version, used again after each Finish() of the builder. Every append adds exactly one slot, also
// when it fails (but for `capacity`): then the slot holds nothing meaningful (null, or part of a
// list), the row's other columns stay aligned, and the caller must not let the row out.
class ValueWriter {
public:
    // `builder` is of mapping.type (as arrow::MakeBuilder makes it); another one is an error.
    static auto make(ColumnMapping mapping, arrow::ArrayBuilder* builder) -> Result<ValueWriter>;

    [[nodiscard]] auto append_text(std::string_view text) -> ValueFault {
        return state_.text(state_, text);
    }
    [[nodiscard]] auto append_binary(std::string_view bytes) -> ValueFault {
        return state_.binary(state_, bytes);
    }
    [[nodiscard]] auto append_null() -> ValueFault;

    [[nodiscard]] auto mapping() const -> const ColumnMapping& { return state_.mapping; }

private:
    ValueWriter() = default;

    detail::ColumnState state_;
};

// A constant in the server's text form as a scalar of mapping.type; the catalog keeps the constant
// default of an added column in pg_attribute.attmissingval: (attmissingval::text::text[])[1].
auto parse_default(const ColumnMapping& mapping, std::string_view text)
    -> Result<std::shared_ptr<arrow::Scalar>>;

}  // namespace leat::pgtype
