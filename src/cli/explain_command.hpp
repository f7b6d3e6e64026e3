// `leat explain [CODE]`: the page of an error's code, or the list of all.
#pragma once

#include <string>

namespace leat::cli {

struct ExplainArguments {
    std::string code;  // empty: the list
    bool json = false;
};

// Needs no pipeline file, no server and no network.
auto explain_command(const ExplainArguments& arguments) -> int;

// The same pages as docs/reference/errors.md.
auto errors_page() -> std::string;

}  // namespace leat::cli
