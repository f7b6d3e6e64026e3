// Scripts of tools/ for the fixtures.
#include "server_tool.hpp"

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>

namespace leat::live {

auto environment(const char* name, const std::string& otherwise) -> std::string {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : text;
}

auto run_server_tool(const std::string& script, const std::vector<std::string>& arguments)
    -> std::string {
    auto command = environment("LEAT_PYTHON", "python3") + " " +
                   environment("LEAT_SOURCE_DIR", "../..") + "/tools/" + script;
    for (const auto& argument : arguments) command += " '" + argument + "'";
    auto* pipe = popen(command.c_str(), "r");
    std::string output;
    char piece[256];
    while (fgets(piece, sizeof(piece), pipe) != nullptr) output += piece;
    if (pclose(pipe) != 0) {
        std::fprintf(stderr, "failed: %s\n%s\n", command.c_str(), output.c_str());
        std::abort();
    }
    return output;
}

auto number_in(const std::string& json, const std::string& name) -> int {
    const auto at = json.find("\"" + name + "\": ");
    return at == std::string::npos ? 0 : std::atoi(json.c_str() + at + name.size() + 4);
}

auto text_in(const std::string& json, const std::string& name) -> std::string {
    const auto key = "\"" + name + "\": \"";
    const auto at = json.find(key);
    if (at == std::string::npos) return {};
    const auto begin = at + key.size();
    return json.substr(begin, json.find('"', begin) - begin);
}

}  // namespace leat::live
