// The seeds of log_segment_fuzz are the golden segments, whole, frame by frame and broken on
// purpose, so that a new format cannot leave them behind. LEAT_UPDATE_GOLDEN=1 writes them anew.
#include <cstdlib>
#include <map>
#include <string>

#include "queue/log/log_fixture.hpp"
#include "queue/log/segment_reader.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

using Seeds = std::map<std::string, std::string>;

constexpr std::size_t header_length_at = 8;
constexpr std::size_t payload_length_at = 16;
constexpr std::size_t text_length = 4;

struct Placed {
    FrameHeader header;
    std::size_t at = 0;
};

// One golden segment without the zeros behind its last frame.
class Golden {
public:
    explicit Golden(SequenceKind kind) {
        const auto path = source_dir() / "test/golden/log/v2" / segment_name(kind, 0);
        bytes_ = read_file(path);
        auto reader = SegmentReader::open(system_disk(), path);
        if (!reader) return;
        for (std::size_t at = page_bytes;;) {
            const auto frame = (*reader).read(at, Depth::whole);
            if (!frame || (*frame).found != Found::frame) break;
            frames_.push_back({(*frame).header, at});
            at += (*frame).header.file_bytes();
            end_ = at;
        }
        bytes_.resize(end_ + page_bytes);
    }

    [[nodiscard]] auto whole() const -> std::string { return bytes_; }
    [[nodiscard]] auto frames() const -> const std::vector<Placed>& { return frames_; }
    // The header page and this frame.
    [[nodiscard]] auto alone(const Placed& frame) const -> std::string {
        return bytes_.substr(0, page_bytes) + bytes_.substr(frame.at, frame.header.file_bytes());
    }
    [[nodiscard]] auto torn() const -> std::string { return bytes_.substr(0, end_ - 3500); }
    [[nodiscard]] auto first(DiskKind kind) const -> Placed {
        for (const auto& frame : frames_)
            if (frame.header.kind == kind) return frame;
        ADD_FAILURE() << "no such frame";
        return {};
    }

private:
    std::string bytes_;
    std::size_t end_ = page_bytes;
    std::vector<Placed> frames_;
};

auto with_ones(std::string bytes, std::size_t at, std::size_t count = text_length) -> std::string {
    return bytes.replace(at, count, std::string(count, '\xff'));
}

auto seeds() -> Seeds {
    const Golden changes(SequenceKind::changes);
    const Golden snapshot(SequenceKind::snapshot);
    Seeds seeds = {{"empty", ""},
                   {"prepared", std::string(2 * page_bytes, '\0')},
                   {"changes_of_every_kind", changes.whole()},
                   {"image", snapshot.whole()},
                   {"torn_in_the_last_frame", changes.torn()},
                   {"newer_format", with_ones(snapshot.whole(), 8, 1)}};
    for (const auto* golden : {&changes, &snapshot})
        for (const auto& frame : golden->frames()) {
            const auto bytes = golden->alone(frame);
            const auto payload = page_bytes + frame.header.header_bytes;
            if (frame.header.kind == DiskKind::state) seeds.emplace("state", bytes);
            if (frame.header.kind == DiskKind::marker)
                seeds.emplace("marker_" + std::to_string(bytes[payload]), bytes);
        }
    const auto marker = changes.alone(changes.first(DiskKind::marker));
    const auto end = page_bytes + changes.first(DiskKind::marker).header.header_bytes +
                     changes.first(DiskKind::marker).header.payload_bytes;
    seeds["marker_with_a_name_beyond_its_end"] =
        with_ones(marker, end - items_name().table.size() - text_length);
    const auto state = changes.first(DiskKind::state);
    seeds["state_of_too_many_generations"] =
        with_ones(changes.alone(state), page_bytes + state.header.header_bytes);
    seeds["header_length_beyond_the_page"] = with_ones(marker, page_bytes + header_length_at);
    seeds["payload_length_beyond_the_file"] = with_ones(marker, page_bytes + payload_length_at);
    return seeds;
}

TEST(FuzzCorpus, IsOfTheFormatThatIsWritten) {
    const auto folder = source_dir() / "fuzz/corpus/log_segment_fuzz";
    const auto wanted = seeds();
    if (std::getenv("LEAT_UPDATE_GOLDEN") != nullptr) {
        std::filesystem::remove_all(folder);
        std::filesystem::create_directories(folder);
        for (const auto& [name, bytes] : wanted) write_file(folder / name, bytes);
    }
    Seeds found;
    for (const auto& file : std::filesystem::directory_iterator(folder))
        found[file.path().filename().string()] = read_file(file.path());
    EXPECT_EQ(found.size(), wanted.size());
    for (const auto& [name, bytes] : wanted) EXPECT_TRUE(found[name] == bytes) << name;
    for (const auto* kind : {"1", "2", "3", "4", "5"})
        EXPECT_TRUE(wanted.contains(std::string("marker_") + kind)) << kind;
}

}  // namespace
}  // namespace leat::log_queue
