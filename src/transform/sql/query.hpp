// Query: a transform's SQL as its parse tree says it, judged as far as that goes without knowing
// the table.
#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "transform/expectation.hpp"
#include "transform/sql/engine.hpp"

namespace leat::sql {

struct Query {
    std::string name;   // the transform's
    std::string text;
    std::string input;  // the target name of the table in FROM
    std::vector<std::string> qualifiers;  // what may stand before a column: alias or table
    boost::json::object node;             // the SELECT node
    std::vector<boost::json::value> conditions;  // of the expectations, in their order
};

// Refuses (config) with the place in the text and the way out: bad syntax, anything that does not
// yield one row per row of one table, and functions whose answer depends on more than their
// arguments.
auto read_query(Engine& engine, const std::string& name, const std::string& sql,
                const std::vector<Expectation>& expectations) -> Result<Query>;

// An Error that points into the text.
auto refused(const std::string& transform, const std::string& text, std::int64_t location,
             const std::string& what, const std::string& hint) -> Error;

}  // namespace leat::sql
