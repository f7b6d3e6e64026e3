// Golden cases of transforms: transform_golden FOLDER [--update]
//
// Every FOLDER/<case>.sql is compiled as the transform "t" over the table orders (id, amount, note,
// created, tags, "Odd name"; key id); its output columns, or why it is refused and the way out, must
// be FOLDER/<case>.expected.
#include <arrow/type.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "change/batch_fixture.hpp"
#include "transform/sql/sql_transform.hpp"

namespace {

auto content(const std::filesystem::path& path) -> std::string {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

auto outcome(const std::string& sql) -> std::string {
    const auto orders = leat::fixture::keyed_table(
        "orders", {{"id", arrow::int64()},
                   {"amount", arrow::decimal128(12, 2)},
                   {"note", arrow::utf8()},
                   {"created", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "timestamptz"},
                   {"tags", arrow::list(arrow::utf8())},
                   {"Odd name", arrow::int32()}});
    const auto told = [](const leat::Error& error) {
        return error.context + ": " + error.what + "\n  next step: " + error.hint + "\n";
    };
    const auto engine = leat::sql::Engine::make();
    if (!engine) return told(engine.error());
    auto transform = leat::SqlTransform::make(*engine, {"t", sql, {}});
    if (!transform) return told(transform.error());
    const auto schema = (*transform)->prepare(orders);
    if (!schema) return told(schema.error());
    std::string text = to_string((*schema)->name) + "\n";
    for (std::size_t i = 0; i < (*schema)->columns.size(); ++i) {
        const auto& column = (*schema)->columns[i];
        text += "  " + column.name + " " + column.type->ToString();
        if (!column.logical_type.empty()) text += " (" + column.logical_type + ")";
        if ((*schema)->is_key(static_cast<int>(i))) text += " key";
        text += "\n";
    }
    return text;
}

}  // namespace

auto main(int argc, char** argv) -> int {
    if (argc < 2) return 2;
    const bool update = argc > 2 && std::string_view(argv[2]) == "--update";
    std::set<std::filesystem::path> cases;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1]))
        if (entry.path().extension() == ".sql") cases.insert(entry.path());
    int wrong = cases.empty() ? 1 : 0;
    for (auto path : cases) {
        const auto found = outcome(content(path));
        path.replace_extension(".expected");
        if (update) {
            std::ofstream(path) << found;
        } else if (content(path) != found) {
            ++wrong;
            std::printf("%s\n--- expected\n%s--- found\n%s", path.c_str(), content(path).c_str(),
                        found.c_str());
        }
    }
    return wrong == 0 ? 0 : 1;
}
