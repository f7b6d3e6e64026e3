// The driver of the fault sweep, a program for tests alone: `fault_driver write FOLDER …` runs the
// script, `fault_driver check` reads "FOLDER RECORD" lines and answers each with ok or bad,
// `fault_driver power …` cuts the power at every sync.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "checker.hpp"
#include "power.hpp"
#include "script.hpp"
#include "short_disk.hpp"
#include "writer.hpp"

namespace {

using namespace leat::log_queue;
using Options = std::map<std::string, std::uint64_t>;

auto say(const std::string& line) -> void {
    const auto text = line + "\n";
    if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) ::_exit(9);
}

auto write(const std::string& folder, Options& given) -> int {
    WriterOptions options;
    options.folder = folder;
    options.say = say;
    if (given.contains("--attach-life")) options.attach_life = static_cast<int>(given["--attach-life"]);
    ShortDisk disk;
    disk.counts.short_write = given["--short-write"];
    disk.counts.short_read = given["--short-read"];
    if (disk.counts.short_write + disk.counts.short_read > 0) options.disk = &disk;
    const int code = write_script(options);
    if (options.disk != nullptr)
        say("calls " + std::to_string(disk.counts.writes) + " " +
            std::to_string(disk.counts.reads));
    return code;
}

auto check() -> int {
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string folder;
        std::string path;
        words >> folder >> path;
        const auto record = read_record(path);
        const auto result = record ? check_log(system_disk(), folder, *record)
                                   : leat::Result<std::string>(record.error());
        if (result) std::cout << "ok " << *result << std::endl;
        else std::cout << "bad " << result.error().what << std::endl;
    }
    return 0;
}

auto power(Options& given) -> int {
    PowerOptions options;
    if (given.contains("--images")) options.images = given["--images"];
    if (given.contains("--seed")) options.seed = given["--seed"];
    return cut_power(options);
}

}  // namespace

auto main(int count, char** arguments) -> int {
    const std::string command = count > 1 ? arguments[1] : "";
    const int first = command == "write" ? 3 : 2;
    Options given;
    for (int i = first; i + 1 < count; i += 2)
        given[arguments[i]] = std::strtoull(arguments[i + 1], nullptr, 10);
    if (command == "write" && count > 2) return write(arguments[2], given);
    if (command == "check") return check();
    if (command == "power") return power(given);
    if (command == "events") {
        std::cout << events(make_script()) << "\n";
        return 0;
    }
    std::cerr << "usage: fault_driver write FOLDER [--attach-life N] [--short-write N] "
                 "[--short-read N] | check | power [--images N] [--seed N] | events\n";
    return 2;
}
