// The publication: made when it is ours and missing, otherwise checked and never changed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "change/schema.hpp"
#include "source/postgres/catalog.hpp"
#include "source/postgres/client.hpp"

namespace leat::postgres {

struct PublicationRequest {
    std::string name;
    bool users_own = false;   // the user named it: it must be there
    bool must_exist = false;  // the pipeline has run before: changes refer to it
    bool insert_only = false;
    std::vector<TableName> tables;
    // Of the tables that are published in part: what is sent, and what must not be.
    std::map<TableName, std::vector<std::string>> columns{};
    ExcludedColumns excluded{};
    bool has_roots = false;  // partitioned tables, whose rows are sent as theirs
    bool is_begun = false;   // columns that came after the image need not be listed
};

// One of our own is made and altered to fit. What of a user's does not is an error (config) that
// holds the statement which makes it fit; one that must exist and is gone is fatal (a gap).
auto ensure_publication(Connection& sql, const PublicationRequest& request) -> Result<void>;

auto has_publication(Connection& sql, const std::string& name) -> Result<bool>;

// What makes a publication that is ours; for whoever may run it, where our role may not.
auto create_statement(const PublicationRequest& request) -> std::string;

// True: it was there.
auto drop_publication(Connection& sql, const std::string& name) -> Result<bool>;

}  // namespace leat::postgres
