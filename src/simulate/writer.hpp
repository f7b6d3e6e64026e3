// Writer: carries changes out in one database. One or several per simulation; each has a
// connection, and belongs to one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"
#include "simulate/counts.hpp"
#include "simulate/data_set.hpp"

namespace leat::simulate {

// Who says so on the tables that a simulation made; others are never touched.
inline constexpr std::string_view mark = "sample data of leat simulate";

// The refusal of prepare().
auto foreign_table(const std::string& name) -> Error;

class Writer {
public:
    virtual ~Writer() = default;

    // First of all, and by one of several only: makes the tables that are missing and says which
    // keys the others hold. Fails with SIMULATE-TABLES where a table of that name is not a
    // simulation's.
    virtual auto prepare() -> Result<std::vector<Keys>> = 0;
    // Inserts into one table, as fast as the database takes them.
    virtual auto load(const std::vector<Change>& rows) -> Result<void> = 0;
    // One transaction after the other, in order; adds to `counts` what the server says was changed,
    // by table. One that other clients thwart is a conflict and no error. An error may leave those
    // before it and behind it done.
    virtual auto apply(std::span<const Transaction> transactions, Counts& counts)
        -> Result<void> = 0;
};

// Connects. `tables`: in the order that changes name them in.
auto open_postgres_writer(const std::string& uri, std::vector<Table> tables)
    -> Result<std::unique_ptr<Writer>>;
auto open_mongodb_writer(const std::string& uri, const std::string& default_database,
                         std::vector<Table> tables) -> Result<std::unique_ptr<Writer>>;

}  // namespace leat::simulate
