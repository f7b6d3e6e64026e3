// Over libbson's builder, which grows as needed; what it can refuse (2 GB) is not put together
// here.
#include "source/mongodb/document.hpp"

#include <utility>

#include "base/check.hpp"

namespace leat::mongodb {

namespace {

auto length(std::string_view text) -> int {
    return static_cast<int>(text.size());
}
auto octets(std::string_view bytes) -> const std::uint8_t* {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

}  // namespace

Document::Document() {
    bson_init(&bson_);
}

Document::Document(std::string_view bytes) {
    bson_t view;
    CHECK(bson_init_static(&view, octets(bytes), bytes.size()));
    bson_copy_to(&view, &bson_);
}

Document::Document(const Document& other) {
    bson_copy_to(&other.bson_, &bson_);
}

Document::Document(Document&& other) noexcept {
    CHECK(bson_steal(&bson_, &other.bson_));
    bson_init(&other.bson_);
}

auto Document::operator=(Document other) noexcept -> Document& {
    bson_destroy(&bson_);
    CHECK(bson_steal(&bson_, &other.bson_));
    bson_init(&other.bson_);
    return *this;
}

Document::~Document() {
    bson_destroy(&bson_);
}

auto Document::add(std::string_view key, std::string_view text) -> Document& {
    CHECK(bson_append_utf8(&bson_, key.data(), length(key), text.data(), length(text)));
    return *this;
}

auto Document::add(std::string_view key, std::int64_t number) -> Document& {
    CHECK(bson_append_int64(&bson_, key.data(), length(key), number));
    return *this;
}

auto Document::add(std::string_view key, std::int32_t number) -> Document& {
    CHECK(bson_append_int32(&bson_, key.data(), length(key), number));
    return *this;
}

auto Document::add(std::string_view key, bool truth) -> Document& {
    CHECK(bson_append_bool(&bson_, key.data(), length(key), truth));
    return *this;
}

auto Document::add(std::string_view key, bson::Timestamp time) -> Document& {
    CHECK(bson_append_timestamp(&bson_, key.data(), length(key), time.seconds, time.increment));
    return *this;
}

auto Document::add(std::string_view key, const Document& document) -> Document& {
    CHECK(bson_append_document(&bson_, key.data(), length(key), &document.bson_));
    return *this;
}

auto Document::add_array(std::string_view key, const Document& items) -> Document& {
    CHECK(bson_append_array(&bson_, key.data(), length(key), &items.bson_));
    return *this;
}

// By way of a document of that one element, so that every type goes the same way.
auto Document::add(std::string_view key, const bson::Element& value) -> Document& {
    constexpr std::size_t frame_bytes = 4 + 1 + 2 + 1;  // length, type, name "v", end
    std::string one;
    const auto size = static_cast<std::uint32_t>(frame_bytes + value.value.size());
    one.append(reinterpret_cast<const char*>(&size), sizeof size);
    one += static_cast<char>(value.type);
    one.append("v\0", 2);
    one += value.value;
    one += '\0';
    bson_t view;
    bson_iter_t at;
    CHECK(bson_init_static(&view, octets(one), one.size()) && bson_iter_init(&at, &view) &&
          bson_iter_next(&at) && bson_append_iter(&bson_, key.data(), length(key), &at));
    return *this;
}

auto Document::bytes() const -> std::string_view {
    return {reinterpret_cast<const char*>(bson_get_data(&bson_)), bson_.len};
}

auto text_at(std::string_view document, std::string_view name) -> std::string {
    const auto found = bson::find(document, name);
    return found && found->type == bson::Type::string ? std::string(bson::as_text(*found)) : "";
}

auto number_at(std::string_view document, std::string_view name) -> std::int64_t {
    const auto found = bson::find(document, name);
    return found ? bson::whole_number(*found).value_or(0) : 0;
}

auto truth_at(std::string_view document, std::string_view name) -> bool {
    const auto found = bson::find(document, name);
    return found && found->type == bson::Type::boolean && bson::as_boolean(*found);
}

auto document_at(std::string_view document, std::string_view name) -> std::string_view {
    const auto found = bson::find(document, name);
    const bool is_one =
        found && (found->type == bson::Type::document || found->type == bson::Type::array);
    return is_one ? bson::as_document(*found) : std::string_view();
}

}  // namespace leat::mongodb
