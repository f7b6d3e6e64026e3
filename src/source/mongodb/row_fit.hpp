// Whether a value goes into a column, and how it is written where it does not.
#pragma once

#include <cstdint>
#include <string>

#include "format/bson/bson.hpp"
#include "source/mongodb/kind.hpp"

namespace leat::mongodb {

enum class Fit : std::uint8_t {
    yes,
    wider,  // the column has to become join(column, kind_of(value))
    aside,  // its kind is right, but not this value: a date no timestamp reaches, text that is not
            // UTF-8
};

auto fit_of(Kind column, const bson::Element& value) -> Fit;
auto fit_of_key(Kind column, const bson::Element& value) -> Fit;

// Microseconds since 1970 of a date; only where fit_of() is yes.
auto timestamp_us(const bson::Element& date) -> std::int64_t;

// As JSON that says exactly what the value is: bytes that JSON cannot carry make it
// {"$binary":…, "subType":"80"} of the value's own BSON bytes.
auto append_exact_json(std::string& out, const bson::Element& value) -> void;

// The text of a number in a column of Kind::numeric.
auto append_number_text(std::string& out, const bson::Element& value) -> void;

}  // namespace leat::mongodb
