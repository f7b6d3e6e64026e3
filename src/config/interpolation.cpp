// Replacing of references; see interpolation.hpp. No message holds a value that was looked up.
#include "config/interpolation.hpp"

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace leat::config {
namespace {

constexpr std::string_view open = "${";
constexpr std::string_view plain_dollar = "write $${ where a plain ${ is meant";

auto is_variable_name(std::string_view name) -> bool {
    constexpr std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    return !name.empty() && name.find_first_not_of(allowed) == std::string_view::npos &&
           (name.front() < '0' || name.front() > '9');
}

class Replacer {
public:
    Replacer(const Lookup& lookup, Problems& problems) : lookup_(lookup), problems_(problems) {}

    auto visit(Node& node) -> void {
        if (node.kind == Node::Kind::list) {
            for (auto& item : node.items) visit(item);
        } else if (node.kind == Node::Kind::map) {
            for (auto& entry : node.entries) visit(entry.value);
        } else if (node.text.find(open) != std::string::npos) {
            replace(node);
        }
    }

private:
    auto replace(Node& node) -> void {
        const std::string_view written = node.text;
        std::string text;
        bool failed = false;
        bool found = false;
        std::size_t at = 0;
        while (at < written.size()) {
            const auto start = written.find(open, at);
            text += written.substr(at, start - at);
            if (start == std::string_view::npos) break;
            if (start > at && written[start - 1] == '$') {  // $${: the first $ is in text already
                text += "{";
                at = start + open.size();
                continue;
            }
            const auto end = written.find('}', start);
            if (end == std::string_view::npos) {
                report(node, written.substr(start), "a ${ without its }",
                       std::string(plain_dollar));
                failed = true;
                break;
            }
            const auto reference = written.substr(start, end + 1 - start);
            const auto value = look_up(node, reference);
            failed = failed || !value;
            if (value) text += *value;
            found = true;
            at = end + 1;
        }
        node.text = std::move(text);
        node.interpolated = found;
        node.kind = failed ? Node::Kind::absent : Node::Kind::text;
    }

    // reference: ${scheme:name}
    auto look_up(const Node& node, std::string_view reference) -> std::optional<std::string> {
        constexpr std::array<std::string_view, 2> schemes{"env", "file"};
        const auto inside = reference.substr(open.size(), reference.size() - open.size() - 1);
        const auto colon = inside.find(':');
        const auto scheme = inside.substr(0, colon);
        const auto name =
            std::string(colon == std::string_view::npos ? "" : inside.substr(colon + 1));
        if (scheme == "env" && colon != std::string_view::npos) {
            return variable(node, reference, name);
        }
        if (scheme == "file" && colon != std::string_view::npos) {
            return file(node, reference, name);
        }
        if (scheme == "vault") {
            report(node, reference, "${vault:...} is not supported yet",
                   "use ${env:NAME} or ${file:PATH}");
            return std::nullopt;
        }
        const auto near = nearest(scheme, schemes);
        report(node, reference, "unknown reference " + in_quotes(reference),
               near.empty() ? "use ${env:NAME} or ${file:PATH}, or " + std::string(plain_dollar)
                            : "did you mean '${" + std::string(near) + ":...}'?");
        return std::nullopt;
    }

    auto variable(const Node& node, std::string_view reference, const std::string& name)
        -> std::optional<std::string> {
        if (!is_variable_name(name)) {
            report(node, reference, "bad name of an environment variable: " + in_quotes(name),
                   "use letters, digits and _");
            return std::nullopt;
        }
        auto value = lookup_.variable(name);
        if (!value) {
            report(node, reference, "the environment variable " + in_quotes(name) + " is not set",
                   "set it before leat starts: export " + name + "=...");
        }
        return value;
    }

    auto file(const Node& node, std::string_view reference, const std::string& path)
        -> std::optional<std::string> {
        if (path.empty()) {
            report(node, reference, "a file without its path", "write ${file:PATH}");
            return std::nullopt;
        }
        auto content = lookup_.file(path);
        if (!content) {
            report(node, reference, content.error().what, content.error().hint);
            return std::nullopt;
        }
        if (content.value().find('\0') != std::string::npos) {
            report(node, reference, "the file holds a NUL byte: " + path, "give a text file");
            return std::nullopt;
        }
        return std::move(content).value();
    }

    auto report(const Node& node, std::string_view reference, std::string message, std::string hint)
        -> void {
        auto place = node.span;
        if (!problems_.full()) place = problems_.file().find(place, reference).value_or(place);
        problems_.add(place, std::move(message), std::move(hint));
    }

    const Lookup& lookup_;
    Problems& problems_;
};

}  // namespace

auto ProcessLookup::variable(const std::string& name) const -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

auto ProcessLookup::file(const std::filesystem::path& path) const -> Result<std::string> {
    constexpr std::size_t max_bytes = 64U << 10U;
    auto text = TRY(read_file(path, max_bytes));
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return text;
}

auto interpolate(Node& node, const Lookup& lookup, Problems& problems) -> void {
    Replacer(lookup, problems).visit(node);
}

}  // namespace leat::config
