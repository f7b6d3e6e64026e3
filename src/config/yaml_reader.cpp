// parse_yaml: libyaml's events become a Node tree. libyaml has no limit of its own on depth, so
// the reader stops at one; recursion here is bounded by it.
#include <yaml.h>

#include <string>
#include <unordered_map>
#include <utility>

#include "config/node.hpp"

namespace leat::config {
namespace {

class Parser {
public:
    explicit Parser(const std::string& text) : ok_(yaml_parser_initialize(&parser_) == 1) {
        if (!ok_) return;
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size());
    }
    Parser(const Parser&) = delete;
    auto operator=(const Parser&) -> Parser& = delete;
    ~Parser() {
        drop_event();
        if (ok_) yaml_parser_delete(&parser_);
    }

    auto next() -> bool {
        drop_event();
        has_event_ = ok_ && yaml_parser_parse(&parser_, &event_) == 1;
        return has_event_;
    }
    [[nodiscard]] auto event() const -> const yaml_event_t& { return event_; }
    [[nodiscard]] auto parser() const -> const yaml_parser_t& { return parser_; }

private:
    auto drop_event() -> void {
        if (has_event_) yaml_event_delete(&event_);
        has_event_ = false;
    }

    yaml_parser_t parser_{};
    yaml_event_t event_{};
    bool ok_;
    bool has_event_ = false;
};

auto to_mark(const yaml_mark_t& mark) -> Mark {
    return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

auto to_span(const yaml_event_t& event) -> Span {
    return {to_mark(event.start_mark), to_mark(event.end_mark)};
}

auto to_text(const yaml_char_t* text) -> std::string {
    return reinterpret_cast<const char*>(text);
}

class Reader {
public:
    Reader(const SourceFile& file, Problems& problems)
        : file_(file), problems_(problems), parser_(file.text()) {}

    auto run() -> Node {
        if (!next()) return {};  // stream start
        if (!next()) return {};
        if (event().type == YAML_STREAM_END_EVENT) {
            problems_.add({{1, 1}, {1, 1}}, "the file is empty",
                          "write a pipeline with `leat init`");
            return {};
        }
        const auto& start = event().data.document_start;
        if (start.version_directive != nullptr ||
            start.tag_directives.start != start.tag_directives.end) {
            problems_.add(to_span(event()), "directives are not supported",
                          "remove the line that starts with %");
        }
        if (!next()) return {};
        auto root = value(0);
        if (stopped_ || !next() || !next()) return {};  // document end, stream end
        if (event().type == YAML_DOCUMENT_START_EVENT) {
            problems_.add(to_span(event()), "a second document starts here",
                          "put each pipeline into a file of its own");
        }
        return root;
    }

private:
    auto event() -> const yaml_event_t& { return parser_.event(); }

    auto next() -> bool {
        if (stopped_) return false;
        if (parser_.next()) return true;
        stopped_ = true;
        report_syntax();
        return false;
    }

    auto stop(const Span& where, std::string message, std::string hint) -> Node {
        stopped_ = true;
        problems_.add(where, std::move(message), std::move(hint));
        return {};
    }

    auto report_syntax() -> void {
        const auto& parser = parser_.parser();
        if (parser.error == YAML_MEMORY_ERROR) {
            problems_.add({}, "out of memory while the file was read");
            return;
        }
        const std::string what = parser.problem != nullptr ? parser.problem : "cannot be read";
        if (parser.error == YAML_READER_ERROR) {
            const auto mark = file_.mark_at(parser.problem_offset);
            problems_.add({mark, mark}, "bad text: " + what, "save the file as UTF-8 text");
            return;
        }
        auto mark = to_mark(parser.problem_mark);
        std::string message = "bad YAML: " + what;
        if (parser.context != nullptr) message += std::string(" ") + parser.context;
        const auto opened = to_mark(parser.context_mark);
        if (parser.context != nullptr && opened.line != mark.line) {
            // What is never closed is found at the end of the file, and cured where it opens.
            const bool at_end = file_.line(mark.line).empty();
            if (at_end) mark = opened;
            else message += " that starts in line " + std::to_string(opened.line);
        }
        const auto line = file_.line(mark.line);
        const auto indent = line.substr(0, line.find_first_not_of(" \t"));
        std::string hint = "check indentation, quotes and brackets here and in the line above";
        if (indent.find('\t') != std::string_view::npos) hint = "indent with spaces, not tabs";
        problems_.add({mark, mark}, std::move(message), std::move(hint));
    }

    auto refuse_anchor(const yaml_char_t* anchor, const yaml_char_t* tag) -> void {
        if (anchor != nullptr) {
            problems_.add(to_span(event()),
                          "anchors are not supported: " + in_quotes(to_text(anchor)),
                          "write the value where it is needed");
        }
        if (tag != nullptr) {
            problems_.add(to_span(event()), "tags are not supported: " + in_quotes(to_text(tag)),
                          "remove the tag, types follow from the key");
        }
    }

    // The current event is the first of a value.
    auto value(int depth) -> Node {
        if (++nodes_ > max_nodes) {
            return stop(to_span(event()), "too many values in one file",
                        "cut the file into several");
        }
        if (depth > max_depth) {
            return stop(to_span(event()), "nested too deeply",
                        "nest at most " + std::to_string(max_depth) + " levels");
        }
        switch (event().type) {
            case YAML_ALIAS_EVENT:
                problems_.add(
                    to_span(event()),
                    "aliases are not supported: " + in_quotes(to_text(event().data.alias.anchor)),
                    "write the value where it is needed");
                return {};
            case YAML_SCALAR_EVENT: return scalar();
            case YAML_SEQUENCE_START_EVENT: return list(depth);
            case YAML_MAPPING_START_EVENT: return map(depth);
            default: return stop(to_span(event()), "bad YAML: a value is missing", {});
        }
    }

    auto scalar() -> Node {
        const auto& scalar = event().data.scalar;
        refuse_anchor(scalar.anchor, scalar.tag);
        Node node;
        node.span = to_span(event());
        node.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
        if (node.text.find('\0') != std::string::npos) {
            problems_.add(node.span, "text holds a NUL character", "remove it");
            return {};
        }
        node.kind =
            scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain_kind(node.text) : Node::Kind::text;
        return node;
    }

    auto list(int depth) -> Node {
        const auto& start = event().data.sequence_start;
        refuse_anchor(start.anchor, start.tag);
        const bool flow = start.style == YAML_FLOW_SEQUENCE_STYLE;
        Node node;
        node.kind = Node::Kind::list;
        node.span = to_span(event());
        while (next() && event().type != YAML_SEQUENCE_END_EVENT) {
            node.items.push_back(value(depth + 1));
            if (!flow) extend(node, node.items.back());
        }
        if (flow && !stopped_) node.span.end = to_mark(event().end_mark);
        return node;
    }

    auto map(int depth) -> Node {
        const auto& start = event().data.mapping_start;
        refuse_anchor(start.anchor, start.tag);
        const bool flow = start.style == YAML_FLOW_MAPPING_STYLE;
        Node node;
        node.kind = Node::Kind::map;
        node.span = to_span(event());
        std::unordered_map<std::string, Mark> seen;
        while (next() && event().type != YAML_MAPPING_END_EVENT) {
            auto key = value(depth + 1);
            if (!next()) break;
            NodeEntry entry{key.text, key.span, value(depth + 1)};
            if (!flow) extend(node, entry.value);
            if (key.kind == Node::Kind::absent) continue;  // already reported
            if (key.kind == Node::Kind::list || key.kind == Node::Kind::map ||
                key.kind == Node::Kind::null) {
                problems_.add(key.span,
                              "a key must be a word, found " + std::string(kind_name(key.kind)));
                continue;
            }
            const auto [first, is_new] = seen.try_emplace(entry.key, key.span.start);
            if (is_new) {
                node.entries.push_back(std::move(entry));
                continue;
            }
            problems_.add(key.span,
                          "duplicate key " + in_quotes(entry.key) + ", first in line " +
                              std::to_string(first->second.line),
                          "remove one of them");
        }
        if (flow && !stopped_) node.span.end = to_mark(event().end_mark);
        return node;
    }

    // A block collection ends with its last value; libyaml's own end is the next token.
    static auto extend(Node& node, const Node& last) -> void {
        if (node.span.end < last.span.end) node.span.end = last.span.end;
    }

    const SourceFile& file_;
    Problems& problems_;
    Parser parser_;
    std::size_t nodes_ = 0;
    bool stopped_ = false;
};

}  // namespace

auto parse_yaml(const SourceFile& file, Problems& problems) -> Node {
    return Reader(file, problems).run();
}

}  // namespace leat::config
