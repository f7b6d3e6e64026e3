// Walking the segments of a log and telling what is there.
#include "queue/log/inspect.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <vector>

#include "queue/log/frame_codec.hpp"
#include "queue/log/manifest.hpp"
#include "queue/log/segment_reader.hpp"

namespace leat::log_queue {

namespace {

using boost::json::object;
using Writer = std::function<void(std::string_view)>;

auto position_text(const Position& position) -> std::string {
    return to_string(position);
}

auto marker_text(const Marker& marker) -> std::string {
    constexpr std::array<std::string_view, 5> names = {"begin", "point", "table", "end", "left"};
    auto text = std::string(names[static_cast<std::size_t>(marker.kind) - 1]);
    if (marker.kind != MarkerKind::left)
        text += " of generation " + std::to_string(marker.generation);
    for (std::size_t i = 0; i < marker.tables.size(); ++i)
        text += (i == 0 ? ": " : ", ") + to_string(marker.tables[i]);
    return text;
}

// The same facts in one of two forms.
class Report {
public:
    Report(InspectForm form, const Writer& write) : form_(form), write_(write) {}

    auto begin(const std::optional<Manifest>& manifest) -> void {
        if (form_ == InspectForm::text) {
            if (!manifest) return;
            line("log " + to_string(manifest->log) + " of pipeline " + manifest->pipeline +
                 ", format " + std::to_string(manifest->format));
            return;
        }
        object json;
        if (manifest)
            json = {{"log", to_string(manifest->log)},
                    {"pipeline", manifest->pipeline},
                    {"format", manifest->format}};
        // The object stays open for the segments.
        auto text = boost::json::serialize(json);
        text.pop_back();
        write_(text + (manifest ? "," : "") + "\"segments\":[");
    }
    auto begin_segment(const Path& path, const DecodedPage& page, std::uint64_t bytes) -> void {
        const auto& header = page.header;
        const bool valid = page.state == PageState::valid;
        const auto name = path.filename().string();
        if (form_ == InspectForm::text) {
            if (page.state == PageState::empty)
                line(name + ": prepared, " + std::to_string(bytes) + " bytes of zeros");
            if (valid)
                line(name + ": frames from " + std::to_string(header.base_offset) + ", " +
                     std::to_string(bytes) + " bytes, in use since " +
                     std::to_string(header.created_us) + " us");
            return;
        }
        object json = {
            {"file", name}, {"bytes", bytes}, {"prepared", page.state == PageState::empty}};
        if (valid) {
            json["sequence"] = to_string(header.kind);
            json["number"] = header.number;
            json["base_offset"] = header.base_offset;
            json["created_us"] = header.created_us;
            json["closing_crc_of_previous"] = header.closing_crc;
        }
        auto text = boost::json::serialize(json);
        text.pop_back();
        write_((first_segment_ ? "" : ",") + text + ",\"frames\":[");
        first_segment_ = false;
        first_frame_ = true;
    }
    auto frame(std::uint64_t at, const FrameHeader& header, const std::string& what) -> void {
        if (form_ == InspectForm::text) {
            auto text = "  @" + std::to_string(at) + " #" + std::to_string(header.offset) + " " +
                        std::string(to_string(header.kind));
            if (!what.empty()) text += " (" + what + ")";
            if (header.rows > 0) text += ", " + std::to_string(header.rows) + " rows";
            if (!internal(header.kind))
                text += ", " + position_text(header.first) + " to " + position_text(header.last);
            if (!header.ends_transaction && !internal(header.kind)) text += ", transaction goes on";
            line(text + ", " + std::to_string(header.file_bytes()) + " bytes");
            return;
        }
        object json = {{"at", at},
                       {"offset", header.offset},
                       {"kind", to_string(header.kind)},
                       {"bytes", header.file_bytes()},
                       {"payload_bytes", header.payload_bytes},
                       {"rows", header.rows},
                       {"ends_transaction", header.ends_transaction},
                       {"first", position_text(header.first)},
                       {"last", position_text(header.last)},
                       {"commit_time_us", header.commit_time_us},
                       {"written_us", header.written_us},
                       {"generation", header.generation},
                       {"incarnation", header.incarnation},
                       {"group_first", header.group_first},
                       {"chain", header.chain},
                       {"previous_crc", header.previous_crc}};
        if (!what.empty()) json["what"] = what;
        write_((first_frame_ ? "" : ",") + boost::json::serialize(json));
        first_frame_ = false;
    }
    auto end_segment() -> void {
        if (form_ == InspectForm::json) write_("]}");
    }
    auto end(const InspectSummary& summary) -> void {
        const auto& defect = summary.first_defect;
        if (form_ == InspectForm::text) {
            line(std::to_string(summary.segments) + " segments, " + std::to_string(summary.frames) +
                 " frames, " + std::to_string(summary.rows) + " rows, " +
                 std::to_string(summary.bytes) + " bytes");
            if (!defect) line("no defect");
            else
                line(std::string(defect->tail ? "tail: " : "first defect: ") + defect->file +
                     " byte " + std::to_string(defect->at) + ": " + defect->what);
            return;
        }
        object json = {{"segments", summary.segments},
                       {"frames", summary.frames},
                       {"rows", summary.rows},
                       {"bytes", summary.bytes}};
        if (defect)
            json["first_defect"] = object{{"file", defect->file},
                                          {"at", defect->at},
                                          {"what", defect->what},
                                          {"tail", defect->tail}};
        write_("],\"summary\":" + boost::json::serialize(json) + "}\n");
    }

private:
    auto line(const std::string& text) -> void { write_(text + "\n"); }

