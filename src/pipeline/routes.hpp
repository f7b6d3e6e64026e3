// Routes: which transforms a table passes on its way to which output table. Names only, decided
// once from the pipeline file.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace leat {

// A transform by its name (that of its output) and the target name of the table that it reads: a
// transform of that name, else the source's table. One that reads its own name reads the source's.
struct RouteStep {
    std::string name;
    std::string input;
};

// `steps`: indices into the list of transforms, in the order in which rows pass them.
struct Route {
    std::string output;
    std::string source;  // target name of the source's table
    std::vector<std::size_t> steps;
};

// Without regard to case, as SQL compares names.
auto is_same_name(const std::string& a, const std::string& b) -> bool;

// Whether a sink that asks for `tables` takes this one; empty: it takes all.
auto is_taken(const std::set<std::string>& tables, const std::string& output) -> bool;

// One route per transform. Refuses (config) two transforms of one name and a cycle.
auto make_routes(const std::vector<RouteStep>& steps) -> Result<std::vector<Route>>;

}  // namespace leat
