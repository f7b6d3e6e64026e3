// Values in PostgreSQL's text form, for parameters and COPY. Pure.
#pragma once

#include <optional>
#include <string>

#include "simulate/data_set.hpp"

namespace leat::simulate {

// Nothing for NULL. A document or an array becomes JSON, in a column of texts an array.
auto postgres_text(const Value& value, ColumnType type) -> std::optional<std::string>;

// bigint, numeric(12,2), …
auto postgres_type(ColumnType type) -> std::string;

}  // namespace leat::simulate
