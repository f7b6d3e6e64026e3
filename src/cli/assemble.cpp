// Reads the file with the registry's help; see assemble.hpp.
#include "cli/assemble.hpp"

#include <algorithm>

#include "cli/engine_options.hpp"
#include "config/pipeline_file.hpp"
#include "config/read.hpp"

namespace leat::cli {

namespace {

template <class Type>
auto find_type(const config::Node& node, config::Problems& problems, std::string_view role,
               std::span<const Type> types) -> const Type* {
    std::vector<std::string_view> names;
    for (const auto& type : types) names.push_back(type.name);
    const auto wanted = config::require_type(node, problems, role, names);
    const auto found = std::find_if(types.begin(), types.end(),
                                    [&](const Type& type) { return type.name == wanted; });
    return found == types.end() ? nullptr : &*found;
}

class Loader {
public:
    Loader(const config::PipelineFile& file, config::Problems& problems, const Clock& clock,
           Loaded& loaded)
        : file_(file), problems_(problems), clock_(clock), loaded_(loaded) {}

    auto run() -> void {
        loaded_.name = file_.name;
        if (const auto* path = file_.queue.find("path")) loaded_.queue_path = path->text;
        read_engine();
        read_http();
        loaded_.transforms = read_transforms(file_, problems_);
        read_sinks();  // before the queue, which is told of all lanes
        read_queue();
        read_source();
    }

private:
    auto read_engine() -> void {
        const auto engine = config::read<EngineOptions>(file_.run, problems_, {.where = "'run'", .typed = false});
        loaded_.capture.on_gap = engine.on_gap;
        loaded_.capture.completion.unchanged_columns = engine.unchanged_columns;
        loaded_.capture.snapshot_workers = engine.snapshot_workers;
        loaded_.epoch.rows_max = engine.epoch_rows_max;
        loaded_.epoch.bytes_max = static_cast<std::int64_t>(engine.epoch_bytes_max.count);
        loaded_.epoch.age_max = engine.epoch_age_max;
        loaded_.epoch.pause_factor = engine.commit_pause_factor;
    }

    auto read_http() -> void {
        const auto options = config::read<HttpOptions>(
            file_.http, problems_, {.where = "'http'", .typed = false});
        if (options.listen.empty()) return;
        loaded_.listen = wire::parse_tcp_address(options.listen);
        if (!loaded_.listen)
            problems_.add(file_.http.find("listen")->span, "'listen' is not an address with a port",
                          "write it as 127.0.0.1:9187 or [::1]:9187");
    }

    auto read_sinks() -> void {
        for (const auto& node : file_.sinks) {
            const auto* type = find_type(node, problems_, "sink", sink_types());
            if (type == nullptr) continue;
            auto options = config::read<SinkOptions>(
                node, problems_, {.where = "sink '" + std::string(type->name) + "'", .partial = true});
            if (options.name.empty()) options.name = type->name;
            const bool taken =
                std::any_of(loaded_.sinks.begin(), loaded_.sinks.end(),
                            [&](const SinkEntry& sink) { return sink.name == options.name; });
            if (taken)
                problems_.add(node.span, "two sinks are called '" + options.name + "'",
                              "Give each sink a `name` of its own.");
            const SinkContext context{file_.name, loaded_.queue_path / "sinks" / options.name, &clock_};
            loaded_.sinks.push_back({options.name,
                                     {options.tables.begin(), options.tables.end()},
                                     type->configure(node, problems_, context)});
        }
    }

    auto read_queue() -> void {
        const auto* type = find_type(file_.queue, problems_, "queue", queue_types());
        if (type == nullptr) return;
        QueueContext context{file_.name, {}, &clock_};
        for (const auto& sink : loaded_.sinks) context.lanes.push_back(sink.name);
        loaded_.make_queue = type->configure(file_.queue, problems_, context);
        config::Problems told_already(file_.file);
        loaded_.make_queue_check = type->configure_check(file_.queue, told_already, context);
    }

    auto read_source() -> void {
        const auto* type = find_type(file_.source, problems_, "source", source_types());
        if (type == nullptr) return;
        const SourceContext context{file_.name, loaded_.queue_path / "source", &clock_};
        loaded_.make_source = type->configure(file_.source, problems_, context);
    }

    const config::PipelineFile& file_;
    config::Problems& problems_;
    const Clock& clock_;
    Loaded& loaded_;
};

auto make_folder(const std::filesystem::path& folder) -> Result<void> {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        return Error{Fault::config, "folder cannot be made: " + error.message(),
                     "Choose a folder that this user may write.", folder.string(),
                     Code::run_folder};
    return {};
}

}  // namespace

auto load(const std::filesystem::path& path, const Clock& clock) -> Result<Loaded> {
    Loaded loaded;
    TRY(config::load_pipeline_file(path, [&](const auto& file, config::Problems& problems) {
        Loader(file, problems, clock, loaded).run();
    }));
    return loaded;
}

auto pauses_folder(const Loaded& loaded) -> std::filesystem::path {
    return loaded.queue_path / "paused";
}

auto rebuild_request(const Loaded& loaded, const std::string& text) -> Result<ImageRequest> {
    const SinkEntry* sink = nullptr;
    for (const auto& each : loaded.sinks)
        if ((text + ".").starts_with(each.name + ".") &&
            (sink == nullptr || sink->name.size() < each.name.size()))
            sink = &each;
    if (sink == nullptr)
        return Error{Fault::config, "no such sink to rebuild: " + text,
                     "Name a sink of this pipeline, or one of its tables as SINK.TABLE.",
                     "--rebuild", Code::sink_unknown};
    ImageRequest request{{sink->name}};
    if (text != sink->name) request.target = text.substr(sink->name.size() + 1);
    std::vector<RouteStep> steps;
    for (const auto& transform : loaded.transforms)
        steps.push_back({transform.options.name, transform.input});
    for (const auto& route : TRY(make_routes(steps)))
        if (is_same_name(route.output, request.target)) request.target = route.source;
    return request;
}

auto taken_tables(const Loaded& loaded) -> std::set<std::string> {
    std::set<std::string> taken;
    for (const auto& sink : loaded.sinks) {
        if (sink.tables.empty()) return {};
        taken.insert(sink.tables.begin(), sink.tables.end());
    }
    return taken;
}

auto assemble(const Loaded& loaded) -> Result<PipelineParts> {
    PipelineParts parts;
    parts.name = loaded.name;
    parts.queue = TRY(loaded.make_queue());
    TRY(make_folder(loaded.queue_path / "source"));
    parts.make_source = loaded.make_source;
    for (const auto& sink : loaded.sinks) {
        TRY(make_folder(loaded.queue_path / "sinks" / sink.name));
        parts.lanes.push_back({sink.name,
                               shaper_maker(loaded.transforms, loaded.name, sink.name, sink.tables,
                                            loaded.queue_path),
                               sink.make, letter_file(loaded.queue_path, sink.name)});
    }
    parts.capture = loaded.capture;
    parts.capture.completion.needs_whole_rows = TRY(
        make_needs_whole_rows(loaded.transforms, taken_tables(loaded)));
    parts.epoch = loaded.epoch;
    parts.pauses = pauses_folder(loaded);
    return parts;
}

}  // namespace leat::cli
