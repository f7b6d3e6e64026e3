// What row-wise SQL may be, told from its parse tree; see query.hpp.
#include "transform/sql/query.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "transform/sql/tree.hpp"

namespace leat::sql {

namespace {

namespace json = boost::json;

constexpr auto not_row_wise =
    "A transform makes one row of one row; do this in a query or view over the table in the sink.";
constexpr auto use_commit_time =
    "Let the source write such values into a column, so that every replay yields the same row.";

struct Refusal {
    std::int64_t location = -1;
    std::string what;
    std::string hint;
};
using Verdict = std::optional<Refusal>;

auto is_set(const json::object& node, std::string_view key) -> bool {
    const auto* const value = node.if_contains(key);
    if (value == nullptr || value->is_null()) return false;
    return !value->is_array() || !value->get_array().empty();
}

auto judge_function(Engine& engine, const json::object& node) -> Verdict {
    const auto name = text_of(node, "function_name");
    const auto at = location_of(node);
    if (name == "unnest" || name == "unlist")
        return Refusal{at, "unnest makes several rows of one", not_row_wise};
    switch (engine.function_kind(name)) {
        case FunctionKind::row: return {};
        case FunctionKind::aggregate:
            return Refusal{at, "aggregate function " + name, not_row_wise};
        case FunctionKind::volatile_:
            return Refusal{at, name + "() does not depend on the row alone", use_commit_time};
        default: break;
    }
    return Refusal{at, "unknown function " + name, "Use a scalar function of DuckDB."};
}

auto judge_expression(Engine& engine, const json::object& node) -> Verdict {
    const auto type = class_of(node);
    const auto at = location_of(node);
    if (type == "FUNCTION") return judge_function(engine, node);
    if (type == "WINDOW") return Refusal{at, "window function", not_row_wise};
    if (type == "SUBQUERY") return Refusal{at, "subquery", not_row_wise};
    if (type == "PARAMETER")
        return Refusal{at, "parameter", "Write the value into the SQL, or use ${env:NAME}."};
    if (type == "POSITIONAL_REFERENCE" || type == "DEFAULT")
        return Refusal{at, "column without a name", "Name the column."};
    return {};
}

auto judge_all(Engine& engine, const json::value& tree) -> Verdict {
    Verdict verdict;
    for_each_expression(tree, [&](const json::object& node) {
        if (!verdict) verdict = judge_expression(engine, node);
    });
    return verdict;
}

auto judge_modifiers(const json::object& node) -> Verdict {
    for (const auto& each : node.at("modifiers").as_array()) {
        const auto type = text_of(each.as_object(), "type");
        if (type == "DISTINCT_MODIFIER") return Refusal{-1, "DISTINCT", not_row_wise};
        if (type == "ORDER_MODIFIER")
            return Refusal{-1, "ORDER BY: the rows of a table have no order", "Leave it out."};
        return Refusal{-1, "LIMIT", not_row_wise};
    }
    return {};
}

auto judge_from(const json::object& node) -> Verdict {
    const auto& from = node.at("from_table").as_object();
    const auto type = text_of(from, "type");
    const auto at = location_of(from);
    if (type == "JOIN") return Refusal{at, "join", not_row_wise};
    if (type == "SUBQUERY") return Refusal{at, "subquery", not_row_wise};
    if (type == "EMPTY") return Refusal{-1, "no table in FROM", "Name one table."};
    if (type != "BASE_TABLE") return Refusal{at, "FROM is not a table", "Name one table."};
    if (is_set(from, "sample")) return Refusal{at, "TABLESAMPLE", not_row_wise};
    if (is_set(from, "column_name_alias"))
        return Refusal{at, "column names behind the table", "Rename columns with AS."};
    return {};
}

auto judge_shape(const json::object& node) -> Verdict {
    if (text_of(node, "type") != "SELECT_NODE")
        return Refusal{-1, "UNION and the like", not_row_wise};
    if (is_set(node.at("cte_map").as_object(), "map"))
        return Refusal{-1, "WITH", "Make a transform of its own of it and read that."};
    if (auto verdict = judge_modifiers(node)) return verdict;
    if (auto verdict = judge_from(node)) return verdict;
    if (is_set(node, "group_expressions") || is_set(node, "group_sets") ||
        text_of(node, "aggregate_handling") != "STANDARD_HANDLING")
        return Refusal{-1, "GROUP BY", not_row_wise};
    if (is_set(node, "having")) return Refusal{-1, "HAVING", not_row_wise};
    if (is_set(node, "qualify")) return Refusal{-1, "QUALIFY", not_row_wise};
    if (is_set(node, "sample")) return Refusal{-1, "SAMPLE", not_row_wise};
    return {};
}

// The one SELECT of a text, or why it is none.
auto parse_select(Engine& engine, const std::string& name, const std::string& text)
    -> Result<json::object> {
    const auto tree = TRY(engine.parse(text));
    const auto& root = tree.as_object();
    if (is_error(tree)) {
        std::int64_t at = -1;
        const auto position = text_of(root, "position");
        std::from_chars(position.data(), position.data() + position.size(), at);
        const bool is_other = text_of(root, "error_type") == "not implemented";
        return refused(name, text, at,
                       is_other ? "not a SELECT" : text_of(root, "error_message"),
                       "Write one SELECT over one table.");
    }
    const auto& statements = root.at("statements").as_array();
    if (statements.size() != 1)
        return refused(name, text, -1, std::to_string(statements.size()) + " statements",
                       "Write one SELECT over one table.");
    return statements[0].as_object().at("node").as_object();
}

auto target_of(const json::object& from) -> std::string {
    const auto schema = text_of(from, "schema_name");
    const auto table = text_of(from, "table_name");
    return schema.empty() || schema == "public" || schema == "main" ? table : schema + "_" + table;
}

auto read_condition(Engine& engine, const std::string& transform, const Expectation& expectation)
    -> Result<json::value> {
    const auto text = "SELECT (" + expectation.that + "\n) FROM t";
    const auto who = transform + ", expectation " + expectation.name;
    const auto node = TRY(parse_select(engine, who, text));
    auto verdict = judge_shape(node);
    if (!verdict) verdict = judge_all(engine, node.at("select_list"));
    if (node.at("select_list").as_array().size() != 1 || is_set(node, "where_clause"))
        verdict = Refusal{-1, "not a condition", "Write what you would write behind WHERE."};
    if (verdict) return refused(who, text, -1, verdict->what, verdict->hint);
    return node.at("select_list").as_array()[0];
}

}  // namespace

auto refused(const std::string& transform, const std::string& text, std::int64_t location,
             const std::string& what, const std::string& hint) -> Error {
    std::string place;
    if (location >= 0 && static_cast<std::size_t>(location) <= text.size()) {
        const auto before = text.substr(0, static_cast<std::size_t>(location));
        const auto line = std::count(before.begin(), before.end(), '\n') + 1;
        const auto last = before.rfind('\n');
        const auto column = last == std::string::npos ? before.size() : before.size() - last - 1;
        place = " at line " + std::to_string(line) + ", column " + std::to_string(column + 1);
    }
    return Error{Fault::config, "sql" + place + ": " + what, hint, "transform " + transform,
                 Code::transform_sql};
}

auto read_query(Engine& engine, const std::string& name, const std::string& sql,
                const std::vector<Expectation>& expectations) -> Result<Query> {
    Query query{name, sql, "", {}, TRY(parse_select(engine, name, sql)), {}};
    auto verdict = judge_shape(query.node);
    if (!verdict) verdict = judge_all(engine, query.node.at("select_list"));
    if (!verdict) verdict = judge_all(engine, query.node.at("where_clause"));
    if (verdict) return refused(name, sql, verdict->location, verdict->what, verdict->hint);
    const auto& from = query.node.at("from_table").as_object();
    query.input = target_of(from);
    const auto alias = text_of(from, "alias");
    query.qualifiers.push_back(folded(alias.empty() ? text_of(from, "table_name") : alias));
    for (const auto& each : expectations)
        query.conditions.push_back(TRY(read_condition(engine, name, each)));
    return query;
}

}  // namespace leat::sql
