// Resolves a query's names against a table; see plan.hpp.
#include "transform/sql/plan.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "transform/sql/tree.hpp"

namespace leat::sql {

namespace {

namespace json = boost::json;

auto column_ref(const std::string& name) -> json::value {
    return {{"class", "COLUMN_REF"}, {"type", "COLUMN_REF"}, {"alias", ""},
            {"query_location", 0},   {"column_names", json::array{name}}};
}

auto union_of(Inputs a, const Inputs& b) -> Inputs {
    a.insert(a.end(), b.begin(), b.end());
    std::sort(a.begin(), a.end());
    a.erase(std::unique(a.begin(), a.end()), a.end());
    return a;
}

// What a name stands for: a column of the input, or an expression that was given the name.
struct Meaning {
    int source = -1;
    int computed = -1;
};

class Planner {
public:
    Planner(const Query& query, const SchemaPtr& input) : query_(query) { plan_.input = input; }

    auto run() -> Result<Plan> {
        TRY(learn_columns());
        for (const auto& item : query_.node.at("select_list").as_array()) TRY(add_item(item));
        if (plan_.outputs.empty()) return refuse(-1, "no column", "Select at least the key.");
        if (const auto& where = query_.node.at("where_clause"); !where.is_null())
            plan_.filter = TRY(resolve(where, columns_and_aliases(), plan_.filter_inputs));
        TRY(find_key());
        TRY(add_conditions());
        plan_.used = plan_.filter_inputs;
        for (const auto& each : plan_.computed) plan_.used = union_of(plan_.used, each.inputs);
        return std::move(plan_);
    }

private:
    using Names = std::map<std::string, Meaning>;

    [[nodiscard]] auto refuse(std::int64_t location, const std::string& what,
                              const std::string& hint) const -> Error {
        return refused(query_.name, query_.text, location, what, hint);
    }

    auto learn_columns() -> Result<void> {
        const auto& columns = plan_.input->columns;
        for (std::size_t i = 0; i < columns.size(); ++i)
            if (!columns_.emplace(folded(columns[i].name), Meaning{static_cast<int>(i), -1}).second)
                return refuse(-1,
                              "two columns of the table differ in case only: " + columns[i].name,
                              "Rename one of them at the source.");
        return {};
    }

    [[nodiscard]] auto columns_and_aliases() const -> Names {
        auto names = columns_;
        names.insert(aliases_.begin(), aliases_.end());
        return names;
    }

    auto add_item(const json::value& item) -> Result<void> {
        const auto& node = item.as_object();
        if (class_of(node) == "STAR") return add_star(node);
        auto name = text_of(node, "alias");
        if (class_of(node) == "COLUMN_REF") {
            const auto meaning = TRY(look_up(node, columns_and_aliases()));
            if (meaning.source >= 0) {
                const auto& column = plan_.input->columns[static_cast<std::size_t>(meaning.source)];
                return add_output({name.empty() ? column.name : name, meaning.source, -1}, node);
            }
        }
        if (name.empty())
            return refuse(location_of(node), "expression without a name",
                          "Give it one with AS name.");
        return add_computed(name, item);
    }

    auto add_computed(const std::string& name, const json::value& item) -> Result<void> {
        Computed computed;
        computed.tree = TRY(resolve(item, columns_and_aliases(), computed.inputs));
        plan_.computed.push_back(std::move(computed));
        return add_output({name, -1, static_cast<int>(plan_.computed.size()) - 1},
                          item.as_object());
    }

    auto add_output(OutputColumn output, const json::object& node) -> Result<void> {
        const auto name = folded(output.name);
        const auto added = aliases_.emplace(name, Meaning{output.source, output.computed});
        if (!added.second)
            return refuse(location_of(node), "two columns are called " + output.name,
                          "Rename one with AS, or leave it out of the star: * EXCLUDE (" +
                              output.name + ").");
        plan_.outputs.push_back(std::move(output));
        return {};
    }

