// Values of every kind that a MongoDB document can hold, the odd ones too. Pure.
#pragma once

#include "simulate/random.hpp"
#include "simulate/value.hpp"

namespace leat::simulate {

// Documents and arrays go at most `depth` deep.
auto any_value(Random& random, int depth) -> Value;

// The key that has this number: types take turns, and no two numbers give equal keys.
auto any_key(std::int64_t number) -> Value;

// One of few numbers, in any of the types in which the server takes it for the same key.
auto equal_key(Random& random) -> Value;

// A few fields whose types go together less and less well, with odd names among them. Names that
// an update would take for a path or an operator come only where `whole` documents are written.
auto drifting_fields(Random& random, bool whole) -> Document;

}  // namespace leat::simulate
