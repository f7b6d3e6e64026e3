// Reads transforms; see transforms.hpp.
#include "cli/transforms.hpp"

#include <arrow/type.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>

#include "config/describe.hpp"
#include "config/read.hpp"
#include "pipeline/routes.hpp"
#include "transform/sql/tree.hpp"

namespace leat {

constexpr auto names_of(Otherwise /*unused*/) {
    using Name = config::EnumName<Otherwise>;
    return std::array{Name{Otherwise::dead_letter, "dead_letter"}, Name{Otherwise::drop, "drop"},
                      Name{Otherwise::warn, "warn"}, Name{Otherwise::stop, "stop"}};
}
constexpr auto names_of(OnBadUpdate /*unused*/) {
    using Name = config::EnumName<OnBadUpdate>;
    return std::array{Name{OnBadUpdate::keep_last_good, "keep_last_good"},
                      Name{OnBadUpdate::remove, "delete"}};
}

namespace cli {

namespace {

struct ExpectOptions {
    std::string name;
    std::string that;
    Otherwise otherwise = Otherwise::dead_letter;

    static constexpr auto fields() {
        using config::field;
        return config::fields(
            field("name", &ExpectOptions::name, "name of the rule").required().not_empty(),
            field("that", &ExpectOptions::that, "condition over the output's columns")
                .required()
                .not_empty(),
            field("otherwise", &ExpectOptions::otherwise, "what happens to a row that breaks it"));
    }
};

struct TransformOptions {
    std::string name;
    std::string sql;
    std::vector<ExpectOptions> expect;
    OnBadUpdate on_bad_update = OnBadUpdate::keep_last_good;
    double bad_ratio_max = 0.5;

