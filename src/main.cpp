// The command line of leat: which commands there are and what they take. What they do is in cli/.
#include <CLI/CLI.hpp>
#include <cstdlib>

#include "base/failpoint.hpp"
#include "cli/check_command.hpp"
#include "cli/dead_letters_command.hpp"
#include "cli/drop_command.hpp"
#include "cli/exit_code.hpp"
#include "cli/explain_command.hpp"
#include "cli/init_command.hpp"
#include "cli/log_command.hpp"
#include "cli/pause_command.hpp"
#include "cli/query_command.hpp"
#include "cli/reference_command.hpp"
#include "cli/run_command.hpp"
#include "cli/simulate_command.hpp"
#include "cli/status_command.hpp"
#include "cli/version_command.hpp"

namespace {

using namespace leat;

constexpr const char* footer =
    "To begin: leat init shop.yaml, edit the file, leat check shop.yaml, leat run shop.yaml.\n"
    "Exit codes: 0 ok, 1 failed while running, 2 the file or the arguments, 3 the environment.";

auto add_file(CLI::App& command, std::filesystem::path& file) -> void {
    command.add_option("FILE", file, "the pipeline file")->required();
}

auto add_json(CLI::App& command, bool& json) -> void {
    command.add_flag("--json", json, "print the result, or the error, as one JSON object on stdout");
}

// An option that is one of a few words; a wrong one is answered with all of them.
template <class Value>
auto add_choice(CLI::App& command, const char* name, Value& value,
                const std::map<std::string, Value>& words, const char* what) -> void {
    command
        .add_option_function<std::string>(
            name, [&value, &words](const std::string& word) { value = words.at(word); }, what)
        ->check(CLI::IsMember(&words));
}

auto add_run(CLI::App& app, cli::RunArguments& arguments) -> CLI::App* {
    auto* command = app.add_subcommand("run", "run a pipeline until it is stopped (Ctrl-C or SIGTERM)");
    add_file(*command, arguments.file);
    add_json(*command, arguments.json);
    command->add_flag("--until-caught-up", arguments.run.until_caught_up,
                      "end with 0 once everything committed at the source by now is in every sink");
    static const std::map<std::string, Only> halves = {{"capture", Only::capture},
                                                       {"deliver", Only::deliver}};
    add_choice(*command, "--only", arguments.run.only, halves,
               "run one half: capture (source to log) or deliver (log to sinks)");
    command->add_option("--report", arguments.report, "write the run's figures as JSON to this file, also when it fails");
    command
        ->add_option("--rebuild", arguments.rebuild,
                     "SINK or SINK.TABLE: fill it anew from the source, beside what is there, and "
                     "swap it in")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    return command;
}

auto add_query(CLI::App& app, cli::QueryArguments& arguments) -> CLI::App* {
    auto* command = app.add_subcommand("query", "read-only SQL on the warehouse of a running pipeline");
    add_file(*command, arguments.file);
    command->add_option("SQL", arguments.sql, "one SELECT statement")->required();
    command->add_option("--sink", arguments.sink, "the sink to ask (default: the first)");
    static const std::map<std::string, cli::QueryFormat> formats = {
        {"table", cli::QueryFormat::table},
        {"csv", cli::QueryFormat::csv},
        {"json", cli::QueryFormat::json},
        {"arrow", cli::QueryFormat::arrow}};
    add_choice(*command, "--format", arguments.format, formats,
               "table, csv, json (one object a row) or arrow (an IPC stream)");
    add_json(*command, arguments.json);
    return command;
}

auto add_pause(CLI::App& app, cli::PauseArguments& arguments, int& code) -> void {
    for (const bool paused : {true, false}) {
        auto* command = paused ? app.add_subcommand("pause", "put a sink to rest; capture goes on")
                               : app.add_subcommand("resume", "let a paused sink go on");
        add_file(*command, arguments.file);
        command->add_option("SINK", arguments.sink, "the sink's name (default: all)");
        add_json(*command, arguments.json);
        command->callback([&, paused] { code = cli::pause_command(arguments, paused); });
    }
}

auto add_drop(CLI::App& app, cli::DropArguments& arguments, int& code) -> void {
    auto* command = app.add_subcommand("drop", "remove slot, publication and log of a pipeline");
    add_file(*command, arguments.file);
    add_json(*command, arguments.json);
    command->add_flag("--yes", arguments.yes, "do not ask");
    command->callback([&] { code = cli::drop_command(arguments); });
}

auto add_log(CLI::App& app, cli::LogInspectArguments& arguments, int& code) -> void {
    auto* command = app.add_subcommand("log", "look into a log on disk: log inspect DIR");
    command->require_subcommand(1);
    auto* inspect = command->add_subcommand("inspect", "headers, frames, first defect");
    inspect->add_option("DIR", arguments.directory, "the queue's folder")->required();
    add_json(*inspect, arguments.json);
    inspect->callback([&] { code = cli::log_inspect_command(arguments); });
}

auto add_explain(CLI::App& app, cli::ExplainArguments& arguments, int& code) -> void {
    auto* command = app.add_subcommand("explain", "what an error's code means, and what to do");
    command->add_option("CODE", arguments.code, "such as PG-SLOT-LOST; all are listed without one");
    add_json(*command, arguments.json);
    command->callback([&] { code = cli::explain_command(arguments); });
}

auto add_reference(CLI::App& app, std::string& page, int& code) -> void {
    auto* command = app.add_subcommand("reference", "a reference page, as Markdown");
    command->add_option("PAGE", page, "configuration, metrics or errors")
        ->required()
        ->check(CLI::IsMember({"configuration", "metrics", "errors"}));
    command->callback([&] { code = cli::reference_command(page); });
}

auto add_dead_letters(CLI::App& app, cli::DeadLettersArguments& arguments, int& code) -> void {
    auto* command = app.add_subcommand("dead-letters", "rows that could not go on their way");
    command->require_subcommand(1);
    const auto add = [&](const char* name, const char* what) {
        auto* sub = command->add_subcommand(name, what);
        add_file(*sub, arguments.file);
        sub->add_option("--sink", arguments.sink, "only of this sink");
        return sub;
    };
    const auto add_filters = [&](CLI::App& sub) {
        sub.add_option("--table", arguments.table, "only on the way to this table");
        sub.add_option("--rule", arguments.rule, "only by this rule");
        sub.add_option("--key", arguments.key, "only of rows with this value in the key");
        sub.add_option("--from", arguments.from, "committed at or after this time (UTC)");
        sub.add_option("--until", arguments.until, "committed before this time (UTC)");
        sub.add_flag("--all", arguments.all, "superseded ones too");
    };
    auto* list = add("list", "one line per letter");
    add_filters(*list);
    add_json(*list, arguments.json);
    list->callback([&] { code = cli::dead_letters_list_command(arguments); });
    auto* show = add("show", "everything about one letter");
    show->add_option("ID", arguments.id, "the letter's id")->required();
    add_json(*show, arguments.json);
    show->callback([&] { code = cli::dead_letters_show_command(arguments); });
    auto* write = add("export", "letters with their rows, on stdout");
    add_filters(*write);
    write->add_option("--format", arguments.format, "json (one object per line) or csv")
        ->check(CLI::IsMember({"json", "csv"}));
    write->callback([&] { code = cli::dead_letters_export_command(arguments); });
}

// The names in a list, for an option's help.
template <class Named>
auto names_of(const Named& list) -> std::vector<std::string> {
    std::vector<std::string> names;
    for (const auto& each : list) names.emplace_back(each.name);
    return names;
}

auto add_simulate(CLI::App& app, cli::SimulateArguments& arguments, int& code) -> void {
    auto* command = app.add_subcommand("simulate", "sample data and live changes in a database");
    auto& options = arguments.options;
    command->add_option("URI", options.uri, "postgresql://… or mongodb://…")->required();
    command->add_option("--data", arguments.data, "what the tables hold")
        ->check(CLI::IsMember(names_of(simulate::data_sets())))->capture_default_str();
    command->add_option("--mix", arguments.mix, "which changes are made")
        ->check(CLI::IsMember(names_of(simulate::mixes)))->capture_default_str();
    command->add_option("--rows", options.rows, "rows of the main table to begin with, where it is empty")
        ->check(CLI::NonNegativeNumber)->capture_default_str();
    command->add_option("--events", options.pace.events, "changes in all (default: until stopped)")
        ->check(CLI::NonNegativeNumber);
    command->add_option("--duration", arguments.duration, "how long changes are made, such as 30s");
    command->add_option("--rate", options.pace.rate, "changes a second; 0: as fast as possible")
        ->check(CLI::NonNegativeNumber)->capture_default_str();
    command->add_option("--transaction", options.transaction,
                        "changes a transaction, in MongoDB a bulk write")
        ->check(CLI::PositiveNumber)->capture_default_str();
    command->add_option("--writers", options.writers,
                        "connections that make changes at once, of the same tables")
        ->check(CLI::Range(1, 64))->capture_default_str();
    command->add_option("--seed", options.seed, "the same seed makes the same data")
        ->capture_default_str();
    command->add_option("--document-bytes", options.document_bytes,
                        "MongoDB: new documents are padded to about this size")
        ->check(CLI::NonNegativeNumber);
    command->add_flag("--wall-clock", options.wall_clock,
                      "times in rows are those of the clock, not counted from the seed");
    add_json(*command, arguments.json);
    command->callback([&] { code = cli::simulate_command(arguments); });
}

}  // namespace

