// Follows each transform back to the source's table; see routes.hpp.
#include "pipeline/routes.hpp"

#include <strings.h>

#include <algorithm>
#include <optional>

namespace leat {

namespace {

auto find(const std::vector<RouteStep>& steps, const std::string& name)
    -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < steps.size(); ++i)
        if (is_same_name(steps[i].name, name)) return i;
    return std::nullopt;
}

auto route_of(const std::vector<RouteStep>& steps, std::size_t last) -> Result<Route> {
    Route route{steps[last].name, "", {}};
    std::optional<std::size_t> at = last;
    while (at) {
        if (std::find(route.steps.begin(), route.steps.end(), *at) != route.steps.end())
            return Error{Fault::config,
                         "transforms go round in a circle: " + steps[*at].name +
                             " reads itself by way of " + steps[route.steps.back()].name,
                         "Let one of them read a table of the source.",
                         "transform " + steps[*at].name, Code::transform_names};
        route.steps.push_back(*at);
        route.source = steps[*at].input;
        at = is_same_name(steps[*at].name, route.source) ? std::nullopt : find(steps, route.source);
    }
    std::reverse(route.steps.begin(), route.steps.end());
    return route;
}

}  // namespace

auto is_same_name(const std::string& a, const std::string& b) -> bool {
    return strcasecmp(a.c_str(), b.c_str()) == 0;
}

auto is_taken(const std::set<std::string>& tables, const std::string& output) -> bool {
    return tables.empty() ||
           std::any_of(tables.begin(), tables.end(),
                       [&](const std::string& table) { return is_same_name(table, output); });
}

auto make_routes(const std::vector<RouteStep>& steps) -> Result<std::vector<Route>> {
    std::vector<Route> routes;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (*find(steps, steps[i].name) != i)
            return Error{Fault::config, "two transforms are called " + steps[i].name,
                         "Give each a name of its own.", "transform " + steps[i].name,
                         Code::transform_names};
        routes.push_back(TRY(route_of(steps, i)));
    }
    return routes;
}

}  // namespace leat
