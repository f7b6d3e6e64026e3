// Masking of passwords in text that is shown to people; see redact() in source_file.hpp.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "config/source_file.hpp"

namespace leat::config {
namespace {

constexpr std::array<std::string_view, 9> secret_words{"password",   "passwd",      "passphrase",
                                                       "secret",     "token",       "pwd",
                                                       "credential", "private_key", "access_key"};

// Where the reference ${...} ends that starts at `at`; `at` itself where none does. Bounded, so
// that a hostile line costs no more than its length.
auto skip_reference(const std::string& text, std::size_t at) -> std::size_t {
    constexpr std::size_t longest = 256;
    if (text.compare(at, 2, "${") != 0 || (at > 0 && text[at - 1] == '$')) return at;
    const auto end = std::string_view(text).substr(at, longest).find('}');
    return end == std::string_view::npos ? at : at + end + 1;
}

// A reference is no secret, and it is what the reader must see; all else becomes asterisks.
auto mask(std::string& text, std::size_t from, std::size_t to) -> void {
    for (auto at = from; at < std::min(to, text.size());) {
        if (const auto next = skip_reference(text, at); next > at) {
            at = next;
            continue;
        }
        // One asterisk per code point keeps the columns; further bytes go in a second step.
        const auto byte = static_cast<unsigned char>(text[at]);
        text[at++] = (byte & 0xC0U) == 0x80U ? '\0' : '*';
    }
}

// scheme://user:password@host
auto mask_urls(std::string& text) -> void {
    auto end = std::size_t{0};
    for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", end)) {
        const auto authority = at + 3;
        end = std::min(text.find_first_of(" \t\"'\n\r<>", authority), text.size());
        // A password may hold an unescaped `/` or `@`, so the last `@` before the end counts.
        const auto user = std::string_view(text).substr(authority, end - authority).rfind('@');
        if (user == std::string_view::npos) continue;
        const auto user_end = authority + user;
        auto colon = authority;
        while (colon < user_end && text[colon] != ':') {
            colon = std::max(colon + 1, skip_reference(text, colon));
        }
        if (colon < user_end) mask(text, colon + 1, user_end);
    }
}

// Where the value ends that starts at `from`, after `separator`.
auto value_end(const std::string& text, std::size_t from, char separator) -> std::size_t {
    const char quote = text[from];
    if (quote == '"' || quote == '\'') {
        const auto close = text.find(quote, from + 1);
        return close == std::string::npos ? text.size() : close + 1;
    }
    const auto* const ends = separator == '=' ? " \t&,;}]\"'\n\r" : ",}]\n\r";
    return std::min(text.find_first_of(ends, from), text.size());
}

// password: value, password=value
auto mask_named(std::string& text) -> void {
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto in_name = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '"' ||
               c == '\'';
    };
    for (const auto word : secret_words) {
        auto next = std::size_t{0};
        for (auto at = lower.find(word); at != std::string::npos; at = lower.find(word, next)) {
            next = at + word.size();
            while (next < lower.size() && in_name(lower[next])) ++next;
            const auto separator = std::min(lower.find_first_not_of(" \t", next), lower.size());
            if (separator == lower.size()) break;
            if (lower[separator] != ':' && lower[separator] != '=') continue;
            const auto value = lower.find_first_not_of(" \t", separator + 1);
            if (value == std::string::npos) continue;
            next = value_end(text, value, lower[separator]);
            mask(text, value, next);
        }
    }
}

}  // namespace

auto redact(std::string_view text) -> std::string {
    std::string shown(text);
    std::replace(shown.begin(), shown.end(), '\0', '?');
    mask_urls(shown);
    mask_named(shown);
    std::erase(shown, '\0');
    return shown;
}

}  // namespace leat::config