    // * EXCLUDE (…) REPLACE (… AS …) RENAME (… AS …)
    auto add_star(const json::object& node) -> Result<void> {
        const auto* const columns = node.if_contains("columns");
        if (columns != nullptr && columns->is_bool() && columns->get_bool())
            return refuse(location_of(node), "COLUMNS()", "Name the columns, or use *.");
        std::set<std::string> excluded;
        for (const auto& name : node.at("exclude_list").as_array())
            excluded.insert(folded(std::string_view(name.as_string())));
        std::map<std::string, const json::value*> replaced;
        for (const auto& each : node.at("replace_list").as_array())
            replaced[folded(text_of(each.as_object(), "key"))] = &each.at("value");
        std::map<std::string, std::string> renamed;
        for (const auto& each : node.at("rename_list").as_array())
            renamed[folded(text_of(each.at("key").as_object(), "column"))] =
                std::string(each.at("value").as_string());
        for (std::size_t i = 0; i < plan_.input->columns.size(); ++i) {
            const auto& name = plan_.input->columns[i].name;
            const auto key = folded(name);
            if (excluded.erase(key) > 0) continue;
            if (const auto found = replaced.find(key); found != replaced.end()) {
                TRY(add_computed(name, *found->second));
                replaced.erase(found);
                continue;
            }
            const auto rename = renamed.find(key);
            const auto shown = rename == renamed.end() ? name : rename->second;
            if (rename != renamed.end()) renamed.erase(rename);
            TRY(add_output({shown, static_cast<int>(i), -1}, node));
        }
        for (const auto& name : excluded) return unknown(location_of(node), name, columns_);
        for (const auto& [name, tree] : replaced) return unknown(location_of(node), name, columns_);
        for (const auto& [name, to] : renamed) return unknown(location_of(node), name, columns_);
        return {};
    }

    [[nodiscard]] auto unknown(std::int64_t location, const std::string& name,
                               const Names& names) const -> Error {
        std::string known;
        for (const auto& [each, meaning] : names) known += (known.empty() ? "" : ", ") + each;
        return refuse(location, "unknown column " + name, "Use one of " + known + ".");
    }

    auto look_up(const json::object& node, const Names& names) -> Result<Meaning> {
        const auto& path = node.at("column_names").as_array();
        const auto name = folded(std::string_view(path.back().as_string()));
        const bool qualified = path.size() > 1;
        if (qualified) {
            const auto table = folded(std::string_view(path[path.size() - 2].as_string()));
            const auto& known = query_.qualifiers;
            if (std::find(known.begin(), known.end(), table) == known.end())
                return refuse(location_of(node), "unknown table " + table,
                              "Use " + known.front() + ", or no table at all.");
        }
        const auto found = names.find(name);
        if (found != names.end()) return found->second;
        if (names_clock(node))
            return refuse(location_of(node), name + " does not depend on the row alone",
                          "Let the source write such values into a column, so that every replay "
                          "yields the same row.");
        return unknown(location_of(node), name, names);
    }

    // Columns by their one name, other names by what they stand for.
    auto resolve(const json::value& tree, const Names& names, Inputs& inputs)
        -> Result<json::value> {
        if (tree.is_array()) {
            json::array out;
            for (const auto& item : tree.get_array())
                out.push_back(TRY(resolve(item, names, inputs)));
            return json::value(std::move(out));
        }
        if (!tree.is_object()) return tree;
        const auto& node = tree.get_object();
        const auto type = class_of(node);
        if (type == "CONSTANT") return tree;
        if (type == "STAR")
            return refuse(location_of(node), "* inside an expression", "Name the columns.");
        if (type == "COLUMN_REF") return resolve_name(node, names, inputs);
        if (type == "LAMBDA") return resolve_lambda(node, names, inputs);
        json::object out;
        for (const auto& [key, value] : node) out[key] = TRY(resolve(value, names, inputs));
        return json::value(std::move(out));
    }

