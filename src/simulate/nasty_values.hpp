// Values of every kind that a MongoDB document can hold, the odd ones too. Pure.
#pragma once

#include "simulate/random.hpp"
#include "simulate/value.hpp"

namespace leat::simulate {

// Documents and arrays go at most `depth` deep.
auto any_value(Random& random, int depth) -> Value;

// The key that has this number: types take turns, and no two numbers give equal keys.
auto any_key(std::int64_t number) -> Value;

}  // namespace leat::simulate
