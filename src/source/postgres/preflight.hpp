// Preflight: everything that would make capture fail later is told before anything is made at the
// server, with the statement that puts it right.
#pragma once

#include <chrono>
#include <vector>

#include "base/result.hpp"
#include "source/postgres/catalog.hpp"
#include "source/postgres/client.hpp"

namespace leat::postgres {

struct ServerFacts {
    std::chrono::milliseconds sender_timeout{60'000};  // 0: none
};

struct PreflightRequest {
    std::vector<TableName> tables;
    ExcludedColumns excluded;
    bool insert_only = false;
    bool needs_slot = false;  // the slot is not there yet
    bool failover = false;
};

// All that is wrong, each with its remedy (config); what fits beside it.
struct ServerReport {
    ServerFacts facts;
    std::vector<Error> problems;
};
struct TableReport {
    std::vector<CatalogTable> tables;
    std::vector<Error> problems;
};

// Version, wal_level, primary, role, free slots and senders.
auto examine_server(Connection& sql, const PreflightRequest& request) -> Result<ServerReport>;
// Each table exists, is an ordinary or a partitioned one, readable, its old rows can be told apart,
// and what is excluded can be: the columns that are left.
auto examine_tables(Connection& sql, const PreflightRequest& request) -> Result<TableReport>;

// The same, ending at the first problem.
auto check_server(Connection& sql, const PreflightRequest& request) -> Result<ServerFacts>;
auto check_tables(Connection& sql, const PreflightRequest& request)
    -> Result<std::vector<CatalogTable>>;

}  // namespace leat::postgres
