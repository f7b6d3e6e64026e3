// The driver of the fault sweep, a program for tests alone: `fault_driver write FOLDER …` runs the
// script, `fault_driver check` reads "FOLDER RECORD" lines and answers each with ok or bad.
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "checker.hpp"
#include "script.hpp"
#include "writer.hpp"

namespace {

using namespace leat::log_queue;

auto write(int count, char** arguments) -> int {
    WriterOptions options;
    options.folder = arguments[2];
    for (int i = 3; i + 1 < count; i += 2) {
        const std::string name = arguments[i];
        const auto value = std::strtoull(arguments[i + 1], nullptr, 10);
        if (name == "--attach-life") options.attach_life = static_cast<int>(value);
        else if (name == "--short-write") options.short_write = value;
        else if (name == "--short-read") options.short_read = value;
        else return 2;
    }
    return write_script(options);
}

auto check() -> int {
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string folder;
        std::string record;
        words >> folder >> record;
        const auto result = check_folder(folder, record);
        if (result) std::cout << "ok " << *result << std::endl;
        else std::cout << "bad " << result.error().what << std::endl;
    }
    return 0;
}

}  // namespace

auto main(int count, char** arguments) -> int {
    const std::string command = count > 1 ? arguments[1] : "";
    if (command == "write" && count > 2) return write(count, arguments);
    if (command == "check") return check();
    if (command == "events") {
        std::cout << events(make_script()) << "\n";
        return 0;
    }
    std::cerr << "usage: fault_driver write FOLDER [--attach-life N] [--short-write N] "
                 "[--short-read N] | check | events\n";
    return 2;
}
