// Reading the record line by line.
#include "record.hpp"

#include <fstream>
#include <sstream>

namespace leat::log_queue {

auto add_line(const std::string& line, Record& record) -> Result<void> {
    std::istringstream words(line);
    std::string word;
    std::string lane;
    std::size_t step = 0;
    words >> word;
    if (word == "try") words >> record.tried;
    if (word == "proof" && words >> step) record.proven.insert(step);
    if (word == "release") {
        words >> lane;
        auto& released = record.released[lane];
        words >> released.change_offset;
        std::uint64_t image = 0;
        released.snapshot_offset.reset();
        if (words >> image) released.snapshot_offset = image;
    }
    if (word == "sink") {
        words >> lane;
        auto& sink = record.sinks[lane];
        words >> sink.commit >> std::ws;
        std::string progress;
        std::getline(words, progress);
        sink.offsets = TRY(decode_progress(progress)).offsets;
    }
    return {};
}

auto read_record(const std::filesystem::path& path) -> Result<Record> {
    Record record;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) TRY(add_line(line, record));
    return record;
}

}  // namespace leat::log_queue
