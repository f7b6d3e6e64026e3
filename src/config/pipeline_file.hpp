// A pipeline file, read as far as everybody shares it: which sections there are. What is in a
// source, queue, transform, sink or in `run` is read by whoever owns the option struct.
//
// Relative paths anywhere in the file are relative to the working directory of the process, not
// to the file: the same as on a command line.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/interpolation.hpp"
#include "config/node.hpp"
#include "config/problems.hpp"

namespace leat::config {

struct PipelineFile {
    std::filesystem::path path;
    SourceFile file;   // for Problems(file) later on
    std::string name;  // `pipeline`: a-z, 0-9 and _, at most 40: it names slots and folders
    Node source;
    Node queue;  // default {type: log, path: data/<pipeline>}
    std::vector<Node> transforms;  // maps
    std::vector<Node> sinks;
    Node http;  // absent without the section: no port is opened
    Node run;  // absent without the section: limits of epochs and the like, read by the engine
};

// Called once the sections are found; reads them with read<T>() and require_type() and adds what
// is wrong to the problems. A section that was wrong altogether is absent, which reads as nothing.
using ReadSections = std::function<void(const PipelineFile& pipeline, Problems& problems)>;

// One Error{Fault::config} with every problem of the file and its sections; `what` is many lines
// and to be printed as it is.
auto load_pipeline_file(const std::filesystem::path& path, const ReadSections& read_sections = {})
    -> Result<PipelineFile>;

// The same for text at hand; `name` stands for the path in messages.
auto parse_pipeline(const std::filesystem::path& name, SourceFile file, const Lookup& lookup,
                    const ReadSections& read_sections = {}) -> Result<PipelineFile>;

}  // namespace leat::config
