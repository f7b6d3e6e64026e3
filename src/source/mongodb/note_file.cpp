// A draft, synced and renamed into place.
#include "source/mongodb/note_file.hpp"

#include <fstream>
#include <iterator>

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
    if (!replace_file(file, note.bytes())) return unusable(file, "written", Fault::retry);
    return {};
}

}  // namespace leat::mongodb
