// Parse trees; see tree.hpp.
#include "transform/sql/tree.hpp"

#include <algorithm>
#include <array>

namespace leat::sql {

auto text_of(const boost::json::object& node, std::string_view key) -> std::string {
    const auto* const value = node.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

auto class_of(const boost::json::object& node) -> std::string { return text_of(node, "class"); }

auto location_of(const boost::json::object& node) -> std::int64_t {
    const auto* const value = node.if_contains("query_location");
    // The largest number stands for "nowhere".
    return value != nullptr && value->is_int64() ? value->get_int64() : -1;
}

auto is_error(const boost::json::value& tree) -> bool {
    const auto* const error = tree.is_object() ? tree.get_object().if_contains("error") : nullptr;
    return error == nullptr || !error->is_bool() || error->get_bool();
}

auto names_clock(const boost::json::object& column_ref) -> bool {
    constexpr std::array clocks = {"current_date",   "current_time",    "current_timestamp",
                                   "localtime",      "localtimestamp",  "current_user",
                                   "current_role",   "session_user",    "user",
                                   "current_schema", "current_catalog", "current_database"};
    const auto& names = column_ref.at("column_names").as_array();
    if (names.size() != 1) return false;
    const auto name = folded(std::string_view(names[0].get_string()));
    return std::find(clocks.begin(), clocks.end(), name) != clocks.end();
}

auto folded(std::string_view name) -> std::string {
    std::string out(name);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

auto for_each_expression(const boost::json::value& tree,
                         const std::function<void(const boost::json::object&)>& visit) -> void {
    if (tree.is_array())
        for (const auto& item : tree.get_array()) for_each_expression(item, visit);
    if (!tree.is_object()) return;
    const auto& node = tree.get_object();
    const auto type = class_of(node);
    if (!type.empty()) visit(node);
    if (type == "CONSTANT") return;
    for (const auto& [key, value] : node) for_each_expression(value, visit);
}

}  // namespace leat::sql
