// leat dead-letters list|show|export: looks at the letters of a pipeline, beside a running one too.
#pragma once

#include <filesystem>
#include <string>

namespace leat::cli {

struct DeadLettersArguments {
    std::filesystem::path file;
    std::string sink;  // empty: all
    std::string id;    // show
    std::string table;
    std::string rule;
    std::string key;
    std::string from;   // commit time, YYYY-MM-DD[THH:MM[:SS]] UTC
    std::string until;  // exclusive
    std::string format = "json";  // export: json lines or csv
    bool all = false;   // superseded ones too
    bool json = false;
};

auto dead_letters_list_command(const DeadLettersArguments& arguments) -> int;
auto dead_letters_show_command(const DeadLettersArguments& arguments) -> int;
auto dead_letters_export_command(const DeadLettersArguments& arguments) -> int;

}  // namespace leat::cli
