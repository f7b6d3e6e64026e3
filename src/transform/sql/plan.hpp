// Plan: a query against one version of a table: where each output column comes from, and the one
// statement that computes what has to be computed.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "change/schema.hpp"
#include "transform/sql/query.hpp"

namespace leat::sql {

inline constexpr auto row_column = "__leat_row";
inline constexpr auto skip_column = "__leat_skip";  // with the number of the computed value

// Indices into the input's columns that an expression reads, ascending.
using Inputs = std::vector<int>;

struct OutputColumn {
    std::string name;
    int source = -1;    // a plain reference to this input column
    int computed = -1;  // else: index into Plan::computed
};

struct Computed {
    boost::json::value tree;
    Inputs inputs;
};

// `computed`: output columns that are no plain references, then one condition per expectation.
struct Plan {
    SchemaPtr input;
    std::vector<OutputColumn> outputs;
    std::vector<int> key;  // indices into outputs, in the order of the input's key
    std::vector<Computed> computed;
    std::size_t conditions = 0;  // the last of `computed`
    boost::json::value filter;   // null: none
    Inputs filter_inputs;
    Inputs used;  // by anything computed or the filter

    [[nodiscard]] auto has_filter() const -> bool { return !filter.is_null(); }
};

// Refuses (config) unknown columns, a key that is lost or computed, names given twice.
auto make_plan(const Query& query, const SchemaPtr& input) -> Result<Plan>;

// SELECT row number, computed values FROM `function`() WHERE filter. `with_skips`: a value whose
// skip column is true is not computed but NULL.
auto statement_of(Engine& engine, const Plan& plan, const std::string& function, bool with_skips)
    -> Result<std::string>;

}  // namespace leat::sql
