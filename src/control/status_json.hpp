// The status object as JSON: the same figures for the status request and the run's report.
#pragma once

#include <boost/json/object.hpp>

#include "pipeline/status.hpp"

namespace leat {

auto to_json(const PipelineStatus& status) -> boost::json::object;

}  // namespace leat
