// Any bytes as a pipeline file: parsed, references replaced, sections and options read, problems
// rendered. Neither the environment nor the file system is touched.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/describe.hpp"
#include "config/pipeline_file.hpp"
#include "config/read.hpp"

namespace {

using leat::config::field;

enum class Mode { block, drop };
constexpr auto names_of(Mode /*unused*/) {
    using Name = leat::config::EnumName<Mode>;
    return std::array{Name{Mode::block, "block"}, Name{Mode::drop, "drop"}};
}

struct Part {
    std::string name;
    std::optional<double> ratio;

    static constexpr auto fields() {
        return leat::config::fields(field("name", &Part::name, "").required(),
                                    field("ratio", &Part::ratio, "").between(0, 1));
    }
};

struct Options {
    bool flag = false;
    std::int64_t count = 0;
    std::uint16_t port = 1;
    std::string text;
    std::filesystem::path path;
    leat::config::Secret password;
    leat::config::Bytes size{};
    leat::config::Duration wait{};
    Mode mode = Mode::block;
    std::vector<std::string> tables;
    std::vector<Part> parts;
    Part part;

    static constexpr auto fields() {
        return leat::config::fields(
            field("flag", &Options::flag, ""), field("count", &Options::count, "").at_least(-5),
            field("port", &Options::port, ""), field("text", &Options::text, ""),
            field("path", &Options::path, ""), field("password", &Options::password, ""),
            field("size", &Options::size, ""), field("wait", &Options::wait, ""),
            field("mode", &Options::mode, ""), field("tables", &Options::tables, "").not_empty(),
            field("parts", &Options::parts, ""), field("part", &Options::part, ""));
    }
};

class FuzzLookup final : public leat::config::Lookup {
public:
    [[nodiscard]] auto variable(const std::string& name) const
        -> std::optional<std::string> override {
        if (name.size() % 2 == 1) return std::nullopt;
        return "${env:" + name + "}\n- x: [";
    }
    [[nodiscard]] auto file(const std::filesystem::path& path) const
        -> leat::Result<std::string> override {
        if (path.native().size() % 2 == 1)
            return leat::Error{leat::Fault::config, "no file", "", ""};
        return path.native();
    }
};

auto read_sections(const leat::config::PipelineFile& pipeline, leat::config::Problems& problems)
    -> void {
    constexpr std::array<std::string_view, 3> types{"postgres", "log", "duckdb"};
    const auto read = [&](const leat::config::Node& node, std::string_view role) {
        leat::config::require_type(node, problems, role, types);
        const auto options =
            leat::config::read<Options>(node, problems, {.where = std::string(role)});
        static_cast<void>(leat::config::show(options));
    };
    read(pipeline.source, "source");
    read(pipeline.queue, "queue");
    for (const auto& sink : pipeline.sinks) read(sink, "sink");
    read(pipeline.run, "run");
}

}  // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    leat::config::SourceFile file("fuzz.yaml",
                                  std::string(reinterpret_cast<const char*>(data), size));
    const auto loaded =
        leat::config::parse_pipeline("fuzz.yaml", std::move(file), FuzzLookup(), read_sections);
    // Success has every section; failure says why.
    if (loaded) {
        if (loaded.value().name.empty() || loaded.value().sinks.empty()) std::abort();
    } else if (loaded.error().what.empty()) {
        std::abort();
    }
    return 0;
}
