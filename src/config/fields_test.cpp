// From a list of fields: reading, messages, documents, masking.
#include "config/fields.hpp"

#include <gtest/gtest.h>

#include <type_traits>

#include "config/describe.hpp"
#include "config/read.hpp"

namespace leat::config {
namespace {

enum class OnFull { block, drop_lane };
constexpr auto names_of(OnFull /*unused*/) {
    return std::array{EnumName{OnFull::block, "block"}, EnumName{OnFull::drop_lane, "drop_lane"}};
}

struct Column {
    std::string name;
    bool hidden = false;

    static constexpr auto fields() {
        return config::fields(field("name", &Column::name, "name of the column").required(),
                              field("hidden", &Column::hidden, "left out"));
    }
};

struct Limit {
    std::uint64_t rows = 1000;
    Bytes bytes = Bytes::mib(64);

    static constexpr auto fields() {
        return config::fields(field("rows", &Limit::rows, "rows").at_least(1),
                              field("bytes", &Limit::bytes, "bytes").at_most(Bytes::gib(1)));
    }
};

// One member of every type that there may be.
struct Everything {
    bool flag = false;
    std::int64_t count = -1;
    std::uint16_t port = 5432;
    double ratio = 0.5;
    std::string text = "x";
    std::filesystem::path path;
    Secret password{};
    std::string uri = "pg://u:pw@h";
    Bytes size = Bytes::mib(1);
    Duration wait = std::chrono::milliseconds(2);
    std::chrono::seconds timeout{10};
    OnFull on_full = OnFull::block;
    std::optional<std::int64_t> maybe{};
    std::optional<Secret> maybe_secret{};
    std::vector<std::string> tables{};
    std::vector<Column> columns{};
    std::map<std::string, Limit> limits{};
    Limit limit{};

    static constexpr auto fields() {
        using E = Everything;
        return config::fields(
            field("flag", &E::flag, "a flag"),
            field("count", &E::count, "a count").between(-10, 10),
            field("port", &E::port, "a port").at_least(1),
            field("ratio", &E::ratio, "a ratio").between(0, 1), field("text", &E::text, "a text"),
            field("path", &E::path, "a path").required(),
            field("password", &E::password, "a password"), field("uri", &E::uri, "where"),
            field("size", &E::size, "a size"),
            field("wait", &E::wait, "a wait").at_most(std::chrono::hours(1)),
            field("timeout", &E::timeout, "a timeout"),
            field("on_full", &E::on_full, "what a full log does"),
            field("maybe", &E::maybe, "perhaps").at_least(3),
            field("maybe_secret", &E::maybe_secret, "perhaps"),
            field("tables", &E::tables, "tables").not_empty(),
            field("columns", &E::columns, "columns"), field("limits", &E::limits, "limits by name"),
            field("limit", &E::limit, "limits"));
    }
};

// The member `second` is not in a list of one: this is what the static_assert in fields() sees.
struct Forgetful {
    std::int64_t first = 0;
    std::optional<std::string> second{};
};
static_assert(detail::has_members<Forgetful, 2>);
static_assert(!detail::has_members<Forgetful, 1>);
static_assert(!detail::has_members<Forgetful, 3>);
static_assert(detail::has_members<Everything, 18>);

struct Twice {
    std::int64_t first = 0;
    std::int64_t second = 0;

