// The answer to a query on paper: for people, for spreadsheets, for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace leat::cli {

enum class QueryFormat { table, csv, json, arrow };

// As the running process answered: values as text with the types they had; empty: NULL.
struct QueryAnswer {
    std::vector<std::string> columns;
    std::vector<std::string> types;
    std::vector<std::vector<std::optional<std::string>>> rows;
    bool truncated = false;
};

// Aligned columns, numbers to the right, NULL as a word (an empty text as nothing), line breaks as
// \n, and how many rows. Ends with a line feed, like the others.
auto as_table(const QueryAnswer& answer) -> std::string;

// RFC 4180 with a head line; NULL is nothing, an empty text is "".
auto as_csv(const QueryAnswer& answer) -> std::string;

// One array of objects, a row a line. Numbers and truth values are such, digits as they are;
// whatever JSON has no type for is text.
auto as_json(const QueryAnswer& answer) -> std::string;

}  // namespace leat::cli
