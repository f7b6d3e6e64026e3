// What a running process answered instead of what was asked for.
#pragma once

#include "base/result.hpp"
#include "wire/http.hpp"

namespace leat::cli {

// Of a reply whose status is not 200: `error` and `hint` of its JSON body.
auto error_of(const wire::HttpReply& reply) -> Error;

}  // namespace leat::cli
