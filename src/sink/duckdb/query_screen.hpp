// Which queries may run beside the lane, told from their parse tree before anything is bound:
// binding a function that reads files opens them, and closing a descriptor of the database file
// would give up its lock.
#pragma once

#include <string>

#include "base/result.hpp"
#include "sink/duckdb/client.hpp"

namespace leat::duckdb {

// Refuses (config) what is not a SELECT, every table function that is not known to be harmless, and
// names that stand for files. `sql` is one statement.
auto screen(Connection& connection, const std::string& sql) -> Result<void>;

}  // namespace leat::duckdb
