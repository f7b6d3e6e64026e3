// Asks every connector that can be checked; see check_command.hpp.
#include "cli/check_command.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "cli/assemble.hpp"
#include "cli/exit_code.hpp"
#include "config/finding.hpp"
#include "pipeline/policy.hpp"
#include "pipeline/routes.hpp"

namespace leat::cli {

namespace {

struct PartFindings {
    std::string part;
    std::vector<Finding> findings;
};

auto to_text(Severity severity) -> const char* {
    switch (severity) {
        case Severity::ok: return "ok";
        case Severity::notice: return "notice";
        case Severity::problem: return "problem";
    }
    return "";
}

template <class Interface>
auto look(const std::function<Result<std::unique_ptr<Interface>>()>& make) -> std::vector<Finding> {
    const auto connector = make();
    if (!connector) return {problem_of(connector.error())};
    auto* checkable = dynamic_cast<Checkable*>(connector->get());
    if (checkable == nullptr) return {{Severity::notice, "cannot be checked before it runs", ""}};
    auto findings = checkable->check();
    if (!findings) return {problem_of(findings.error())};
    return *std::move(findings);
}

using Tables = std::vector<DescribedTable>;

// Nothing: a source that cannot be asked before it runs.
auto describe_tables(const Loaded& loaded) -> Result<std::optional<Tables>> {
    const auto source = TRY(loaded.make_source());
    auto* const describable = dynamic_cast<Describable*>(source.get());
    if (describable == nullptr) return std::optional<Tables>();
    return std::optional(TRY(describable->describe_tables()));
}

auto look_at_transforms(const Loaded& loaded, const Result<std::optional<Tables>>& tables)
    -> std::vector<Finding> {
    // Without transforms the source has said what is wrong.
    if (loaded.transforms.empty() && (!tables || !*tables)) return {};
    if (!tables) return {problem_of(tables.error())};
    if (!*tables) return {{Severity::notice, "cannot be checked before it runs", ""}};
    return check_transforms(loaded.transforms, taken_tables(loaded),
                            loaded.capture.completion.unchanged_columns, **tables);
}

// A name with a slip of the pen would take nothing, and nobody would say so.
auto unknown_tables(const Loaded& loaded, const SinkEntry& sink, const Tables& tables)
    -> std::vector<Finding> {
    std::vector<Finding> findings;
    for (const auto& name : sink.tables) {
        const auto is_table = [&](const DescribedTable& each) {
            return is_same_name(target_name(each.schema->name), name);
        };
        const auto is_transform = [&](const TransformEntry& each) {
            return is_same_name(each.options.name, name);
        };
        if (std::any_of(tables.begin(), tables.end(), is_table) ||
            std::any_of(loaded.transforms.begin(), loaded.transforms.end(), is_transform))
            continue;
        findings.push_back({Severity::problem,
                            "tables: " + name + " is neither a table of the source nor a transform",
                            "Name tables as the sink calls them: orders for public.orders, "
                            "sales_orders for sales.orders."});
    }
    return findings;
}

auto look_at_sink(const Loaded& loaded, const SinkEntry& sink,
                  const Result<std::optional<Tables>>& tables) -> std::vector<Finding> {
    auto findings = look(sink.make);
    if (!tables || !*tables) return findings;
    for (auto& finding : unknown_tables(loaded, sink, **tables))
        findings.push_back(std::move(finding));
    const auto changed =
        changed_tables(loaded.transforms, sink.name, sink.tables, loaded.queue_path, **tables);
    if (!changed) findings.push_back(problem_of(changed.error()));
    else
        for (const auto& table : *changed)
            findings.push_back({Severity::notice,
                                to_string(table) + " is read anew at the next run: the sink gets it "
                                "by other transforms than before, or for the first time", ""});
    return findings;
}

auto print(const std::vector<PartFindings>& parts) -> void {
    for (const auto& [part, findings] : parts)
        for (const auto& finding : findings) {
            std::printf("%-8s %s: %s%s\n", to_text(finding.severity), part.c_str(),
                        finding.what.c_str(), in_brackets(finding.code).c_str());
            if (!finding.remedy.empty()) std::printf("         %s\n", finding.remedy.c_str());
        }
}

auto print_json(const std::vector<PartFindings>& parts, bool ready) -> void {
    boost::json::array list;
    for (const auto& [part, findings] : parts)
        for (const auto& finding : findings)
            list.push_back({{"part", part},
                            {"severity", to_text(finding.severity)},
                            {"code", to_string(finding.code)},
                            {"what", finding.what},
                            {"remedy", finding.remedy}});
    const boost::json::object object = {{"ready", ready}, {"findings", std::move(list)}};
    std::printf("%s\n", boost::json::serialize(object).c_str());
}

}  // namespace

auto check_command(const CheckArguments& arguments) -> int {
    const SystemClock clock;
    const auto loaded = load(arguments.file, clock);
    if (!loaded) return fail(loaded.error(), exit_configuration, arguments.json);
    std::vector<PartFindings> parts;
    parts.push_back({"file", {{Severity::ok, arguments.file.string() + " is valid", ""}}});
    parts.push_back({"source", look(loaded->make_source)});
    const auto tables = describe_tables(*loaded);
    parts.push_back({"transforms", look_at_transforms(*loaded, tables)});
    parts.push_back({"queue", look(loaded->make_queue_check)});
    for (const auto& sink : loaded->sinks)
        parts.push_back({"sink " + sink.name, look_at_sink(*loaded, sink, tables)});
    bool ready = true;
    for (const auto& [part, findings] : parts)
        for (const auto& finding : findings) ready &= finding.severity != Severity::problem;
    if (arguments.json) print_json(parts, ready);
    else print(parts);
    return ready ? exit_ok : exit_environment;
}

}  // namespace leat::cli
