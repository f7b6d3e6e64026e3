// One JSON file per sink, replaced as a whole; see definitions.hpp.
#include "pipeline/definitions.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/sync.hpp"

namespace leat {

namespace {

namespace json = boost::json;

auto failed(const char* what, const std::filesystem::path& file) -> Error {
    return Error{Fault::retry,
                 std::string("definitions cannot be ") + what + ": " + std::strerror(errno),
                 "See that this user may write in the pipeline's data folder.", file.string(),
                 Code::run_folder};
}

auto as_json(const Definition& definition, Incarnation since) -> json::object {
    json::array steps;
    for (const auto& step : definition.steps) steps.emplace_back(step);
    return {{"source", definition.source}, {"steps", std::move(steps)}, {"since", since}};
}

}  // namespace

Definitions::Definitions(std::filesystem::path file, SameStep same_step)
    : file_(std::move(file)), same_step_(std::move(same_step)) {}

auto Definitions::make(std::filesystem::path file, SameStep same_step)
    -> Result<std::unique_ptr<Definitions>> {
    std::unique_ptr<Definitions> made(new Definitions(std::move(file), std::move(same_step)));
    TRY(made->read());
    return made;
}

auto Definitions::read() -> Result<void> {
    std::ifstream in(file_);
    if (!in) return {};
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto damaged = [&](const std::string& why) {
        return Error{Fault::config, "definitions are damaged: " + why,
                     "Remove the file: the sink's tables are read anew then.", file_.string(),
                     Code::transform_notes};
    };
    boost::system::error_code error;
    const auto root = json::parse(text, error);
    if (error) return damaged(error.message());
    if (!root.is_object()) return damaged("no object");
    for (const auto& [output, value] : root.get_object()) {
        const auto* const definition = value.if_object();
        const auto* const source = definition ? definition->if_contains("source") : nullptr;
        const auto* const steps = definition ? definition->if_contains("steps") : nullptr;
        const auto* const since = definition ? definition->if_contains("since") : nullptr;
        if (source == nullptr || !source->is_string() || steps == nullptr || !steps->is_array() ||
            since == nullptr || !since->is_number())
            return damaged("table " + std::string(output));
        noted_[output].since = since->to_number<Incarnation>();
        auto& noted = noted_[output].definition;
        noted.source = source->get_string();
        for (const auto& step : steps->get_array()) {
            if (!step.is_string()) return damaged("table " + std::string(output));
            noted.steps.emplace_back(step.get_string());
        }
    }
    return {};
}

auto Definitions::is_noted(const std::string& output, const Definition& now,
                           Incarnation held) const -> Result<bool> {
    const auto found = noted_.find(output);
    if (found == noted_.end() || found->second.since > held) return false;
    const auto& noted = found->second.definition;
    if (noted.source != now.source || noted.steps.size() != now.steps.size()) return false;
    for (std::size_t i = 0; i < now.steps.size(); ++i)
        if (noted.steps[i] != now.steps[i] && !TRY(same_step_(noted.steps[i], now.steps[i])))
            return false;
    return true;
}

auto Definitions::keep(const IsKept& is_kept) -> void {
    const auto gone = std::erase_if(
        noted_, [&](const auto& noted) { return !is_kept(noted.first, noted.second.definition); });
    is_dirty_ |= gone > 0;
}

auto Definitions::note(const std::string& output, Definition now, Incarnation by) -> void {
    const auto [noted, is_new] = noted_.try_emplace(output);
    if (!is_new && noted->second.definition == now) return;
    noted->second = {std::move(now), by};
    is_dirty_ = true;
}

auto Definitions::sync() -> Result<void> {
    if (!is_dirty_) return {};
    json::object root;
    for (const auto& [output, noted] : noted_)
        root[output] = as_json(noted.definition, noted.since);
    const auto folder = file_.parent_path();
    std::error_code error;
    const bool is_new = std::filesystem::create_directories(folder, error);
    if (is_new && !sync_folder(folder.parent_path())) return failed("noted", folder);
    if (!replace_file(file_, json::serialize(root) + "\n")) return failed("noted", file_);
    is_dirty_ = false;
    return {};
}

auto definitions_file(const std::filesystem::path& data, const std::string& sink)
    -> std::filesystem::path {
    return data / "definitions" / (sink + ".json");
}

}  // namespace leat
