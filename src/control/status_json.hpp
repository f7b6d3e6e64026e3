// The status object as JSON: the same figures for the status request and the run's report.
#pragma once

#include <boost/json/object.hpp>

#include "pipeline/status.hpp"

namespace leat {

auto to_json(const PipelineStatus& status) -> boost::json::object;

// Health, conditions and tables alone, of everything or of one component.
auto health_json(const PipelineStatus& status, const std::string& component = {})
    -> boost::json::object;

}  // namespace leat
