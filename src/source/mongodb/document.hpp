// Document: BSON that is put together here: commands, tokens. Values that were read are carried
// over byte for byte. Not for rows.
#pragma once

#include <bson/bson.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "format/bson/bson.hpp"

namespace leat::mongodb {

class Document {
public:
    Document();
    explicit Document(std::string_view bytes);  // a whole document
    Document(const Document& other);
    Document(Document&& other) noexcept;
    auto operator=(Document other) noexcept -> Document&;
    ~Document();

    // Keys of one command or array are few: nobody looks whether one is there already.
    auto add(std::string_view key, std::string_view text) -> Document&;
    auto add(std::string_view key, const char* text) -> Document& {
        return add(key, std::string_view(text));
    }
    auto add(std::string_view key, std::int64_t number) -> Document&;
    auto add(std::string_view key, std::int32_t number) -> Document&;
    auto add(std::string_view key, bool truth) -> Document&;
    auto add(std::string_view key, bson::Timestamp time) -> Document&;
    auto add(std::string_view key, const Document& document) -> Document&;
    auto add(std::string_view key, const bson::Element& value) -> Document&;
    auto add_array(std::string_view key, const Document& items) -> Document&;

    [[nodiscard]] auto bytes() const -> std::string_view;
    [[nodiscard]] auto get() const -> const bson_t* { return &bson_; }
    [[nodiscard]] auto is_empty() const -> bool { return bson_empty(&bson_); }

private:
    bson_t bson_;
};

// What an answer or a note says under a name at its top level; of another type, or not there:
// empty, 0, false.
auto text_at(std::string_view document, std::string_view name) -> std::string;
auto number_at(std::string_view document, std::string_view name) -> std::int64_t;
auto truth_at(std::string_view document, std::string_view name) -> bool;
auto document_at(std::string_view document, std::string_view name) -> std::string_view;  // or array

// Items of an array, in order.
class ArrayBuilder {
public:
    template <class Value>
    auto add(const Value& value) -> ArrayBuilder& {
        items_.add(std::to_string(size_++), value);
        return *this;
    }
    [[nodiscard]] auto items() const -> const Document& { return items_; }
    [[nodiscard]] auto size() const -> std::size_t { return size_; }

private:
    Document items_;
    std::size_t size_ = 0;
};

}  // namespace leat::mongodb