    static constexpr auto fields() {
        return config::fields(field("first", &Twice::first, ""),
                              field("second", &Twice::first, ""));
    }
};
static_assert(detail::has_clash<Twice>());
static_assert(!detail::has_clash<Everything>());

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
    out << value;
};
static_assert(!Printable<Secret> && Printable<std::string>);

struct Outcome {
    Everything value;
    std::vector<std::string> messages;
};

auto read_text(const std::string& text) -> Outcome {
    const SourceFile file("test.yaml", text);
    Problems problems(file);
    const auto node = parse_yaml(file, problems);
    Outcome outcome{read<Everything>(node, problems, {.where = "sink 'x'"}), {}};
    for (const auto& problem : problems.list()) {
        outcome.messages.push_back(problem.message +
                                   (problem.hint.empty() ? "" : "; " + problem.hint));
    }
    return outcome;
}

using Messages = std::vector<std::string>;

TEST(Read, TakesEveryType) {
    const auto [value, messages] = read_text(
        "type: x\nflag: true\ncount: -0\nport: 0x10\nratio: 1\ntext: NO\npath: a/b\n"
        "password: hunter2\nsize: 1.5 GiB\nwait: 1.5s\ntimeout: 2 min\non_full: drop_lane\n"
        "maybe: 3\nmaybe_secret:\ntables: [a, 'b c']\ncolumns:\n- name: c\n  hidden: true\n"
        "limit: {rows: 7}\nlimits: {a b: {rows: 8}, c: {}}\n");
    EXPECT_EQ(messages, Messages{});
    EXPECT_TRUE(value.flag);
    EXPECT_EQ(value.count, 0);
    EXPECT_EQ(value.port, 16);
    EXPECT_EQ(value.ratio, 1.0);
    EXPECT_EQ(value.text, "NO");
    EXPECT_EQ(value.path, "a/b");
    EXPECT_EQ(value.password.reveal(), "hunter2");
    EXPECT_EQ(value.size, Bytes{1536U << 20U});
    EXPECT_EQ(value.wait, std::chrono::milliseconds(1500));
    EXPECT_EQ(value.timeout, std::chrono::seconds(120));
    EXPECT_EQ(value.on_full, OnFull::drop_lane);
    EXPECT_EQ(value.maybe, 3);
    EXPECT_EQ(value.maybe_secret, std::nullopt);
    EXPECT_EQ(value.tables, (std::vector<std::string>{"a", "b c"}));
    ASSERT_EQ(value.columns.size(), 1U);
    EXPECT_EQ(value.columns[0].name, "c");
    EXPECT_TRUE(value.columns[0].hidden);
    EXPECT_EQ(value.limit.rows, 7U);
    ASSERT_EQ(value.limits.size(), 2U);
    EXPECT_EQ(value.limits.at("a b").rows, 8U);
    EXPECT_EQ(value.limits.at("c").rows, 1000U);
    EXPECT_EQ(value.limit.bytes, Bytes::mib(64));
}

TEST(Read, KeepsDefaultsAndSaysWhatIsMissing) {
    const auto [value, messages] = read_text("columns: [{hidden: false}]\n");
    EXPECT_EQ(value.port, 5432);
    EXPECT_EQ(value.limit.rows, 1000U);
    EXPECT_EQ(messages,
              (Messages{"the key 'path' is missing in sink 'x'; add `path: ...`",
                        "the key 'columns[0].name' is missing in sink 'x'; add `name: ...`"}));
}

TEST(Read, SaysWhatIsWrongWithEveryValueAtOnce) {
    const auto messages =
        read_text(
            "path: 12\nflag: 'true'\ncount: 11\nport: 65536\nratio: .nan\ntext: 5\npassword: 12\n"
            "size: 64\nwait: 2h\ntimeout: 1500ms\non_full: blok\nmaybe: 2\ntables: a\n"
            "columns: {name: c}\nlimit: {rows: -1, bytes: 2 GiB, byte: 1}\n")
            .messages;
    EXPECT_EQ(
        messages,
        (Messages{"'flag' must be true or false, found text; write true or false, without quotes",
                  "'count' is out of range: it must be between -10 and 10",
                  "'port' is out of range: it must be between 1 and 65535",
                  "'ratio' must be a finite decimal number; write it like 0.5",
                  "'text' must be text, found a whole number; put it in quotes",
                  "'path' must be text, found a whole number; put it in quotes",
                  "'password' must be text, found a whole number; put it in quotes",
                  "'size' must be a size; write it with its unit, like 64 MiB",
                  "'wait' is out of range: it must be at most 1 h",
                  "'timeout' must be a multiple of 1 s",
                  "'on_full' must be one of block, drop_lane; did you mean 'block'?",
                  "'maybe' is out of range: it must be at least 3",
                  "'tables' must be a list, found text; put it in brackets",
                  "'columns' must be a list, found a map",
                  "'limit.rows' is out of range: it must be at least 1",
                  "'limit.bytes' is out of range: it must be at most 1 GiB",
                  "unknown key 'byte' in 'limit' of sink 'x'; did you mean 'bytes'?"}));
}

TEST(Read, SaysWhatIsWrongWithinAMap) {
    EXPECT_EQ(read_text("path: a\nlimits: {a: {row: 1}, b: 3}\n").messages,
              (Messages{"unknown key 'row' in 'limits.a' of sink 'x'; did you mean 'rows'?",
                        "'limits.b' must be a map, found a whole number; write it as lines of "
                        "`key: value`"}));
    EXPECT_EQ(read_text("path: a\nlimits: [a]\n").messages,
              Messages{"'limits' must be a map, found a list; write it as lines of `key: value`"});
}

TEST(Read, RefusesIntegersThatDoNotFit) {
    const auto messages =
        read_text("path: a\ncount: 99999999999999999999\nlimit: {rows: 18446744073709551616}\n")
            .messages;
    EXPECT_EQ(messages, (Messages{"'count' is out of range: it must be between -10 and 10",
                                  "'limit.rows' is out of range: it must be between 1 and "
                                  "18446744073709551615"}));
}

TEST(Read, RefusesEmptyThings) {
    const auto messages = read_text("path: ''\ntables: []\nflag:\nlimit:\n").messages;
    EXPECT_EQ(
        messages,
        (Messages{"'flag' must be true or false, found nothing; give it a value, or remove "
                  "the key to take the default",
                  "'path' must be text that is not empty",
                  "'tables' must be a list that is not empty",
                  "'limit' must be a map, found nothing; write it as lines of `key: value`"}));
}

TEST(Read, LeavesForeignKeysToTheirOwner) {
    const SourceFile file("f", "name: a\nother: 1\n");
    Problems problems(file);
    const auto node = parse_yaml(file, problems);
    constexpr std::array<std::string_view, 1> elsewhere{"other"};
    EXPECT_EQ(read<Column>(node, problems, {.where = "", .elsewhere = elsewhere}).name, "a");
    EXPECT_EQ(read<Column>(node, problems, {.partial = true}).name, "a");
    EXPECT_TRUE(problems.empty());
    read<Column>(node, problems);
    EXPECT_EQ(problems.count(), 1U);
}

TEST(Read, TakesAnAbsentNodeInSilence) {
    const SourceFile file("f", "");
    Problems problems(file);
    EXPECT_EQ(read<Everything>({}, problems).port, 5432);
    EXPECT_EQ(require_type({}, problems, "sink", {}), "");
    EXPECT_TRUE(problems.empty());
}

TEST(Describe, ListsEveryOption) {
    const auto infos = field_infos<Everything>();
    const auto find = [&](const std::string& key) {
        for (const auto& info : infos) {
            if (info.key == key) return info;
        }
        return FieldInfo{};
    };
    EXPECT_EQ(find("port").default_value, "5432");
    EXPECT_EQ(find("port").bounds, "at least 1");
    EXPECT_TRUE(find("path").required);
    EXPECT_TRUE(find("password").secret);
    EXPECT_TRUE(find("maybe_secret").secret);
    EXPECT_EQ(find("on_full").type, "one of block, drop_lane");
    EXPECT_EQ(find("limit.bytes").default_value, "64 MiB");
    EXPECT_EQ(find("columns[].name").doc, "name of the column");
    EXPECT_EQ(find("tables").type, "list of text");
    EXPECT_EQ(find("limits").type, "map of map");
    EXPECT_EQ(find("limits").default_value, "{}");
    EXPECT_EQ(find("limits.NAME.rows").default_value, "1000");
    EXPECT_EQ(find("timeout").default_value, "10 s");
    EXPECT_EQ(find("uri").default_value, "pg://u:**@h");
    EXPECT_EQ(describe<Column>(),
              "| key | type | default | meaning |\n|---|---|---|---|\n"
              "| `name` | text | required | name of the column |\n"
              "| `hidden` | true or false | `false` | left out |\n");
}

TEST(Show, MasksSecrets) {
    Everything value;
    value.password = Secret("hunter2");
    value.maybe_secret = Secret("hunter3");
    value.uri = "pg://u:hunter4@h";
    value.columns = {{"a", true}};
    const auto text = show(value);
    EXPECT_EQ(text.find("hunter"), std::string::npos);
    EXPECT_NE(text.find("password: ***\n"), std::string::npos);
    EXPECT_NE(text.find("columns: [{name: a, hidden: true}]\n"), std::string::npos);
    EXPECT_NE(text.find("wait: 2 ms\n"), std::string::npos);
}

}  // namespace
}  // namespace leat::config
