// Stage: memory first, then an unlinked file of Arrow IPC messages, one per batch.
#include "sink/duckdb/stage.hpp"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace leat::duckdb {

namespace {

auto file_error(const char* doing, const std::filesystem::path& folder) -> Error {
    return {Fault::retry, std::string(doing) + ": " + std::strerror(errno),
            "Free space in the pipeline's data folder.", folder.string(), Code::duckdb_stage};
}

auto arrow_error(const char* doing, const arrow::Status& status) -> Error {
    return {status.IsOutOfMemory() ? Fault::retry : Fault::fatal,
            std::string(doing) + ": " + status.message(), "", "duckdb stage"};
}

auto write_all(int file, const arrow::Buffer& buffer, std::uint64_t offset) -> bool {
    for (std::int64_t done = 0; done < buffer.size();) {
        const auto written =
            ::pwrite(file, buffer.data() + done, static_cast<std::size_t>(buffer.size() - done),
                     static_cast<off_t>(offset) + done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        done += written;
    }
    return true;
}

auto read_all(int file, arrow::MutableBuffer& buffer, std::uint64_t offset) -> bool {
    for (std::int64_t done = 0; done < buffer.size();) {
        const auto got = ::pread(file, buffer.mutable_data() + done,
                                 static_cast<std::size_t>(buffer.size() - done),
                                 static_cast<off_t>(offset) + done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        done += got;
    }
    return true;
}

auto unnamed_file(const std::filesystem::path& folder) -> int {
    const int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
    // Some file systems have no O_TMPFILE.
    auto name = (folder / "stage-XXXXXX").string();
    const int named = ::mkostemp(name.data(), O_CLOEXEC);
    if (named >= 0) ::unlink(name.c_str());
    return named;
}

}  // namespace

auto Stage::add(const Batch& batch) -> Result<void> {
    Entry entry{batch, batch.rows->num_rows(), byte_size(batch), nullptr, 0};
    if (memory_bytes_ + entry.bytes > bytes_max_) {
        TRY(spill(entry));
    } else {
        memory_bytes_ += entry.bytes;
    }
    entries_.push_back(std::move(entry));
    return {};
}

auto Stage::spill(Entry& entry) -> Result<void> {
    if (file_ < 0) file_ = unnamed_file(folder_);
    if (file_ < 0) return file_error("make spill file", folder_);
    const auto message = arrow::ipc::SerializeRecordBatch(*entry.batch.rows,
                                                          arrow::ipc::IpcWriteOptions::Defaults());
    if (!message.ok()) return arrow_error("spill a batch", message.status());
    entry.offset = file_bytes_;
    entry.bytes = static_cast<std::size_t>((*message)->size());
    entry.layout = entry.batch.rows->schema();
    if (!write_all(file_, **message, entry.offset)) return file_error("write spill file", folder_);
    file_bytes_ += entry.bytes;
    entry.batch.rows = nullptr;
    return {};
}

auto Stage::read(std::size_t index) const -> Result<Batch> {
    const auto& entry = entries_[index];
    if (entry.batch.rows) return entry.batch;
    auto buffer = arrow::AllocateBuffer(static_cast<std::int64_t>(entry.bytes));
    if (!buffer.ok()) return arrow_error("read spilled batch", buffer.status());
    auto& bytes = static_cast<arrow::MutableBuffer&>(**buffer);
    if (!read_all(file_, bytes, entry.offset)) return file_error("read spill file", folder_);
    arrow::io::BufferReader stream(std::shared_ptr<arrow::Buffer>(std::move(*buffer)));
    const arrow::ipc::DictionaryMemo memo;
    auto rows = arrow::ipc::ReadRecordBatch(entry.layout, &memo,
                                            arrow::ipc::IpcReadOptions::Defaults(), &stream);
    if (!rows.ok()) return arrow_error("read spilled batch", rows.status());
    return Batch{entry.batch.schema, std::move(*rows)};
}

auto Stage::clear() -> void {
    entries_.clear();
    memory_bytes_ = 0;
    file_bytes_ = 0;
    if (file_ >= 0) ::close(file_);
    file_ = -1;
}

}  // namespace leat::duckdb
