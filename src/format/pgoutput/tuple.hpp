// TupleView and RelationColumns: the column lists inside pgoutput messages, as views over the
// received bytes. They were checked once by decode(); walking them checks nothing and allocates
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>

#include "base/bytes.hpp"

namespace leat::pgoutput {

enum class ValueKind : char {
    null = 'n',
    unchanged = 'u',  // TOAST value that the server did not send; never NULL
    text = 't',
    binary = 'b',
};

// `bytes` is empty for null and unchanged.
struct Value {
    ValueKind kind = ValueKind::null;
    std::string_view bytes;
};

// One column of a Relation message. `key`: part of the replica identity.
struct RelationColumn {
    bool key = false;
    std::string_view name;
    std::uint32_t type_oid = 0;
    std::int32_t typmod = -1;
};

namespace detail {

template <class T>
auto load_big(const char* at) -> T {
    T value{};
    std::memcpy(&value, at, sizeof(T));
    return ByteReader::from_big(value);
}

inline auto next_item(const char*& at, Value& value) -> void {
    const auto kind = static_cast<ValueKind>(*at++);
    if (kind == ValueKind::null || kind == ValueKind::unchanged) {
        value = {kind, {}};
        return;
    }
    const auto size = load_big<std::uint32_t>(at);
    at += sizeof size;
    value = {kind, {at, size}};
    at += size;
}

inline auto next_item(const char*& at, RelationColumn& column) -> void {
    column.key = (*at++ & 1) != 0;
    column.name = std::string_view(at);
    at += column.name.size() + 1;
    column.type_oid = load_big<std::uint32_t>(at);
    column.typmod = load_big<std::int32_t>(at + 4);
    at += 8;
}

// Borrows checked bytes; lives as long as the received frame. `Item` is decoded on the way.
template <class Item>
class ItemList {
public:
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Item;
        using difference_type = std::ptrdiff_t;
        using pointer = const Item*;
        using reference = const Item&;

        Iterator(const char* at, std::uint16_t left) : at_(at), left_(left) { read(); }
        auto operator*() const -> const Item& { return item_; }
        auto operator->() const -> const Item* { return &item_; }
        auto operator++() -> Iterator& {
            --left_;
            read();
            return *this;
        }
        auto operator++(int) -> void { ++*this; }
        friend auto operator==(const Iterator& a, const Iterator& b) -> bool {
            return a.left_ == b.left_;
        }

    private:
        auto read() -> void {
            if (left_ > 0) next_item(at_, item_);
        }

        const char* at_;
        std::uint16_t left_;
        Item item_;
    };

    ItemList() = default;
    // Only for bytes that have been checked to hold exactly `count` items.
    ItemList(std::string_view checked, std::uint16_t count) : bytes_(checked), count_(count) {}

    [[nodiscard]] auto size() const -> std::size_t { return count_; }
    [[nodiscard]] auto begin() const -> Iterator { return {bytes_.data(), count_}; }
    [[nodiscard]] auto end() const -> Iterator { return {nullptr, 0}; }
    // The items as on the wire: for spilling and for telling equal lists apart cheaply.
    [[nodiscard]] auto bytes() const -> std::string_view { return bytes_; }

private:
    std::string_view bytes_;
    std::uint16_t count_ = 0;
};

}  // namespace detail

using TupleView = detail::ItemList<Value>;
using RelationColumns = detail::ItemList<RelationColumn>;

}  // namespace leat::pgoutput
