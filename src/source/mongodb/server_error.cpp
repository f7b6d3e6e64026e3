// By the label and the code that the server gives, else by where libmongoc failed.
#include "source/mongodb/server_error.hpp"

#include <mongoc/mongoc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "format/bson/bson.hpp"
#include "source/mongodb/client.hpp"

namespace leat::mongodb {

namespace {

// Passing: network, elections, shutdown, cursors that went with them. From the change streams
// specification and the retryable reads specification.
constexpr std::array passing_codes = {6,    7,     43,    50,    63,    89,    91,   133, 134,
                                      136,  150,   175,   189,   202,   234,   237,  246, 262,
                                      9001, 10107, 11600, 11602, 13388, 13435, 13436};
constexpr int authentication_failed = 18;

auto has_label(std::string_view reply, std::string_view label) -> bool {
    const auto labels = bson::find(reply, "errorLabels");
    if (!labels || labels->type != bson::Type::array) return false;
    bson::Reader items(bson::as_document(*labels));
    for (bson::Element item; items.next(item);)
        if (item.type == bson::Type::string && bson::as_text(item) == label) return true;
    return false;
}

// "not authorized on shop to execute command { find: …": the rest is the command itself.
auto without_command(std::string_view message) -> std::string {
    const auto begin = message.find(" { ");
    if (begin == std::string_view::npos) return std::string(message);
    const auto name = message.substr(begin + 3);
    return std::string(message.substr(0, begin + 1)) + std::string(name.substr(0, name.find(':')));
}

auto lost(const bson_error_t& error) -> Error {
    return {Fault::fatal,
            std::string("the server's oplog no longer reaches back to where leat "
                        "stands: ") +
                error.message,
            "Set run.on_gap: resnapshot to have all collections read anew, and give the oplog more "
            "room (replSetResizeOplog).",
            "mongodb", Code::mongo_history_lost};
}

auto too_large(const bson_error_t& error) -> Error {
    return {Fault::fatal,
            std::string("a change is larger than the server can send: ") + error.message,
            "Upgrade the server to 6.0.9 or newer, which splits it, or set run.on_gap: resnapshot "
            "to go on behind it with all collections read anew.",
            "mongodb", Code::mongo_event_too_large};
}

auto from_server(const bson_error_t& error, std::string_view reply, int code) -> Error {
    if (code == code_history_lost) return lost(error);
    if (code == code_object_too_large) return too_large(error);
    if (code == authentication_failed)
        return {Fault::config, "the server refuses the credentials of source.uri",
                "Correct user, password and authSource in source.uri.", "mongodb",
                Code::mongo_login};
    if (code == code_unauthorized)
        return {Fault::config, "a right is missing: " + without_command(error.message),
                "Grant the role that `leat check` names.", "mongodb", Code::mongo_right};
    const bool passes =
        has_label(reply, "ResumableChangeStreamError") ||
        has_label(reply, "TransientTransactionError") ||
        std::find(passing_codes.begin(), passing_codes.end(), code) != passing_codes.end();
    if (passes)
        return {Fault::retry, std::string("the server cannot answer now: ") + error.message, "",
                "mongodb", Code::mongo_unreachable};
    if (code == code_stream_fatal)
        return {Fault::fatal, std::string("the change stream cannot go on: ") + error.message,
                "Set run.on_gap: resnapshot to have all collections read anew.", "mongodb",
                Code::mongo_stream};
    return {Fault::fatal, std::string("the server refused a command: ") + error.message,
            "Look up the code in the server's list of errors.", "mongodb", Code::mongo_refused};
}

auto on_the_way(const bson_error_t& error) -> Error {
    const std::string_view message = error.message;
    // Handshake and login fail inside of server selection, in words only.
    const auto says = [&](std::string_view words) {
        return message.find(words) != std::string_view::npos;
    };
    if (error.domain == MONGOC_ERROR_CLIENT &&
        (error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE || says("uthentication failed")))
        return {Fault::config, "the server refuses the credentials of source.uri",
                "Correct user, password and authSource in source.uri.", "mongodb",
                Code::mongo_login};
    if (says("TLS handshake failed") || says("certificate"))
        return {Fault::config, "no TLS connection to the server: " + std::string(message),
                "Name the CA that signed the server's certificate by tlsCAFile in source.uri, and "
                "the client's certificate by tlsCertificateKeyFile where the server asks for one.",
                "mongodb", Code::mongo_tls};
    // What it says of those that it does not want, it says to its log.
    if (says("calling hello") && !says("refused"))
        return {
            Fault::retry, "the server does not answer: " + std::string(message),
            "Start it, or correct source.uri; a server that takes only TLS, or asks the client for "
            "a certificate, wants tls=true, tlsCAFile and tlsCertificateKeyFile there.",
            "mongodb", Code::mongo_unreachable};
    return {Fault::retry, "the server is not reachable: " + std::string(message),
            "Start it, or correct source.uri.", "mongodb", Code::mongo_unreachable};
}

}  // namespace

// The words for a token differ with what is wrong in it.
auto is_bad_token(const Error& error) -> bool {
    constexpr std::array codes = {9, 15, 260, 40647, 40649, 50811};
    return std::find(codes.begin(), codes.end(), server_code(error)) != codes.end();
}

auto bad_token(const Error& error) -> Error {
    return {Fault::fatal, "the server does not know where leat stands: " + error.what,
            "If this is another deployment than before, correct source.uri; otherwise set "
            "run.on_gap: resnapshot to have all collections read anew.",
            error.context, Code::mongo_token};
}

auto error_of(const bson_error_t& error, std::string_view reply) -> Error {
    const auto code = bson::find(reply, "code");
    if (!code) {
        if (error.domain == MONGOC_ERROR_SERVER)
            return from_server(error, reply, static_cast<int>(error.code));
        return on_the_way(error);
    }
    const auto number = static_cast<int>(bson::whole_number(*code).value_or(0));
    auto made = from_server(error, reply, number);
    made.context += " (code " + std::to_string(number) + ")";
    return made;
}

auto server_code(const Error& error) -> int {
    constexpr std::string_view before = "(code ";
    const auto at = error.context.find(before);
    if (at == std::string::npos) return 0;
    int code = 0;
    const auto* const begin = error.context.data() + at + before.size();
    std::from_chars(begin, error.context.data() + error.context.size(), code);
    return code;
}

}  // namespace leat::mongodb
