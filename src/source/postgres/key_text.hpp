// A key's value as PostgreSQL reads it.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <optional>
#include <string>

namespace leat::postgres {

// Nothing: NULL, or a value that is not written here (lists, times beyond the year 9999).
auto key_text(const arrow::Array& values, std::int64_t row) -> std::optional<std::string>;

// As an array's literal: {"a","b"}.
auto append_element(std::string& literal, const std::string& text) -> void;

}  // namespace leat::postgres
