// What `leat simulate` says: a line while it works, a table or an object at the end. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "simulate/simulation.hpp"

namespace leat::cli {

// 12000 rows to begin with
// 3400 changes, 98 a second
auto simulate_line(const simulate::Look& now, const simulate::Look& before, double seconds)
    -> std::string;

// One row per table with the kinds of changes that there were, then totals and the rate.
auto simulate_text(const simulate::Look& look, const std::vector<simulate::Table>& tables)
    -> std::string;
auto simulate_json(const simulate::Look& look, const std::vector<simulate::Table>& tables)
    -> boost::json::object;

}  // namespace leat::cli
