// Parsing of YAML into nodes: types, places, and everything that is refused.
#include "config/node.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace leat::config {
namespace {

struct Parsed {
    Node node;
    std::vector<std::string> messages;
};

auto parse(const std::string& text) -> Parsed {
    const SourceFile file("test.yaml", text);
    Problems problems(file);
    Parsed parsed{parse_yaml(file, problems), {}};
    for (const auto& problem : problems.list()) {
        parsed.messages.push_back(std::to_string(problem.where.start.line) + ":" +
                                  std::to_string(problem.where.start.column) + " " +
                                  problem.message);
    }
    return parsed;
}

auto kind_of(const std::string& scalar) -> Node::Kind {
    const auto parsed = parse("key: " + scalar + "\n");
    const auto* value = parsed.node.find("key");
    return value == nullptr ? Node::Kind::absent : value->kind;
}

TEST(Yaml, TypesPlainScalarsByCoreSchema) {
    using Kind = Node::Kind;
    for (const auto* text : {"true", "True", "FALSE"}) EXPECT_EQ(kind_of(text), Kind::boolean);
    for (const auto* text : {"0", "-12", "+3", "0x1F", "0o17", "00012"}) {
        EXPECT_EQ(kind_of(text), Kind::integer) << text;
    }
    for (const auto* text : {"1.5", "-.5", "1e3", "2.", "1.0E-7", ".inf", "-.INF", ".nan"}) {
        EXPECT_EQ(kind_of(text), Kind::number) << text;
    }
    for (const auto* text : {"", "~", "null", "NULL"}) EXPECT_EQ(kind_of(text), Kind::null) << text;
    for (const auto* text : {"NO", "yes", "on", "12:30:45", "1_000", "0x", "1e", ".", "2026-01-02",
                             "tRue", "\"12\"", "'true'", "'null'"}) {
        EXPECT_EQ(kind_of(text), Kind::text) << text;
    }
}

TEST(Yaml, KeepsPlacesInCodePoints) {
    const auto parsed = parse("ä: ö\nlist: [a, 'b c']\nmap:\n  k: v\n  l: w\n");
    ASSERT_TRUE(parsed.messages.empty()) << parsed.messages.front();
    EXPECT_EQ(parsed.node.find("ä")->span, (Span{{1, 4}, {1, 5}}));
    EXPECT_EQ(parsed.node.find("list")->span, (Span{{2, 7}, {2, 17}}));
    EXPECT_EQ(parsed.node.find("list")->items[1].span, (Span{{2, 11}, {2, 16}}));
    EXPECT_EQ(parsed.node.find("map")->span, (Span{{4, 3}, {5, 7}}));
    EXPECT_EQ(parsed.node.entries[1].key_span, (Span{{2, 1}, {2, 5}}));
}

TEST(Yaml, ReportsAllThatIsNotSupportedAtOnce) {
    const auto parsed = parse("a: &x 1\nb: *x\nc: !!str 2\na: 3\n[1]: 4\n~: 5\n");
    EXPECT_EQ(
        parsed.messages,
        (std::vector<std::string>{
            "1:4 anchors are not supported: 'x'", "2:4 aliases are not supported: 'x'",
            "3:4 tags are not supported: 'tag:yaml.org,2002:str'",
            "4:1 duplicate key 'a', first in line 1", "5:1 a key must be a word, found a list",
            "6:1 a key must be a word, found nothing"}));
    EXPECT_EQ(parsed.node.find("a")->text, "1");
}

TEST(Yaml, RefusesMoreThanOneDocument) {
    EXPECT_EQ(parse("a: 1\n---\nb: 2\n").messages,
              std::vector<std::string>{"2:1 a second document starts here"});
    EXPECT_TRUE(parse("---\na: 1\n...\n").messages.empty());
    EXPECT_EQ(parse("%YAML 1.1\n---\na: 1\n").messages,
              std::vector<std::string>{"1:1 directives are not supported"});
}

TEST(Yaml, BoundsDepthAndCount) {
    const std::string deep(200, '[');
    EXPECT_EQ(parse(deep + std::string(200, ']')).messages,
              std::vector<std::string>{"1:34 nested too deeply"});
    std::string many = "[";
    for (std::size_t i = 0; i <= max_nodes; ++i) many += "1,\n";
    const auto parsed = parse(many + "]");
    ASSERT_EQ(parsed.messages.size(), 1U);
    EXPECT_NE(parsed.messages[0].find("too many values"), std::string::npos);
}

TEST(Yaml, AnswersBrokenText) {
    EXPECT_EQ(parse("").messages, std::vector<std::string>{"1:1 the file is empty"});
    EXPECT_EQ(parse("# nothing\n").messages, std::vector<std::string>{"1:1 the file is empty"});
    EXPECT_EQ(parse("\xEF\xBB\xBF"
                    "a: 1\n")
                  .messages,
              std::vector<std::string>{});
    EXPECT_EQ(parse("a: 1\nb: \xFF\n").messages,
              std::vector<std::string>{"2:4 bad text: invalid leading UTF-8 octet"});
    EXPECT_EQ(parse("a: \"\\0\"\n").messages,
              std::vector<std::string>{"1:4 text holds a NUL character"});
    EXPECT_EQ(parse("a: [1, 2\n").messages.size(), 1U);
    EXPECT_EQ(parse("a: 'open\n").node.kind, Node::Kind::absent);
}

TEST(SourceFile, PointsBelowTheLine) {
    const SourceFile file("f", "one: 1\n\ttwo: ä b\nthree");
    EXPECT_EQ(file.excerpt({{2, 7}, {2, 10}}), "    2 |  two: ä b\n      |       ^~~\n");
    EXPECT_EQ(file.excerpt({{1, 1}, {2, 3}}), "    1 | one: 1\n      | ^~~~~~\n");
    EXPECT_EQ(file.excerpt({{3, 6}, {3, 6}}), "    3 | three\n      |      ^\n");
    EXPECT_EQ(file.excerpt({{9, 1}, {9, 1}}), "");
    EXPECT_EQ(file.excerpt({}), "");
}

TEST(SourceFile, ShowsThePartOfALongLine) {
    const SourceFile file("f", std::string(200, 'a') + "HERE" + std::string(200, 'b'));
    const auto shown = file.excerpt({{1, 201}, {1, 205}});
    EXPECT_NE(shown.find("| …"), std::string::npos);
    EXPECT_NE(shown.find("…\n"), std::string::npos);
    const auto line = shown.substr(0, shown.find('\n'));
    const auto carets = shown.substr(shown.find('\n') + 1);
    // The ellipsis takes three bytes and one column.
    EXPECT_EQ(line.find("HERE") - 2, carets.find("^~~~"));
}

TEST(Redact, HidesPasswordsAndKeepsColumns) {
    EXPECT_EQ(redact("uri: postgres://me:hunter2@host/db"), "uri: postgres://me:*******@host/db");
    EXPECT_EQ(redact("u: \"amqp://a:p/ä@d@h\", b: 1"), "u: \"amqp://a:*****@h\", b: 1");
    EXPECT_EQ(redact("{password: hunter2, port: 1}"), "{password: *******, port: 1}");
    EXPECT_EQ(redact("conn: host=a password='h 2' user=b"), "conn: host=a password=***** user=b");
    EXPECT_EQ(redact("Secret_Token: abc"), "Secret_Token: ***");
    EXPECT_EQ(redact("?password=abc&x=1"), "?password=***&x=1");
    EXPECT_EQ(redact("password: ${env:PGPASS}"), "password: ${env:PGPASS}");
    EXPECT_EQ(redact("pg://${env:U}:${env:P}@h"), "pg://${env:U}:${env:P}@h");
    EXPECT_EQ(redact("pg://u:a${env:P}b@h"), "pg://u:*${env:P}*@h");
    EXPECT_EQ(redact("primary_key: id"), "primary_key: id");
    EXPECT_EQ(redact("postgres://me@host:5432/db"), "postgres://me@host:5432/db");
}

TEST(Suggestions, FindWhatWasMeant) {
    constexpr std::array<std::string_view, 4> known{"primary_key", "path", "tables", "uri"};
    EXPECT_EQ(nearest("prymary_key", known), "primary_key");
    EXPECT_EQ(nearest("Primary-Key", known), "primary_key");
    EXPECT_EQ(nearest("tabels", known), "tables");
    EXPECT_EQ(nearest("url", known), "uri");
    EXPECT_EQ(nearest("zzz", known), "");
    EXPECT_EQ(nearest("", known), "");
    EXPECT_EQ(suggest("zzz", known), "use one of primary_key, path, tables, uri");
}

}  // namespace
}  // namespace leat::config
