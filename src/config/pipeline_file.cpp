// The sections of a pipeline file; see pipeline_file.hpp.
#include "config/pipeline_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace leat::config {
namespace {

using Kind = Node::Kind;

constexpr std::array<std::string_view, 7> sections{"pipeline", "source", "queue", "transforms",
                                                   "sinks",    "http",   "run"};

auto must_be(const Node& node, std::string_view what, std::string_view shape, std::string hint,
             Problems& problems) -> Node {
    if (node.kind != Kind::absent) {
        problems.add(node.span,
                     std::string(what) + " must be " + std::string(shape) + ", found " +
                         std::string(kind_name(node.kind)),
                     std::move(hint));
    }
    return {};
}

class Sections {
public:
    Sections(Node root, Problems& problems) : root_(std::move(root)), problems_(problems) {}

    auto read(PipelineFile& pipeline) -> void {
        if (root_.kind != Kind::map) {
            must_be(root_, "a pipeline file", "a map",
                    "start with the lines `pipeline: NAME`, `source:` and `sinks:`", problems_);
            return;
        }
        refuse_unknown();
        pipeline.name = name();
        pipeline.source = map("source", true);
        pipeline.queue = queue(pipeline.name);
        pipeline.transforms = transforms();
        pipeline.sinks = sinks();
        pipeline.http = map("http", false);
        pipeline.run = map("run", false);
    }

private:
    auto refuse_unknown() -> void {
        for (const auto& entry : root_.entries) {
            if (!entry.key.starts_with("x-") &&
                       std::find(sections.begin(), sections.end(), std::string_view(entry.key)) ==
                           sections.end()) {
                problems_.add(entry.key_span, "unknown key " + in_quotes(entry.key),
                              suggest(entry.key, sections));
            }
        }
    }

    auto missing(std::string_view key, std::string hint) -> void {
        problems_.add({{1, 1}, {1, 1}}, "the key '" + std::string(key) + "' is missing",
                      std::move(hint));
    }

    // The name goes into slot names, folder names and SQL, so it is plain everywhere.
    auto name() -> std::string {
        constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
        constexpr std::size_t longest = 40;
        const auto* node = root_.find("pipeline");
        if (node == nullptr) {
            missing("pipeline", "add `pipeline: NAME`");
            return {};
        }
        // A name of digits only is typed as a number; as a name it is good enough.
        if (node->kind != Kind::text && node->kind != Kind::integer) {
            must_be(*node, "'pipeline'", "a name", "", problems_);
            return {};
        }
        const auto& text = node->text;
        if (text.empty() || text.size() > longest ||
            text.find_first_not_of(allowed) != std::string::npos) {
            problems_.add(node->span, "not a name for a pipeline",
                          "use at most 40 of a-z, 0-9 and _");
            return {};
        }
        return text;
    }

    auto map(std::string_view key, bool required) -> Node {
        auto* node = root_.find(key);
        if (node == nullptr) {
            if (required) missing(key, "add `" + std::string(key) + ":` with its `type`");
            return {};
        }
        if (node->kind == Kind::map) return std::move(*node);
        return must_be(*node, "'" + std::string(key) + "'", "a map",
                       "write it as lines of `key: value`", problems_);
    }

    auto queue(const std::string& pipeline) -> Node {
        const NodeEntry path{"path", {}, Node::make_text("data/" + pipeline)};
        if (root_.find("queue") == nullptr) {
            return Node::make_map({{"type", {}, Node::make_text("log")}, path});
        }
        auto node = map("queue", false);
        const auto* type = node.find("type");
        if (type != nullptr && type->text == "log" && node.find("path") == nullptr) {
            node.entries.push_back(path);
        }
        return node;
    }

    auto sinks() -> std::vector<Node> {
        auto* node = root_.find("sinks");
        if (node == nullptr) {
            missing("sinks", "add `sinks:` with one `- type: ...` for each");
            return {};
        }
        auto items = maps(*node, "sink", "- type: ...");
        if (node->kind == Kind::list && items.empty())
            problems_.add(node->span, "'sinks' is empty", "add one `- type: ...` for each sink");
        return items;
    }

    auto transforms() -> std::vector<Node> {
        auto* node = root_.find("transforms");
        return node == nullptr ? std::vector<Node>{} : maps(*node, "transform", "- name: ...");
    }

    // A section that is a list of maps; `one` is what an item is called.
    auto maps(Node& node, const std::string& one, const std::string& shape) -> std::vector<Node> {
        if (node.kind != Kind::list) {
            must_be(node, "'" + one + "s'", "a list",
                    "start each " + one + " with `" + shape + "`", problems_);
            return {};
        }
        for (auto& item : node.items)
            if (item.kind != Kind::map)
                item = must_be(item, "a " + one, "a map", "write it as `" + shape + "`", problems_);
        return std::move(node.items);
    }

    Node root_;
    Problems& problems_;
};

}  // namespace

auto parse_pipeline(const std::filesystem::path& name, SourceFile file, const Lookup& lookup,
                    const ReadSections& read_sections) -> Result<PipelineFile> {
    PipelineFile pipeline;
    pipeline.path = name;
    pipeline.file = std::move(file);
    Problems problems(pipeline.file);
    auto root = parse_yaml(pipeline.file, problems);
    interpolate(root, lookup, problems);
    const bool understood = root.kind != Kind::absent;
    Sections(std::move(root), problems).read(pipeline);
    if (understood && read_sections) read_sections(pipeline, problems);
    TRY(problems.result());
    return pipeline;
}

auto load_pipeline_file(const std::filesystem::path& path, const ReadSections& read_sections)
    -> Result<PipelineFile> {
    auto file = TRY(SourceFile::open(path));
    return parse_pipeline(path, std::move(file), ProcessLookup(), read_sections);
}

}  // namespace leat::config
