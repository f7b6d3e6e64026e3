// Which tables can be captured, and how `source.tables` names them.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "source/postgres/client.hpp"
#include "source/table_selection.hpp"

namespace leat::postgres {

// "public.*", "!public.audit", "orders": schema public where none is named.
auto make_selection(const std::vector<std::string>& entries) -> Result<TableSelection>;

// Tables whose changes are in the log, outside of the system's schemas.
auto list_capturable(Connection& connection) -> Result<std::vector<SelectableTable>>;

}  // namespace leat::postgres
