// The section `transforms` of a pipeline file: read, compiled as far as the text allows, and made
// into what a lane needs.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "config/finding.hpp"
#include "config/pipeline_file.hpp"
#include "pipeline/completion.hpp"
#include "pipeline/lane.hpp"
#include "source/source.hpp"
#include "transform/sql/sql_transform.hpp"

namespace leat::cli {

struct TransformEntry {
    SqlTransformOptions options;
    std::string input;  // the target name of the table in FROM
    OnBadUpdate on_bad_update = OnBadUpdate::keep_last_good;
    double bad_ratio_max = 0.5;
};

// What is wrong is reported at its place in the file: bad SQL, names given twice, circles.
auto read_transforms(const config::PipelineFile& file, config::Problems& problems)
    -> std::vector<TransformEntry>;

// The options of a transform, a table in Markdown.
auto describe_transforms() -> std::string;

// `data`: the pipeline's data folder, where the letters go. `tables`: of the sink; empty: all.
auto shaper_maker(const std::vector<TransformEntry>& transforms, const std::string& pipeline,
                  const std::string& sink, const std::set<std::string>& tables,
                  const std::filesystem::path& data) -> ShaperMaker;

// Which of the source's tables the sink would get otherwise than before: by another SQL, or for the
// first time. Changes nothing.
auto changed_tables(const std::vector<TransformEntry>& transforms, const std::string& sink,
                    const std::set<std::string>& tables, const std::filesystem::path& data,
                    const std::vector<DescribedTable>& described)
    -> Result<std::vector<TableName>>;

// Whether the transforms need values that the source may leave out of updates; none: there are no
// transforms. A table that they do not fit is whole, too: the sink says what is wrong. `taken`: the
// outputs that any sink takes; empty: all.
auto make_needs_whole_rows(const std::vector<TransformEntry>& transforms,
                           const std::set<std::string>& taken) -> Result<NeedsWholeRows>;

// What `leat check` says of the transforms over the source's tables as they are now, and of tables
// that are completed without any.
auto check_transforms(const std::vector<TransformEntry>& transforms,
                      const std::set<std::string>& taken, UnchangedColumns unchanged_columns,
                      const std::vector<DescribedTable>& tables) -> std::vector<Finding>;

}  // namespace leat::cli
