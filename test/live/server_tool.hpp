// run_server_tool: how the fixtures of C++ tests start and stop servers through the scripts of
// tools/.
#pragma once

#include <string>
#include <vector>

namespace leat::live {

// Runs tools/`script` with the pinned Python and returns what it printed. Aborts the test program
// with the script's own words when it fails: without its server no test means anything.
auto run_server_tool(const std::string& script, const std::vector<std::string>& arguments)
    -> std::string;

// A member of the JSON object that the scripts print.
auto number_in(const std::string& json, const std::string& name) -> int;
auto text_in(const std::string& json, const std::string& name) -> std::string;

auto environment(const char* name, const std::string& otherwise) -> std::string;

}  // namespace leat::live
