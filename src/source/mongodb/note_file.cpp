// A draft, synced and renamed into place.
#include "source/mongodb/note_file.hpp"

#include <fstream>
#include <iterator>
#include <system_error>

#include "base/sync.hpp"

namespace leat::mongodb {

namespace {

// A disk that is full now need not stay so; a damaged note does.
auto unusable(const std::filesystem::path& file, const char* what, Fault fault) -> Error {
    return {fault, std::string("note of the MongoDB source cannot be ") + what,
            "Make the folder readable and writable for this user, or run `leat drop FILE` to begin "
            "anew.",
            file.string(), Code::mongo_work_folder};
}

}  // namespace

auto read_note(const std::filesystem::path& file) -> Result<std::optional<std::string>> {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return std::optional<std::string>();
    std::ifstream in(file, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!in || bson::document_length(bytes) != bytes.size())
        return unusable(file, "read", Fault::config);
    return std::optional(std::move(bytes));
}

auto write_note(const std::filesystem::path& file, const Document& note) -> Result<void> {
    const auto draft = file.string() + ".new";
    std::ofstream out(draft, std::ios::binary);
    const auto bytes = note.bytes();
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out || !sync_file(draft)) return unusable(file, "written", Fault::retry);
    std::error_code error;
    std::filesystem::rename(draft, file, error);
    if (error || !sync_folder(file.parent_path())) return unusable(file, "written", Fault::retry);
    return {};
}

}  // namespace leat::mongodb
