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
    bool insert_only = false;
    bool needs_slot = false;  // the slot is not there yet
};

// Version, wal_level, primary, role, free slots and senders.
auto check_server(Connection& sql, const PreflightRequest& request) -> Result<ServerFacts>;

// Each table exists, is an ordinary one, readable, and its old rows can be told apart.
auto check_tables(Connection& sql, const PreflightRequest& request)
    -> Result<std::vector<CatalogTable>>;

}  // namespace leat::postgres
