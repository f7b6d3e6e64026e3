// DuckDB's infinite dates and timestamps. Arrow columns of leat hold them as the smallest and the
// largest integer (change/schema.hpp); DuckDB's are the largest and its negative.
#pragma once

#include <limits>

namespace leat::duckdb {

template <class T>
inline constexpr T plus_infinity = std::numeric_limits<T>::max();
template <class T>
inline constexpr T minus_infinity = -std::numeric_limits<T>::max();

}  // namespace leat::duckdb
