// From a pipeline file to the parts of a pipeline, by way of the registry.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/transforms.hpp"
#include "connectors.hpp"
#include "pipeline/pipeline.hpp"
#include "wire/http.hpp"

namespace leat::cli {

struct SinkEntry {
    std::string name;
    std::set<std::string> tables;
    SinkMaker make;
};

// A pipeline file that was read without a complaint; nothing is connected or opened yet.
struct Loaded {
    std::string name;
    std::filesystem::path queue_path;  // the pipeline's data folder
    SourceMaker make_source;
    QueueMaker make_queue;
    CheckMaker make_queue_check;
    std::vector<TransformEntry> transforms;
    std::vector<SinkEntry> sinks;
    CaptureOptions capture;
    EpochLimits epoch;
    std::optional<wire::TcpAddress> listen;  // for monitoring
};

// All that is wrong with the file comes back at once, with line, column and caret (config).
auto load(const std::filesystem::path& file, const Clock& clock) -> Result<Loaded>;

// Where it is noted which sinks are paused.
auto pauses_folder(const Loaded& loaded) -> std::filesystem::path;

// The tables that any sink takes, under their names there; empty: all.
auto taken_tables(const Loaded& loaded) -> std::set<std::string>;

// What `--rebuild SINK[.TABLE]` asks for. Refuses (config) a sink that is not of this pipeline.
auto rebuild_request(const Loaded& loaded, const std::string& text) -> Result<ImageRequest>;

// Opens the queue (recovery included) and makes the parts.
auto assemble(const Loaded& loaded) -> Result<PipelineParts>;

}  // namespace leat::cli
