// Writes the starting file; see init_command.hpp.
#include "cli/init_command.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <fstream>

#include "cli/exit_code.hpp"

namespace leat::cli {

namespace {

constexpr const char* starting_file = R"(# A leat pipeline: the changes of a PostgreSQL database, kept equal in a DuckDB file.
#   leat check FILE    looks at everything and says what is missing
#   leat run FILE      runs until it is stopped
pipeline: shop
source:
  type: postgres
  uri: postgresql://leat:${env:LEAT_PASSWORD}@127.0.0.1:5432/shop
  tables: [public.orders, public.customers]
queue: {type: log, path: data/shop}
sinks:
  - type: duckdb
    path: warehouse.duckdb
)";

}  // namespace

auto init_command(const InitArguments& arguments) -> int {
    if (std::filesystem::exists(arguments.file))
        return fail({Fault::config, "file exists already", "Choose another name.",
                     arguments.file.string(), Code::run_output},
                    exit_environment, arguments.json);
    std::ofstream file(arguments.file);
    file << starting_file;
    file.close();
    if (!file)
        return fail({Fault::config, "file cannot be written", "Choose a writable folder.",
                     arguments.file.string(), Code::run_output},
                    exit_environment, arguments.json);
    const boost::json::object object = {{"file", arguments.file.string()}};
    if (arguments.json) std::printf("%s\n", boost::json::serialize(object).c_str());
    else
        std::printf("wrote %s; set uri and tables, then `leat check %s`\n", arguments.file.c_str(),
                    arguments.file.c_str());
    return exit_ok;
}

}  // namespace leat::cli
