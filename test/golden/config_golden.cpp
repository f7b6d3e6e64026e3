// Golden cases of configuration: config_golden FOLDER [--update]
//
// Every FOLDER/<case>.yaml is loaded as a pipeline file, with options like those of the real
// connectors; what comes out (the errors with their carets, or the options in force) must be
// FOLDER/<case>.expected. An expectation without its file stands for a missing file.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <system_error>

#include "config/describe.hpp"
#include "config/pipeline_file.hpp"
#include "config/read.hpp"

namespace {

using leat::config::field;
using leat::config::show;

enum class OnLogFull { block, drop_lane };
constexpr auto names_of(OnLogFull /*unused*/) {
    using Name = leat::config::EnumName<OnLogFull>;
    return std::array{Name{OnLogFull::block, "block"}, Name{OnLogFull::drop_lane, "drop_lane"}};
}

struct SourceOptions {
    std::string uri;
    leat::config::Secret password;
    std::vector<std::string> tables;
    std::uint16_t connections = 4;
    bool binary = false;

    static constexpr auto fields() {
        using Self = SourceOptions;
        return leat::config::fields(
            field("uri", &Self::uri, "where the server is").required().not_empty(),
            field("password", &Self::password, "password of the role"),
            field("tables", &Self::tables, "what to capture").required().not_empty(),
            field("connections", &Self::connections, "readers of a snapshot").between(1, 64),
            field("binary", &Self::binary, "ask for binary values"));
    }
};

struct LogOptions {
    std::filesystem::path path;
    leat::config::Bytes size_max = leat::config::Bytes::gib(10);
    leat::config::Duration keep = std::chrono::hours(24);
    OnLogFull on_log_full = OnLogFull::block;

    static constexpr auto fields() {
        using Self = LogOptions;
        return leat::config::fields(
            field("path", &Self::path, "folder of the log").required(),
            field("size_max", &Self::size_max, "cap").at_least(leat::config::Bytes::mib(64)),
            field("keep", &Self::keep, "how far a sink can be set back"),
            field("on_log_full", &Self::on_log_full, "what a full log does"));
    }
};

struct SinkOptions {
    std::filesystem::path path;
    std::vector<std::string> tables;
    std::optional<std::string> primary_key;
    double fill = 0.5;

    static constexpr auto fields() {
        using Self = SinkOptions;
        return leat::config::fields(
            field("path", &Self::path, "database file").required(),
            field("tables", &Self::tables, "default: all"),
            field("primary_key", &Self::primary_key, "key of the target"),
            field("fill", &Self::fill, "share of the memory").between(0, 1));
    }
};

struct RunOptions {
    std::int64_t epoch_rows_max = 100'000;
    leat::config::Duration epoch_age_max = std::chrono::seconds(1);

    static constexpr auto fields() {
        using Self = RunOptions;
        return leat::config::fields(
            field("epoch_rows_max", &Self::epoch_rows_max, "rows of a commit").at_least(1),
            field("epoch_age_max", &Self::epoch_age_max, "age of a commit"));
    }
};

template <class T>
auto section(const leat::config::Node& node, leat::config::Problems& problems,
             std::string_view role, std::string_view known) -> std::string {
    const std::array types{known};
    const auto type = leat::config::require_type(node, problems, role, types);
    if (type.empty()) return {};
    const auto where = std::string(role) + " '" + type + "'";
    return "[" + where + "]\n" + show(leat::config::read<T>(node, problems, {.where = where}));
}

// The outcome of loading one file, as text.
auto outcome(const std::filesystem::path& path) -> std::string {
    std::string shown;
    const auto read_sections = [&shown](const leat::config::PipelineFile& pipeline,
                                        leat::config::Problems& problems) {
        shown = "[pipeline '" + pipeline.name + "']\n";
        shown += section<SourceOptions>(pipeline.source, problems, "source", "postgres");
        shown += section<LogOptions>(pipeline.queue, problems, "queue", "log");
        for (const auto& sink : pipeline.sinks) {
            shown += section<SinkOptions>(sink, problems, "sink", "duckdb");
        }
        shown += "[run]\n" + show(leat::config::read<RunOptions>(
                                 pipeline.run, problems, {.where = "'run'", .typed = false}));
    };
    const auto loaded = leat::config::load_pipeline_file(path, read_sections);
    if (loaded) return shown;
    const auto& error = loaded.error();
    return error.what + "\n" + (error.hint.empty() ? "" : "hint: " + error.hint + "\n");
}

auto read_whole(const std::filesystem::path& path) -> std::string {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// True if the case is as expected, or now is.
auto run_case(const std::filesystem::path& stem, bool update) -> bool {
    const auto file = stem.string() + ".yaml";
    const auto expectation = stem.string() + ".expected";
    const auto actual = outcome(file);
    if (update) {
        std::ofstream out(expectation, std::ios::binary);
        out << actual;
        return out.flush().good();
    }
    const auto expected = read_whole(expectation);
    if (actual == expected) return true;
    std::printf("FAILED %s\n--- expected\n%s--- actual\n%s", file.c_str(), expected.c_str(),
                actual.c_str());
    return false;
}

}  // namespace

auto main(int argc, char** argv) -> int {
    const bool update = argc > 2 && std::string_view(argv[2]) == "--update";
    if (argc < 2) {
        std::fputs("usage: config_golden FOLDER [--update]\n", stderr);
        return 2;
    }
    ::setenv("LEAT_GOLDEN_HOST", "db.example", 1);
    ::setenv("LEAT_GOLDEN_PASSWORD", "hunter2", 1);
    ::setenv("LEAT_GOLDEN_NUMBER", "12", 1);
    ::setenv("LEAT_GOLDEN_EMPTY", "", 1);
    ::unsetenv("LEAT_GOLDEN_UNSET");

    std::set<std::filesystem::path> cases;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1], failed)) {
        const auto extension = entry.path().extension();
        if (extension == ".yaml" || extension == ".expected") {
            cases.insert(std::filesystem::path(entry.path()).replace_extension());
        }
    }
    std::size_t bad = 0;
    for (const auto& stem : cases) bad += run_case(stem, update) ? 0 : 1;
    std::printf("%zu cases, %zu failed\n", cases.size(), bad);
    return failed || cases.empty() || bad > 0 ? 1 : 0;
}
