// BSON from values; see bson_document.hpp.
#include "simulate/bson_document.hpp"

#include "base/check.hpp"

namespace leat::simulate {

namespace {

auto append(bson_t* to, const std::string& name, const Value& value) -> void;

struct Append {
    bson_t* to;
    const std::string& name;

    [[nodiscard]] auto length() const -> int { return static_cast<int>(name.size()); }

    auto operator()(const Null&) const -> void { bson_append_null(to, name.c_str(), length()); }
    auto operator()(bool held) const -> void { bson_append_bool(to, name.c_str(), length(), held); }
    auto operator()(std::int32_t held) const -> void {
        bson_append_int32(to, name.c_str(), length(), held);
    }
    auto operator()(std::int64_t held) const -> void {
        bson_append_int64(to, name.c_str(), length(), held);
    }
    auto operator()(double held) const -> void {
        bson_append_double(to, name.c_str(), length(), held);
    }
    auto operator()(const std::string& text) const -> void {
        bson_append_utf8(to, name.c_str(), length(), text.data(), static_cast<int>(text.size()));
    }
    auto operator()(const Decimal& decimal) const -> void {
        bson_decimal128_t held;
        CHECK(bson_decimal128_from_string(decimal.digits.c_str(), &held));
        bson_append_decimal128(to, name.c_str(), length(), &held);
    }
    auto operator()(const Time& time) const -> void {
        bson_append_date_time(to, name.c_str(), length(), time.us / 1000);
    }
    auto operator()(const Extended& value) const -> void {
        const auto holder = bson_of_json(R"({"value": )" + value.json + "}");
        bson_iter_t at;
        CHECK(bson_iter_init_find(&at, holder.get(), "value"));
        bson_append_iter(to, name.c_str(), length(), &at);
    }
    auto operator()(const Array& array) const -> void {
        bson_t inner;
        bson_append_array_begin(to, name.c_str(), length(), &inner);
        for (std::size_t i = 0; i < array.size(); ++i) append(&inner, std::to_string(i), array[i]);
        bson_append_array_end(to, &inner);
    }
    auto operator()(const Document& document) const -> void {
        bson_t inner;
        bson_append_document_begin(to, name.c_str(), length(), &inner);
        for (const auto& field : document) append(&inner, field.name, field.value);
        bson_append_document_end(to, &inner);
    }
};

auto append(bson_t* to, const std::string& name, const Value& value) -> void {
    std::visit(Append{to, name}, value.held);
}

}  // namespace

auto bson_of_json(const std::string& json) -> Bson {
    bson_error_t error;
    Bson made(bson_new_from_json(reinterpret_cast<const std::uint8_t*>(json.data()),
                                 static_cast<ssize_t>(json.size()), &error));
    CHECK(made.get() != nullptr);
    return made;
}

auto bson_of(const Document& document) -> Bson {
    Bson made;
    for (const auto& field : document) append(made.get(), field.name, field.value);
    return made;
}

auto bson_of(const Value& key, const Document& rest) -> Bson {
    Bson made;
    append(made.get(), "_id", key);
    for (const auto& field : rest) append(made.get(), field.name, field.value);
    return made;
}

}  // namespace leat::simulate
