// See reply_error.hpp.
#include "cli/reply_error.hpp"

#include <boost/json.hpp>

#include "cli/error_pages.hpp"

namespace leat::cli {

auto error_of(const wire::HttpReply& reply) -> Error {
    boost::json::error_code bad;
    const auto answer = boost::json::parse(reply.body, bad);
    if (bad || !answer.is_object()) return Error{Fault::fatal, "answer is not JSON", "", "socket"};
    const auto text = [&](const char* key) -> std::string {
        const auto* value = answer.get_object().if_contains(key);
        return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
    };
    return Error{Fault::config, text("error"), text("hint"), "", code_of(text("code"))};
}

}  // namespace leat::cli