auto main(int argc, char** argv) -> int {
    if (const char* armed = std::getenv("LEAT_FAILPOINTS"); armed != nullptr)
        if (const auto result = arm_failpoints(armed); !result)
            return cli::fail(result.error(), cli::exit_configuration, false);

    CLI::App app("leat: the changes of a database, in the warehouse, exactly once");
    app.footer(footer);
    app.require_subcommand(1);
    int code = cli::exit_ok;

    cli::RunArguments run;
    add_run(app, run)->callback([&] { code = cli::run_command(run); });
    cli::QueryArguments query;
    add_query(app, query)->callback([&] { code = cli::query_command(query); });

    cli::StatusArguments status;
    auto* status_command = app.add_subcommand("status", "how a pipeline is, and what to do about it");
    add_file(*status_command, status.file);
    add_json(*status_command, status.json);
    status_command->callback([&] { code = cli::status_command(status); });

    cli::PauseArguments pause;
    add_pause(app, pause, code);

    cli::CheckArguments check;
    auto* check_command = app.add_subcommand("check", "validate a pipeline file, look at its servers");
    add_file(*check_command, check.file);
    add_json(*check_command, check.json);
    check_command->callback([&] { code = cli::check_command(check); });

    cli::InitArguments init;
    auto* init_command = app.add_subcommand("init", "write a pipeline file to start from");
    init_command->add_option("FILE", init.file, "the file to make")->required();
    add_json(*init_command, init.json);
    init_command->callback([&] { code = cli::init_command(init); });

    cli::DropArguments drop;
    add_drop(app, drop, code);

    cli::LogInspectArguments inspect;
    add_log(app, inspect, code);

    cli::DeadLettersArguments dead_letters;
    add_dead_letters(app, dead_letters, code);

    cli::ExplainArguments explain;
    add_explain(app, explain, code);

    cli::SimulateArguments simulate;
    add_simulate(app, simulate, code);

    std::string page;
    add_reference(app, page, code);

    bool version_json = false;
    auto* version_command = app.add_subcommand("version", "versions of leat and its libraries");
    add_json(*version_command, version_json);
    version_command->callback([&] { code = cli::version_command(version_json); });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int shown = app.exit(error);
        return shown == 0 ? cli::exit_ok : cli::exit_configuration;
    }
    return code;
}