    const InspectForm form_;
    const Writer& write_;
    bool first_segment_ = true;
    bool first_frame_ = true;
};

class Inspector {
public:
    Inspector(InspectForm form, const Writer& write) : report_(form, write) {}

    auto run(const Path& path) -> Result<InspectSummary> {
        const bool folder = std::filesystem::is_directory(path);
        auto& disk = system_disk();
        std::optional<Manifest> manifest;
        if (folder) {
            manifest = TRY(read_manifest(disk, path));
            if (!manifest)
                return Error{Fault::config, "no log in this folder", "Name the folder of a log.",
                             path.string(), Code::log_none};
            log_ = manifest->log;
        }
        report_.begin(manifest);
        if (!folder) {
            TRY(segment(path, true));
        } else {
            for (const auto kind : sequence_kinds) TRY(sequence(path, kind));
        }
        report_.end(summary_);
        return summary_;
    }

private:
    auto sequence(const Path& folder, SequenceKind kind) -> Result<void> {
        std::vector<std::string> names;
        if (const int failed = system_disk().list(folder, names); failed != 0)
            return disk_error("reading the folder of the log", folder, failed);
        std::vector<Path> paths;
        for (const auto& name : names)
            if (const auto parsed = parse_segment_name(name); parsed && parsed->kind == kind)
                paths.push_back(folder / name);
        std::sort(paths.begin(), paths.end());
        next_.reset();
        // One that is in use and followed by nothing but what was prepared is the newest.
        for (std::size_t i = 0; i < paths.size(); ++i) {
            bool newest = true;
            for (auto later = i + 1; later < paths.size(); ++later) {
                auto reader = SegmentReader::open(system_disk(), paths[later]);
                if (reader && (*reader).page().state == PageState::valid) newest = false;
            }
            TRY(segment(paths[i], newest));
        }
        return {};
    }

    auto segment(const Path& path, bool newest) -> Result<void> {
        auto opened = SegmentReader::open(system_disk(), path);
        // Dropped by the running pipeline since the folder was listed.
        if (!opened && !std::filesystem::exists(path)) return {};
        auto reader = TRY(std::move(opened));
        const auto& page = reader.page();
        const auto& header = page.header;
        const auto name = path.filename().string();
        report_.begin_segment(path, page, reader.file_bytes());
        if (page.state == PageState::newer)
            defect(name, 0,
                   "format " + std::to_string(page.version) + " is newer than this program", false);
        if (page.state == PageState::invalid) defect(name, 0, "invalid segment header", newest);
        if (page.state == PageState::valid) {
            ++summary_.segments;
            if (log_ && header.log != *log_) defect(name, 0, "segment of another log", false);
            if (next_ &&
                (next_->offset != header.base_offset || next_->chain != header.closing_crc))
                defect(name, 0, "segment does not follow the one before it", false);
            next_ = Next{header.base_offset, header.closing_crc};
            TRY(frames(reader, name, newest));
        }
        report_.end_segment();
        return {};
    }

    auto frames(SegmentReader& reader, const std::string& name, bool newest) -> Result<void> {
        auto at = page_bytes;
        while (true) {
            const auto found = TRY(reader.read(at, Depth::whole));
            const auto& header = found.header;
            if (found.found == Found::end) break;
            if (found.found == Found::bad)
                return broken(reader, name, at, std::string(found.why), newest);
            if (header.offset != next_->offset || header.previous_crc != next_->chain)
                return broken(reader, name, at, "frame does not follow the one before it", newest);
            std::string what;
            if (header.kind == DiskKind::marker) {
                const auto marker = decode_marker(reader.payload_view());
                what = marker ? marker_text(*marker) : marker.error().what;
            }
            report_.frame(at, header, what);
            ++summary_.frames;
            summary_.rows += header.rows;
            summary_.bytes += header.file_bytes();
            next_ = Next{header.offset + 1, header.chain};
            at += header.file_bytes();
        }
        if (const auto data = TRY(reader.first_nonzero(at)))
            defect(name, *data, "data behind the last frame", newest);
        return {};
    }

    // The rule of recovery: a later frame that was written when this one was already durable proves
    // that it is no interrupted write.
    auto broken(SegmentReader& reader, const std::string& name, std::uint64_t at, std::string what,
                bool newest) -> Result<void> {
        bool tail = newest;
        for (auto later = at; tail && later + page_bytes <= reader.file_bytes();
             later += page_bytes) {
            const auto header = TRY(reader.header_at(later));
            tail = !header || header->group_first <= next_->offset;
        }
        defect(name, at, std::move(what), tail);
        return {};
    }

    auto defect(const std::string& file, std::uint64_t at, std::string what, bool tail) -> void {
        if (!summary_.first_defect) summary_.first_defect = Defect{file, at, std::move(what), tail};
    }

    struct Next {
        std::uint64_t offset = 0;
        std::uint32_t chain = 0;
    };

    Report report_;
    std::optional<Uuid> log_;
    std::optional<Next> next_;
    InspectSummary summary_;
};

}  // namespace

auto inspect(const std::filesystem::path& path, InspectForm form,
             const std::function<void(std::string_view)>& write) -> Result<InspectSummary> {
    return Inspector(form, write).run(path);
}

}  // namespace leat::log_queue
