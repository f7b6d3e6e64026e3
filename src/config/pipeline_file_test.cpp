// Sections of a pipeline file, and references inside its values.
#include "config/pipeline_file.hpp"

#include <gtest/gtest.h>

#include <map>

namespace leat::config {
namespace {

class TableLookup final : public Lookup {
public:
    [[nodiscard]] auto variable(const std::string& name) const
        -> std::optional<std::string> override {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    }
    [[nodiscard]] auto file(const std::filesystem::path& path) const
        -> Result<std::string> override {
        if (path == "pw.txt") return std::string("from file");
        return Error{Fault::config, "cannot read " + path.string() + ": gone", "look", {}};
    }

    std::map<std::string, std::string> variables;
};

auto parse(const std::string& text, const TableLookup& lookup = {}) -> Result<PipelineFile> {
    return parse_pipeline("p.yaml", SourceFile("p.yaml", text), lookup);
}

const std::string smallest = "pipeline: shop\nsource: {type: s}\nsinks: [{type: t}]\n";

auto value_of(const std::string& scalar, const TableLookup& lookup) -> std::string {
    auto file = parse(smallest + "run:\n  k: " + scalar + "\n", lookup);
    return file ? file->run.find("k")->text : file.error().what;
}

TEST(PipelineFile, ReadsSections) {
    auto file = parse(smallest + "x-note: [1]\n");
    ASSERT_TRUE(file) << file.error().what;
    EXPECT_EQ(file->name, "shop");
    EXPECT_EQ(file->source.find("type")->text, "s");
    ASSERT_EQ(file->sinks.size(), 1U);
    EXPECT_EQ(file->sinks[0].find("type")->text, "t");
    EXPECT_EQ(file->run.kind, Node::Kind::absent);
    EXPECT_EQ(file->queue.find("type")->text, "log");
    EXPECT_EQ(file->queue.find("path")->text, "data/shop");
}

TEST(PipelineFile, FillsInThePathOfALogOnly) {
    auto log = parse(smallest + "queue: {type: log, size_max: 1 GB}\n");
    ASSERT_TRUE(log) << log.error().what;
    EXPECT_EQ(log->queue.find("path")->text, "data/shop");
    auto kafka = parse(smallest + "queue: {type: kafka}\n");
    ASSERT_TRUE(kafka) << kafka.error().what;
    EXPECT_EQ(kafka->queue.find("path"), nullptr);
    auto own = parse(smallest + "queue: {type: log, path: here}\n");
    ASSERT_TRUE(own) << own.error().what;
    EXPECT_EQ(own->queue.find("path")->text, "here");
}

TEST(PipelineFile, GathersTheProblemsOfTheSectionsToo) {
    const auto read_sections = [](const PipelineFile& pipeline, Problems& problems) {
        problems.add(pipeline.source.span, "source is bad");
    };
    auto file = parse_pipeline("p.yaml", SourceFile("p.yaml", smallest + "sink: 1\n"),
                               TableLookup(), read_sections);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().fault, Fault::config);
    EXPECT_EQ(file.error().context, "p.yaml");
    EXPECT_EQ(file.error().what,
              "p.yaml:2:9: error: source is bad\n"
              "    2 | source: {type: s}\n"
              "      |         ^~~~~~~~~\n"
              "p.yaml:4:1: error: unknown key 'sink'; did you mean 'sinks'?\n"
              "    4 | sink: 1\n"
              "      | ^~~~");
}

TEST(PipelineFile, IsRefusedWhenItIsNotThere) {
    auto file = load_pipeline_file("no/such/file.yaml");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().what, "cannot read no/such/file.yaml: No such file or directory");
    EXPECT_FALSE(load_pipeline_file("."));
}

TEST(Interpolation, ReplacesReferences) {
    TableLookup lookup;
    lookup.variables = {{"A", "one"}, {"EMPTY", ""}, {"TRICKY", "x\n  evil: ${env:A}, }"}};
    EXPECT_EQ(value_of("${env:A}", lookup), "one");
    EXPECT_EQ(value_of("'<${env:A}|${file:pw.txt}>'", lookup), "<one|from file>");
    EXPECT_EQ(value_of("'$${env:A} $$ $'", lookup), "${env:A} $$ $");
    EXPECT_EQ(value_of("${env:EMPTY}", lookup), "");
    EXPECT_EQ(value_of("${env:TRICKY}", lookup), lookup.variables["TRICKY"]);
    EXPECT_EQ(value_of("|\n   a ${env:A}\n   b", lookup), "a one\nb\n");
}

TEST(Interpolation, LeavesKeysAlone) {
    TableLookup lookup;
    lookup.variables = {{"A", "one"}};
    auto file = parse(smallest + "run: {'${env:A}': 1}\n", lookup);
    ASSERT_TRUE(file) << file.error().what;
    EXPECT_EQ(file->run.entries[0].key, "${env:A}");
}

TEST(Interpolation, ReportsAtTheReference) {
    EXPECT_EQ(value_of("pg://${env:NOPE}@h", {}),
              "p.yaml:5:11: error: the environment variable 'NOPE' is not set; set it before leat "
              "starts: export NOPE=...\n"
              "    5 |   k: pg://${env:NOPE}@h\n"
              "      |           ^~~~~~~~~~~");
    for (const auto* bad : {"${vault:a#b}", "${env:}", "${env:1A}", "${file:}", "${file:gone}",
                            "${enf:A}", "${A}", "a${", "${env:A"}) {
        auto file = parse(smallest + "run: {k: '" + bad + "'}\n");
        EXPECT_FALSE(file) << bad;
    }
}

}  // namespace
}  // namespace leat::config
