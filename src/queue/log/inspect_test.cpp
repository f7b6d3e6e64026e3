// Inspection: what it says of a sound log, beside a running one, and of a damaged one.
#include "queue/log/inspect.hpp"

#include <boost/json.hpp>

#include "queue/log/log_fixture.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

class InspectTest : public LogTest {
protected:
    auto look(const std::filesystem::path& path, InspectForm form = InspectForm::text)
        -> InspectSummary {
        output.clear();
        auto summary = inspect(path, form, [&](std::string_view piece) { output += piece; });
        EXPECT_TRUE(summary.has_value()) << summary.error().what;
        return summary ? *summary : InspectSummary{};
    }
    std::string output;
};

TEST_F(InspectTest, TellsFramesOfARunningLog) {
    open();
    append_image();
    append(change(6));
    append(unfinished(7, 0));
    const auto summary = look(config.path);
    EXPECT_FALSE(summary.first_defect);
    EXPECT_EQ(summary.rows, 3U);
    EXPECT_NE(output.find("of pipeline shop, format 2"), std::string::npos) << output;
    EXPECT_NE(output.find("marker (end of generation 1"), std::string::npos) << output;
    EXPECT_NE(output.find("changes, 1 rows, 1/6/0 to 1/6/0"), std::string::npos) << output;
    EXPECT_NE(output.find("transaction goes on"), std::string::npos) << output;
    EXPECT_NE(output.find("no defect"), std::string::npos) << output;
}

TEST_F(InspectTest, JsonIsOneDocument) {
    open();
    append_image();
    append(change(6));
    look(config.path, InspectForm::json);
    const auto json = boost::json::parse(output).as_object();
    EXPECT_EQ(json.at("pipeline").as_string(), "shop");
    const auto& first = json.at("segments").as_array().at(0).as_object();
    EXPECT_EQ(first.at("sequence").as_string(), "changes");
    EXPECT_GE(first.at("frames").as_array().size(), 3U);
    EXPECT_EQ(json.at("summary").as_object().at("rows").to_number<int>(), 2);
}

TEST_F(InspectTest, NamesTheFirstDefectByFileAndByte) {
    open();
    append_image();
    for (std::uint64_t commit = 6; commit < 60; ++commit) append(change(commit, orders(), 3000));
    log.reset();
    const auto path = segment(SequenceKind::changes, 1);
    auto bytes = read_file(path);
    bytes[3 * page_bytes + 200] ^= 4;
    write_file(path, bytes);
    const auto summary = look(config.path);
    ASSERT_TRUE(summary.first_defect);
    EXPECT_EQ(summary.first_defect->file, path.filename().string());
    EXPECT_EQ(summary.first_defect->at, 3 * page_bytes);
    EXPECT_FALSE(summary.first_defect->tail);
    EXPECT_TRUE(look(path).first_defect);
}

TEST_F(InspectTest, FolderWithoutALogIsRefused) {
    const auto summary = inspect(folder.path(), InspectForm::text, [](std::string_view) {});
    ASSERT_FALSE(summary);
    EXPECT_EQ(summary.error().fault, Fault::config);
}

}  // namespace
}  // namespace leat::log_queue
