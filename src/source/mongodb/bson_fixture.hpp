// For tests: documents from Extended JSON, rows as lines of text.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <bson/bson.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "change/batch.hpp"

namespace leat::mongodb::fixture {

inline auto document(const std::string& json) -> std::string {
    bson_error_t error;
    bson_t* parsed = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(json.data()),
                                        static_cast<ssize_t>(json.size()), &error);
    if (parsed == nullptr) ADD_FAILURE() << error.message << ": " << json;
    CHECK(parsed != nullptr);
    std::string bytes(reinterpret_cast<const char*>(bson_get_data(parsed)), parsed->len);
    bson_destroy(parsed);
    return bytes;
}

// A document with one element of raw bytes, for what JSON cannot say.
inline auto raw_document(bson::Type type, const std::string& name, const std::string& value)
    -> std::string {
    std::string body = std::string(1, static_cast<char>(type)) + name + '\0' + value + '\0';
    const auto size = static_cast<std::int32_t>(body.size() + sizeof(std::int32_t));
    return std::string(reinterpret_cast<const char*>(&size), sizeof size) + body;
}

// "I _id=1 a=x b=-": op, then the columns; "-" NULL, "?" not sent.
inline auto row_texts(const Batch& batch) -> std::vector<std::string> {
    std::vector<std::string> lines;
    const auto& rows = *batch.rows;
    const auto& ops = static_cast<const arrow::UInt8Array&>(*rows.column(op_column));
    const auto unchanged = rows.column(unchanged_column);
    for (std::int64_t row = 0; row < rows.num_rows(); ++row) {
        std::string line(1, static_cast<char>(ops.Value(row)));
        for (std::size_t i = 0; i < batch.schema->columns.size(); ++i) {
            const auto& array = *rows.column(first_table_column + static_cast<int>(i));
            const bool is_unsent = unchanged->type_id() != arrow::Type::NA &&
                                   unchanged->IsValid(row) &&
                                   ((static_cast<const arrow::FixedSizeBinaryArray&>(*unchanged)
                                         .GetValue(row)[i / 8] >>
                                     (i % 8)) &
                                    1) != 0;
            line += " " + batch.schema->columns[i].name + "=";
            line += is_unsent           ? "?"
                    : array.IsNull(row) ? "-"
                                        : array.GetScalar(row).ValueOrDie()->ToString();
        }
        lines.push_back(line);
    }
    return lines;
}

inline auto row_texts(const std::vector<Batch>& batches) -> std::vector<std::string> {
    std::vector<std::string> lines;
    for (const auto& batch : batches)
        for (auto& line : row_texts(batch)) lines.push_back(std::move(line));
    return lines;
}

// A folder that is removed with its contents.
class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "leat-mongo-XXXXXX").string();
        CHECK(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    Folder(const Folder&) = delete;
    auto operator=(const Folder&) -> Folder& = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] auto path() const -> const std::filesystem::path& { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace leat::mongodb::fixture
