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

// Where the reference ${...} ends that starts at `at`; `at` itself where none does.
auto skip_reference(const std::string& text, std::size_t at) -> std::size_t {
    if (text.compare(at, 2, "${") != 0 || (at > 0 && text[at - 1] == '$')) return at;
    const auto end = text.find('}', at);
    return end == std::string::npos ? at : end + 1;
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
    for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
        const auto authority = at + 3;
        const auto end = std::min(text.find_first_of(" \t\"'\n\r<>", authority), text.size());
        // A password may hold an unescaped `/` or `@`, so the last `@` before the end counts.
        const auto user_end = text.substr(0, end).rfind('@');
        if (user_end == std::string::npos || user_end < authority) continue;
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
    for (const auto word : secret_words) {
        for (auto at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
            auto next = at + word.size();
            const auto is_word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
            while (next < lower.size() && (is_word(static_cast<unsigned char>(lower[next])) ||
                                           lower[next] == '"' || lower[next] == '\'')) {
                ++next;
            }
            next = std::min(lower.find_first_not_of(" \t", next), lower.size());
            if (next == lower.size() || (lower[next] != ':' && lower[next] != '=')) continue;
            const auto value = lower.find_first_not_of(" \t", next + 1);
            if (value == std::string::npos) continue;
            mask(text, value, value_end(text, value, lower[next]));
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