    auto resolve_name(const json::object& node, const Names& names, Inputs& inputs)
        -> Result<json::value> {
        const auto meaning = TRY(look_up(node, names));
        if (meaning.source >= 0) {
            inputs = union_of(inputs, {meaning.source});
            return column_ref(plan_.input->columns[static_cast<std::size_t>(meaning.source)].name);
        }
        const auto& computed = plan_.computed[static_cast<std::size_t>(meaning.computed)];
        inputs = union_of(inputs, computed.inputs);
        auto copy = computed.tree;
        copy.as_object()["alias"] = "";
        return copy;
    }

    // `a -> 'b'` on a column is JSON; anything else with this form would be a function of its own.
    auto resolve_lambda(const json::object& node, const Names& names, Inputs& inputs)
        -> Result<json::value> {
        const auto& left = node.at("lhs").as_object();
        const auto bad = class_of(left) == "COLUMN_REF" && !look_up(left, names);
        if (bad || class_of(left) == "FUNCTION")
            return refuse(location_of(node), "lambda", "Do without, or use json_extract for JSON.");
        auto out = node;
        out["lhs"] = TRY(resolve(node.at("lhs"), names, inputs));
        out["expr"] = TRY(resolve(node.at("expr"), names, inputs));
        return json::value(std::move(out));
    }

    auto find_key() -> Result<void> {
        for (const int column : plan_.input->key) {
            const auto& name = plan_.input->columns[static_cast<std::size_t>(column)].name;
            const auto found =
                std::find_if(plan_.outputs.begin(), plan_.outputs.end(),
                             [&](const OutputColumn& output) { return output.source == column; });
            if (found != plan_.outputs.end()) {
                plan_.key.push_back(static_cast<int>(found - plan_.outputs.begin()));
                continue;
            }
            const auto alias = aliases_.find(folded(name));
            const bool computed = alias != aliases_.end() && alias->second.computed >= 0;
            return refuse(-1,
                          (computed ? "the key column is computed: " : "the key column is lost: ") +
                              name,
                          "Select " + name + " as it is, or renamed (" + name + " AS …).");
        }
        return {};
    }

    auto add_conditions() -> Result<void> {
        for (const auto& condition : query_.conditions) {
            Computed computed;
            computed.tree = TRY(resolve(condition, aliases_, computed.inputs));
            plan_.computed.push_back(std::move(computed));
        }
        plan_.conditions = query_.conditions.size();
        return {};
    }

    const Query& query_;
    Plan plan_;
    Names columns_;
    Names aliases_;
};

auto skipping(Engine& engine, const json::value& tree, std::size_t index) -> Result<json::value> {
    const auto sample = TRY(engine.parse("SELECT CASE WHEN " + std::string(skip_column) +
                                         std::to_string(index) + " THEN NULL ELSE 1 END"));
    auto node = sample.at("statements").at(0).at("node").at("select_list").at(0);
    node.as_object()["else_expr"] = tree;
    return node;
}

}  // namespace

auto make_plan(const Query& query, const SchemaPtr& input) -> Result<Plan> {
    return Planner(query, input).run();
}

auto statement_of(Engine& engine, const Plan& plan, const std::string& function, bool with_skips)
    -> Result<std::string> {
    auto tree = TRY(engine.parse("SELECT " + std::string(row_column) + " FROM " + function + "()"));
    auto& node = tree.at("statements").at(0).at("node").as_object();
    auto& list = node["select_list"].as_array();
    for (std::size_t i = 0; i < plan.computed.size(); ++i) {
        auto value = plan.computed[i].tree;
        if (with_skips) value = TRY(skipping(engine, value, i));
        value.as_object()["alias"] = "c" + std::to_string(i);
        list.push_back(std::move(value));
    }
    node["where_clause"] = plan.filter;
    return engine.unparse(tree);
}

}  // namespace leat::sql
