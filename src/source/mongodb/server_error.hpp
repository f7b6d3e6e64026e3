// What a refusal of the server, or of the way to it, means for us.
#pragma once

#include <bson/bson.h>

#include <string_view>

#include "base/result.hpp"

namespace leat::mongodb {

// Numbers of the server's error table that are asked for elsewhere.
inline constexpr int code_history_lost = 286;
inline constexpr int code_stream_fatal = 280;
inline constexpr int code_object_too_large = 10334;
inline constexpr int code_not_found = 26;  // NamespaceNotFound
inline constexpr int code_unauthorized = 13;

// `reply`: the server's answer, if there was one.
auto error_of(const bson_error_t& error, std::string_view reply) -> Error;

// Whether a stream could not be opened because of its token, and what that is called then.
auto is_bad_token(const Error& error) -> bool;
auto bad_token(const Error& error) -> Error;

}  // namespace leat::mongodb
