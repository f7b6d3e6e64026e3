// The plan of an image on disk, so that a later process reads it on: {point, time_us, ranges:
// [{schema, table, documents, min, max}]}, and beside it a journal of 8-byte numbers, two for each
// range: twice its number when it is begun, one more when all of it is in the queue.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "base/bytes.hpp"
#include "source/mongodb/images.hpp"
#include "source/mongodb/note_file.hpp"

namespace leat::mongodb {

namespace {

auto journal_of(const std::filesystem::path& plan) -> std::filesystem::path {
    return plan.string() + ".journal";
}

auto border(std::string_view document, std::string_view name) -> std::optional<Document> {
    const auto found = bson::find(document, name);
    if (!found || found->type != bson::Type::document) return std::nullopt;
    return Document(bson::as_document(*found));
}

auto unusable(const std::filesystem::path& file, const char* what, Fault fault = Fault::config)
    -> Error {
    return {fault, std::string("plan of an image cannot be ") + what,
            "Make the folder writable for this user, and room on its disk.", file.string(),
            Code::mongo_work_folder};
}

}  // namespace

auto CollectionImages::write_plan() const -> Result<void> {
    ArrayBuilder list;
    for (const auto& range : ranges_) {
        Document entry;
        entry.add("schema", range.table.schema)
            .add("table", range.table.table)
            .add("documents", static_cast<std::int64_t>(range.documents));
        if (range.min) entry.add("min", *range.min);
        if (range.max) entry.add("max", *range.max);
        list.add(entry);
    }
    std::error_code ignored;
    std::filesystem::remove(journal_of(options_.plan), ignored);
    Document plan;
    plan.add("point", static_cast<std::int64_t>(options_.point))
        .add("time_us", options_.time_us)
        .add_array("ranges", list.items());
    return write_note(options_.plan, plan);
}

auto CollectionImages::read_plan() -> Result<void> {
    const auto plan = TRY(read_note(options_.plan));
    if (!plan) return unusable(options_.plan, "found");
    options_.point = static_cast<std::uint64_t>(number_at(*plan, "point"));
    options_.time_us = number_at(*plan, "time_us");
    const auto list = bson::find(*plan, "ranges");
    if (!list || list->type != bson::Type::array) return unusable(options_.plan, "read");
    bson::Reader reader(bson::as_document(*list));
    for (bson::Element item; reader.next(item);) {
        if (item.type != bson::Type::document) return unusable(options_.plan, "read");
        const auto entry = bson::as_document(item);
        Range range;
        range.table = {text_at(entry, "schema"), text_at(entry, "table")};
        range.documents = static_cast<std::uint64_t>(number_at(entry, "documents"));
        range.min = border(entry, "min");
        range.max = border(entry, "max");
        ranges_.push_back(std::move(range));
    }
    std::vector<bool> is_there(ranges_.size());
    std::ifstream journal(journal_of(options_.plan), std::ios::binary);
    // A number that was cut off is one that was not noted.
    for (char bytes[sizeof(std::uint64_t)]; journal.read(bytes, sizeof bytes);) {
        const auto noted = ByteReader({bytes, sizeof bytes}).little<std::uint64_t>();
        if (noted / 2 >= ranges_.size()) return unusable(options_.plan, "read");
        ranges_[noted / 2].is_begun = true;
        if (noted % 2 == 1) is_there[noted / 2] = true;
    }
    for (std::size_t i = 0; i < ranges_.size(); ++i)
        if (!is_there[i] && find(ranges_[i].table) != nullptr) add_chunk(i);
    return {};
}

auto CollectionImages::note(std::uint64_t range, bool is_there) -> Result<void> {
    const std::uint64_t noted = 2 * range + (is_there ? 1 : 0);
    const auto file = journal_of(options_.plan);
    const std::lock_guard lock(journal_);
    const int handle = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    // Over what an interrupted write has left of a number.
    constexpr off_t size = sizeof noted;
    const auto end = handle < 0 ? -1 : ::lseek(handle, 0, SEEK_END);
    const bool done = end >= 0 &&
                      ::pwrite(handle, &noted, sizeof noted, end / size * size) == size &&
                      ::fdatasync(handle) == 0;
    if (handle >= 0) ::close(handle);
    if (!done) return unusable(file, "written", Fault::retry);
    return {};
}

}  // namespace leat::mongodb
