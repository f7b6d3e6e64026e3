// Documents as BSON, by libbson. Pure.
#pragma once

#include <bson/bson.h>

#include <utility>

#include "simulate/value.hpp"

namespace leat::simulate {

// Owner of one document. A class of its own because bson_t is aligned by an attribute that a
// template's argument loses.
class Bson {
public:
    Bson() : held_(bson_new()) {}
    explicit Bson(bson_t* owned) : held_(owned) {}
    Bson(Bson&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
    Bson(const Bson&) = delete;
    auto operator=(Bson&&) -> Bson& = delete;
    ~Bson() { bson_destroy(held_); }

    [[nodiscard]] auto get() const -> bson_t* { return held_; }

private:
    bson_t* held_;
};

// `json`: extended JSON of our own making.
auto bson_of_json(const std::string& json) -> Bson;
auto bson_of(const Document& document) -> Bson;
// {_id: key} and what follows it.
auto bson_of(const Value& key, const Document& rest) -> Bson;

}  // namespace leat::simulate
