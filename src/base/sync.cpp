// A draft, synced and renamed into place.
#include "base/sync.hpp"

#include <fstream>

namespace leat {

auto replace_file(const std::filesystem::path& file, std::string_view bytes) -> bool {
    const auto draft = file.string() + ".new";
    std::ofstream out(draft, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out || !sync_file(draft)) return false;
    std::error_code error;
    std::filesystem::rename(draft, file, error);
    return !error && sync_folder(file.parent_path());
}

}  // namespace leat
