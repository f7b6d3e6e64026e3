// Documents and display from the same list of fields: what options there are, and what a given
// option struct holds, with secrets masked.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.hpp"
#include "config/source_file.hpp"

namespace leat::config {

// One option, nested ones with their path: "epoch.rows", "columns[].name".
struct FieldInfo {
    std::string key;
    std::string type;           // "whole number", "size", "one of block, drop_lane"
    std::string default_value;  // as it would be written; empty for none
    std::string doc;
    std::string bounds;  // "at least 1", or empty
    bool required = false;
    bool secret = false;
};

// A table in Markdown, one line per option.
auto markdown(std::span<const FieldInfo> fields) -> std::string;

namespace detail {

auto format(bool value) -> std::string;
auto format(std::int64_t value) -> std::string;
auto format(std::uint64_t value) -> std::string;
auto format(double value) -> std::string;
auto format(const std::string& value) -> std::string;  // quoted where YAML needs it
auto join(const std::vector<std::string>& parts) -> std::string;
auto bounds_text(const std::string& min, const std::string& max) -> std::string;

template <class M>
auto format_value(const M& value) -> std::string {
    if constexpr (std::same_as<M, bool> || std::same_as<M, double> ||
                  std::same_as<M, std::string>) {
        return format(value);
    } else if constexpr (std::signed_integral<M>) {
        return format(std::int64_t{value});
    } else if constexpr (std::unsigned_integral<M>) {
        return format(std::uint64_t{value});
    } else if constexpr (std::same_as<M, std::filesystem::path>) {
        return format(value.string());
    } else if constexpr (std::same_as<M, Secret>) {
        return value.empty() ? "" : "***";
    } else if constexpr (std::same_as<M, Bytes> || is_duration<M>) {
        return to_string(value);
    } else if constexpr (std::is_enum_v<M>) {
        for (const auto& each : names_of(M{})) {
            if (each.value == value) return std::string(each.name);
        }
        return {};
    } else if constexpr (is_optional<M>) {
        return value ? format_value(*value) : std::string{};
    } else if constexpr (Options<M>) {
        std::vector<std::string> parts;
        std::apply(
            [&](const auto&... list) {
                (parts.push_back(std::string(list.name) + ": " + format_value(value.*list.member)),
                 ...);
            },
            fields_of<M>());
        return "{" + join(parts) + "}";
    } else if constexpr (is_map<M>) {
        std::vector<std::string> parts;
        for (const auto& [key, each] : value) parts.push_back(key + ": " + format_value(each));
        return "{" + join(parts) + "}";
    } else {
        std::vector<std::string> parts;
        for (const auto& each : value) parts.push_back(format_value(each));
        return "[" + join(parts) + "]";
    }
}

template <class M>
auto type_name() -> std::string {
    if constexpr (std::same_as<M, bool>) return "true or false";
    else if constexpr (Integer<M>) return "whole number";
    else if constexpr (std::same_as<M, double>) return "number";
    else if constexpr (std::same_as<M, std::string>) return "text";
    else if constexpr (std::same_as<M, std::filesystem::path>) return "path";
    else if constexpr (std::same_as<M, Secret>) return "secret";
    else if constexpr (std::same_as<M, Bytes>) return "size";
    else if constexpr (is_duration<M>) return "duration";
    else if constexpr (is_optional<M>) return type_name<typename M::value_type>();
    else if constexpr (Options<M>) return "map";
    else if constexpr (std::is_enum_v<M>) {
        std::vector<std::string> names;
        for (const auto& each : names_of(M{})) names.emplace_back(each.name);
        return "one of " + join(names);
    } else if constexpr (is_map<M>) return "map of " + type_name<typename M::mapped_type>();
    else return "list of " + type_name<typename M::value_type>();
}

template <class M>
struct ElementOf {
    using type = M;
    static constexpr std::string_view suffix = ".";
};
template <class M>
struct ElementOf<std::optional<M>> : ElementOf<M> {};
template <class M>
struct ElementOf<std::vector<M>> {
    using type = M;
    static constexpr std::string_view suffix = "[].";
};
template <class M>
struct ElementOf<std::map<std::string, M>> {
    using type = M;
    static constexpr std::string_view suffix = ".NAME.";
};

template <Options T>
auto describe_into(std::vector<FieldInfo>& out, const std::string& prefix) -> void;

template <class Owner, class M>
auto describe_field(std::vector<FieldInfo>& out, const std::string& prefix,
                    const Field<Owner, M>& field, const Owner& defaults) -> void {
    using Element = ElementOf<M>;
    FieldInfo info;
    info.key = prefix + std::string(field.name);
    info.type = type_name<M>();
    info.doc = field.doc;
    info.required = field.is_required;
    info.secret = std::same_as<typename Element::type, Secret>;
    const bool has_default = !field.is_required && !Options<typename Inner<M>::type>;
    if (has_default) info.default_value = redact(format_value(defaults.*field.member));
    if constexpr (Bounded<BoundOf<M>>) {
        const auto text = [](const auto& bound) { return bound ? format_value(*bound) : ""; };
        info.bounds = bounds_text(text(field.limits.min), text(field.limits.max));
    }
    if (field.is_filled) info.bounds = "not empty";
    out.push_back(std::move(info));
    if constexpr (Options<typename Element::type>) {
        describe_into<typename Element::type>(
            out, prefix + std::string(field.name) + std::string(Element::suffix));
    }
}

template <Options T>
auto describe_into(std::vector<FieldInfo>& out, const std::string& prefix) -> void {
    const T defaults{};
    std::apply([&](const auto&... list) { (describe_field(out, prefix, list, defaults), ...); },
               fields_of<T>());
}

}  // namespace detail

// Every option of T in the order of its list, nested ones below their parent.
template <Options T>
auto field_infos() -> std::vector<FieldInfo> {
    std::vector<FieldInfo> out;
    detail::describe_into<T>(out, "");
    return out;
}

// The same as a table in Markdown.
template <Options T>
auto describe() -> std::string {
    return markdown(field_infos<T>());
}

// The options in force, one line `key: value` each; secrets and passwords in addresses masked.
template <Options T>
auto show(const T& options) -> std::string {
    std::string text;
    const auto add = [&text](std::string_view key, const std::string& value) {
        (text += key) += value.empty() ? ":\n" : ": " + redact(value) + "\n";
    };
    std::apply(
        [&](const auto&... list) {
            (add(list.name, detail::format_value(options.*list.member)), ...);
        },
        fields_of<T>());
    return text;
}

}  // namespace leat::config
