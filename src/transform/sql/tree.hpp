// Reading and changing DuckDB's parse trees in their JSON form: every expression is an object with
// a `class`.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace leat::sql {

auto text_of(const boost::json::object& node, std::string_view key) -> std::string;
auto class_of(const boost::json::object& node) -> std::string;
// The byte in the text where the node begins, or -1.
auto location_of(const boost::json::object& node) -> std::int64_t;
// Whether the parser refused the text.
auto is_error(const boost::json::value& tree) -> bool;
// current_date and the like, which the grammar takes for columns.
auto names_clock(const boost::json::object& column_ref) -> bool;
// Column and table names are told apart by letters, not by their case.
auto folded(std::string_view name) -> std::string;

// Every expression below `tree` (itself included), parents first.
auto for_each_expression(const boost::json::value& tree,
                         const std::function<void(const boost::json::object&)>& visit) -> void;

}  // namespace leat::sql