    static constexpr auto fields() {
        using Self = TransformOptions;
        using config::field;
        return config::fields(
            field("name", &Self::name, "name of the output table").required().not_empty(),
            field("sql", &Self::sql, "one SELECT over one table").required().not_empty(),
            field("expect", &Self::expect, "what must hold of every row"),
            field("on_bad_update", &Self::on_bad_update,
                  "what the sink does where an update is rejected"),
            field("bad_ratio_max", &Self::bad_ratio_max,
                  "share of rejected rows since the last commit that stops the sink")
                .between(0, 1));
    }
};

auto entry_of(TransformOptions options) -> TransformEntry {
    TransformEntry entry;
    entry.options.name = std::move(options.name);
    entry.options.sql = std::move(options.sql);
    for (auto& each : options.expect)
        entry.options.expectations.push_back(
            {std::move(each.name), std::move(each.that), each.otherwise});
    entry.on_bad_update = options.on_bad_update;
    entry.bad_ratio_max = options.bad_ratio_max;
    return entry;
}

auto report(const Error& error, const config::Span& where, config::Problems& problems) -> void {
    problems.add(where, error.context + ": " + error.what, error.hint);
}

auto span_of(const config::Node& node) -> config::Span {
    const auto* const sql = node.find("sql");
    return sql == nullptr ? node.span : sql->span;
}

}  // namespace

auto describe_transforms() -> std::string {
    return config::describe<TransformOptions>();
}

auto read_transforms(const config::PipelineFile& file, config::Problems& problems)
    -> std::vector<TransformEntry> {
    std::vector<TransformEntry> entries;
    if (file.transforms.empty()) return entries;
    const auto engine = sql::Engine::make();
    if (!engine) {
        report(engine.error(), {}, problems);
        return entries;
    }
    std::vector<RouteStep> steps;
    for (const auto& node : file.transforms) {
        const auto count = problems.count();
        auto entry = entry_of(config::read<TransformOptions>(
            node, problems, {.where = "a transform", .typed = false}));
        if (problems.count() != count) continue;
        const auto transform = SqlTransform::make(*engine, entry.options);
        if (!transform) {
            report(transform.error(), span_of(node), problems);
            continue;
        }
        entry.input = (*transform)->input();
        steps.push_back({entry.options.name, entry.input});
        if (const auto routes = make_routes(steps); !routes) {
            report(routes.error(), node.span, problems);
            steps.pop_back();
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

namespace {

// What decides which rows a transform makes: `warn` and `stop` change none.
auto definition_of(const TransformEntry& entry) -> std::string {
    boost::json::array rules;
    for (const auto& each : entry.options.expectations) {
        if (each.otherwise == Otherwise::warn || each.otherwise == Otherwise::stop) continue;
        const bool drops = each.otherwise == Otherwise::drop;
        rules.push_back({each.that, drops ? "drop" : "dead_letter"});
    }
    const bool deletes = entry.on_bad_update == OnBadUpdate::remove;
    return boost::json::serialize(
        boost::json::object{{"sql", entry.options.sql},
                            {"expect", std::move(rules)},
                            {"on_bad_update", deletes ? "delete" : "keep_last_good"}});
}

// The text as DuckDB writes its parse tree: without comments, spaces or case of keywords.
auto plain_sql(sql::Engine& engine, const std::string& sql) -> Result<std::string> {
    const auto tree = TRY(engine.parse(sql));
    return sql::is_error(tree) ? sql : engine.unparse(tree);
}

auto plain_definition(sql::Engine& engine, const std::string& definition) -> Result<std::string> {
    boost::system::error_code error;
    auto root = boost::json::parse(definition, error);
    auto* const fields = error ? nullptr : root.if_object();
    const auto* const text = fields == nullptr ? nullptr : fields->if_contains("sql");
    auto* const rules = fields == nullptr ? nullptr : fields->if_contains("expect");
    if (text == nullptr || !text->is_string() || rules == nullptr || !rules->is_array())
        return definition;
    (*fields)["sql"] = TRY(plain_sql(engine, std::string(text->get_string())));
    for (auto& rule : rules->get_array()) {
        if (!rule.is_array() || rule.get_array().empty() || !rule.get_array()[0].is_string())
            continue;
        auto& that = rule.get_array()[0];
        that = TRY(plain_sql(engine, "SELECT (" + std::string(that.get_string()) + "\n) FROM t"));
    }
    return boost::json::serialize(root);
}

// Without letters.
auto shaper_parts(const std::vector<TransformEntry>& transforms, const std::string& sink,
                  const std::set<std::string>& tables, const std::filesystem::path& data)
    -> Result<ShaperParts> {
    ShaperParts parts;
    parts.tables = tables;
    parts.definitions = TRY(Definitions::make(
        definitions_file(data, sink),
        [](const std::string& a, const std::string& b) -> Result<bool> {
            const auto engine = TRY(sql::Engine::make());
            return TRY(plain_definition(*engine, a)) == TRY(plain_definition(*engine, b));
        }));
    std::shared_ptr<sql::Engine> engine;
    if (!transforms.empty()) engine = TRY(sql::Engine::make());
    for (const auto& entry : transforms) {
        const auto options = entry.options;
        parts.transforms.push_back({options.name, entry.input, entry.on_bad_update,
                                    entry.bad_ratio_max,
                                    [engine, options]() -> Result<std::unique_ptr<Transform>> {
                                        return TRY(SqlTransform::make(engine, options));
                                    },
                                    definition_of(entry)});
    }
    return parts;
}

}  // namespace

auto shaper_maker(const std::vector<TransformEntry>& transforms, const std::string& pipeline,
                  const std::string& sink, const std::set<std::string>& tables,
                  const std::filesystem::path& data) -> ShaperMaker {
    return [=]() -> Result<std::unique_ptr<Shaper>> {
        auto parts = TRY(shaper_parts(transforms, sink, tables, data));
        parts.letters = TRY(LetterBox::make(letter_file(data, sink), pipeline, sink));
        return Shaper::make(std::move(parts));
    };
}

auto changed_tables(const std::vector<TransformEntry>& transforms, const std::string& sink,
                    const std::set<std::string>& tables, const std::filesystem::path& data,
                    const std::vector<DescribedTable>& described)
    -> Result<std::vector<TableName>> {
    std::vector<TableName> changed;
    // Before the first run nothing is noted.
    if (!std::filesystem::exists(definitions_file(data, sink))) return changed;
    constexpr auto newest = std::numeric_limits<Incarnation>::max();
    const auto shaper = TRY(Shaper::make(TRY(shaper_parts(transforms, sink, tables, data))));
    for (const auto& table : described)
        if (!TRY(shaper->is_current(table.schema->name, newest)))
            changed.push_back(table.schema->name);
    return changed;
}

namespace {

auto problem(const Error& error) -> Finding {
    return {Severity::problem, error.context + ": " + error.what, error.hint, error.code};
}

// What one route makes of a table. `unsent`: columns that it needs and that an update may lack.
struct Compiled {
    SchemaPtr output;
    std::string unsent;
};

auto compile_route(const std::vector<TransformEntry>& transforms, const Route& route,
                   SchemaPtr schema, const MayLack& may_lack,
                   const std::shared_ptr<sql::Engine>& engine) -> Result<Compiled> {
    Compiled compiled{std::move(schema), ""};
    for (const auto step : route.steps) {
        const auto transform = TRY(SqlTransform::make(engine, transforms[step].options));
        const auto output = TRY(transform->prepare(compiled.output));
        const auto& input = *compiled.output;
        for (const auto& name : transform->needed_columns()) {
            const auto index = input.column_index(name);
            if (!input.is_key(index) && may_lack(input.columns[static_cast<std::size_t>(index)]))
                compiled.unsent += (compiled.unsent.empty() ? "" : ", ") + name;
        }
        compiled.output = output;
    }
    return compiled;
}

auto steps_of(const std::vector<TransformEntry>& transforms) -> std::vector<RouteStep> {
    std::vector<RouteStep> steps;
    for (const auto& entry : transforms) steps.push_back({entry.options.name, entry.input});
    return steps;
}

auto is_table(const Route& route, const TableName& name) -> bool {
    return is_same_name(route.source, target_name(name));
}

// Of a table whose partial rows are completed.
auto about_completion(const DescribedTable& table, std::string what) -> Finding {
    if (table.refusal) return problem(*table.refusal);
    return {
        Severity::notice,
        std::move(what) + "read from the table, where it may be newer than the update (eventual)",
        table.whole_rows_remedy};
}

// Of a table that a route needs more of than an update may bring.
auto about_unsent(const DescribedTable& table, const std::string& output,
                  const std::string& columns, UnchangedColumns unchanged_columns) -> Finding {
    const auto comes = output + ": an update may come without " + columns +
                       ", and then the row cannot be judged: ";
    if (unchanged_columns != UnchangedColumns::as_sent)
        return about_completion(table, comes + "it is ");
    return {Severity::notice, comes + "it becomes a dead letter (incomplete_row)",
            table.whole_rows_remedy};
}

auto check_route(const std::vector<TransformEntry>& transforms, const Route& route, bool taken,
                 UnchangedColumns unchanged_columns, const DescribedTable& table,
                 const std::shared_ptr<sql::Engine>& engine, std::vector<Finding>& findings)
    -> Result<void> {
    const auto may_lack = [&](const Column& column) { return table.unsent.contains(column.name); };
    const auto compiled = TRY(compile_route(transforms, route, table.schema, may_lack, engine));
    findings.push_back({Severity::ok,
                        route.output + ": " + std::to_string(compiled.output->columns.size()) +
                            " columns from " + to_string(table.schema->name),
                        ""});
    if (taken && !compiled.unsent.empty())
        findings.push_back(about_unsent(table, route.output, compiled.unsent, unchanged_columns));
    return {};
}

// Tables that are completed whatever the transforms need.
auto tell_eventual(const std::vector<DescribedTable>& tables, UnchangedColumns unchanged_columns,
                   std::vector<Finding>& findings) -> void {
    for (const auto& table : tables) {
        if (unchanged_columns != UnchangedColumns::lookup && !table.must_be_whole) continue;
        if (table.schema->identity == RowIdentity::key && !table.unsent.empty())
            findings.push_back(about_completion(
                table, to_string(table.schema->name) + ": what an update leaves out is "));
    }
}

}  // namespace

auto make_needs_whole_rows(const std::vector<TransformEntry>& transforms,
                           const std::set<std::string>& taken) -> Result<NeedsWholeRows> {
    if (transforms.empty()) return NeedsWholeRows();
    const auto engine = TRY(sql::Engine::make());
    const auto routes = TRY(make_routes(steps_of(transforms)));
    return NeedsWholeRows([=](const SchemaPtr& schema, const MayLack& may_lack) {
        return std::any_of(routes.begin(), routes.end(), [&](const Route& route) {
            if (!is_taken(taken, route.output) || !is_table(route, schema->name)) return false;
            const auto compiled = compile_route(transforms, route, schema, may_lack, engine);
            return !compiled || !compiled->unsent.empty();
        });
    });
}

auto check_transforms(const std::vector<TransformEntry>& transforms,
                      const std::set<std::string>& taken, UnchangedColumns unchanged_columns,
                      const std::vector<DescribedTable>& tables) -> std::vector<Finding> {
    std::vector<Finding> findings;
    tell_eventual(tables, unchanged_columns, findings);
    if (transforms.empty()) return findings;
    const auto engine = sql::Engine::make();
    if (!engine) return {problem(engine.error())};
    const auto routes = make_routes(steps_of(transforms));
    if (!routes) return {problem(routes.error())};
    for (const auto& route : *routes) {
        const auto table = std::find_if(
            tables.begin(), tables.end(),
            [&](const DescribedTable& each) { return is_table(route, each.schema->name); });
        if (table == tables.end()) {
            findings.push_back(
                {Severity::problem,
                 "transform " + route.output + ": no table of the source is called " + route.source,
                 "Add it to source.tables, or name one that is there.", Code::transform_names});
            continue;
        }
        if (const auto done = check_route(transforms, route, is_taken(taken, route.output),
                                          unchanged_columns, *table, *engine, findings);
            !done)
            findings.push_back(problem(done.error()));
    }
    return findings;
}

}  // namespace cli

}  // namespace leat
