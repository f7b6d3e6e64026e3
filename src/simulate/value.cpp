// Sizes of values, and money; see value.hpp.
#include "simulate/value.hpp"

#include <fmt/core.h>

namespace leat::simulate {

namespace {

constexpr std::size_t document_frame = 5;  // length and the closing zero
constexpr std::size_t field_frame = 2;     // type and the name's zero

struct SizeOf {
    auto operator()(const Null&) const -> std::size_t { return 0; }
    auto operator()(bool) const -> std::size_t { return 1; }
    auto operator()(std::int32_t) const -> std::size_t { return sizeof(std::int32_t); }
    auto operator()(const std::string& text) const -> std::size_t { return text.size() + 5; }
    auto operator()(const Decimal&) const -> std::size_t { return 16; }
    auto operator()(const Extended& value) const -> std::size_t { return value.json.size(); }
    auto operator()(const Document& document) const -> std::size_t { return size_of(document); }
    auto operator()(const Array& array) const -> std::size_t {
        std::size_t size = document_frame;
        for (const auto& value : array) size += field_frame + 1 + std::visit(*this, value.held);
        return size;
    }
    template <class T>
    auto operator()(const T&) const -> std::size_t {
        return sizeof(std::int64_t);
    }
};

}  // namespace

auto money(std::int64_t cents) -> Value {
    return value(Decimal{fmt::format("{}.{:02}", cents / 100, cents % 100)});
}

auto size_of(const Document& document) -> std::size_t {
    std::size_t size = document_frame;
    for (const auto& [name, value] : document)
        size += field_frame + name.size() + std::visit(SizeOf{}, value.held);
    return size;
}

}  // namespace leat::simulate
