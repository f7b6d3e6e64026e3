// Lines, columns and excerpts; see source_file.hpp.
#include "config/source_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace leat::config {
namespace {

// The length of the line break that starts at `at`, 0 if there is none.
auto break_length(std::string_view text, std::size_t at) -> std::size_t {
    const auto rest = text.substr(at);
    if (rest.starts_with("\r\n")) return 2;
    if (rest.starts_with("\n") || rest.starts_with("\r")) return 1;
    if (rest.starts_with("\xC2\x85")) return 2;
    if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) return 3;
    return 0;
}

auto continues_code_point(char byte) -> bool {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

auto code_points(std::string_view text) -> std::size_t {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !continues_code_point(c); }));
}

// The byte at which code point `index` starts; the end where there are fewer.
auto byte_of(std::string_view text, std::size_t index) -> std::size_t {
    std::size_t at = 0;
    for (std::size_t seen = 0; at < text.size(); ++at) {
        if (continues_code_point(text[at])) continue;
        if (seen == index) break;
        ++seen;
    }
    return at;
}

auto printable(std::string_view line) -> std::string {
    std::string shown(line);
    for (char& c : shown) {
        if (c == '\t') c = ' ';
        else if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) c = '?';
    }
    return shown;
}

}  // namespace

SourceFile::SourceFile(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.erase(0, 3);
    line_starts_.push_back(0);
    for (std::size_t at = 0; at < text_.size();) {
        const auto length = break_length(text_, at);
        if (length > 0) line_starts_.push_back(at + length);
        at += std::max<std::size_t>(length, 1);
    }
}

auto SourceFile::open(const std::filesystem::path& path) -> Result<SourceFile> {
    auto text = TRY(read_file(path, max_bytes));
    return SourceFile(path.string(), std::move(text));
}

auto SourceFile::line(std::uint32_t number) const -> std::string_view {
    if (number == 0 || number > line_starts_.size()) return {};
    const auto start = line_starts_[number - 1];
    if (number == line_starts_.size()) return std::string_view(text_).substr(start);
    auto whole = std::string_view(text_).substr(start, line_starts_[number] - start);
    // The next line starts right after this one's break, which is at most three bytes.
    auto at = whole.size() - std::min<std::size_t>(whole.size(), 3);
    while (at < whole.size() && at + break_length(whole, at) != whole.size()) ++at;
    return whole.substr(0, at);
}

auto SourceFile::mark_at(std::size_t byte) const -> Mark {
    byte = std::min(byte, text_.size());
    const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), byte);
    if (after == line_starts_.begin()) return {1, 1};
    const auto start = *std::prev(after);
    const auto column = code_points(std::string_view(text_).substr(start, byte - start)) + 1;
    return {static_cast<std::uint32_t>(after - line_starts_.begin()),
            static_cast<std::uint32_t>(column)};
}

auto SourceFile::find(const Span& span, std::string_view needle) const -> std::optional<Span> {
    const auto offset = [this](const Mark& mark) {
        if (mark.line == 0) return std::size_t{0};
        if (mark.line > line_starts_.size()) return text_.size();
        return line_starts_[mark.line - 1] + byte_of(line(mark.line), mark.column - 1);
    };
    if (span.start.line == 0 || needle.empty()) return std::nullopt;
    const auto from = offset(span.start);
    const auto to = std::max(from, offset(span.end));
    const auto at = std::string_view(text_).substr(0, to).find(needle, from);
    if (at == std::string_view::npos) return std::nullopt;
    const Span found{mark_at(at), mark_at(at + needle.size())};
    return found.start.line == found.end.line ? std::optional(found) : std::nullopt;
}

auto SourceFile::excerpt(const Span& span) const -> std::string {
    constexpr std::size_t width = 96;
    constexpr std::size_t longest = 64U << 10U;  // beyond it nobody wrote the line by hand
    const auto whole = line(span.start.line);
    if (whole.size() > longest) return {};
    const auto shown = redact(printable(whole));
    if (shown.find_first_not_of(' ') == std::string::npos) return {};
    const auto length = code_points(shown);
    const auto start = std::min<std::size_t>(span.start.column - 1, length);
    auto end = span.end.line == span.start.line
                   ? std::min<std::size_t>(span.end.column - 1, length)
                   : code_points(shown.substr(0, shown.find_last_not_of(' ') + 1));
    end = std::max(end, start + 1);

    // A long line is shown as the part around its caret.
    const auto first = length > width && start > width / 2 ? start - width / 2 : 0;
    const auto last = std::min(length, first + width);
    end = std::min(end, std::max(last, start + 1));
    const auto begin_byte = byte_of(shown, first);
    auto part = shown.substr(begin_byte, byte_of(shown, last) - begin_byte);
    const std::string left = first > 0 ? "…" : "";
    if (last < length) part += "…";

    auto number = std::to_string(span.start.line);
    number.insert(0, number.size() < 5 ? 5 - number.size() : 0, ' ');
    const auto margin = std::string(number.size(), ' ');
    return number + " | " + left + part + "\n" + margin + " | " +
           std::string(start - first + (first > 0 ? 1 : 0), ' ') + "^" +
           std::string(end - start - 1, '~') + "\n";
}

auto read_file(const std::filesystem::path& path, std::size_t max_bytes) -> Result<std::string> {
    const auto refuse = [&path](const std::string& why, std::string hint) {
        return Error{Fault::config, "cannot read " + path.string() + ": " + why, std::move(hint),
                     {}, Code::file_unreadable};
    };
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown)) {
        return refuse("it is a folder", "give the path of a file");
    }
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        const int reason = errno;
        return refuse(std::strerror(reason), "check the path and its permissions");
    }
    std::string text(max_bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return refuse(std::strerror(errno), "check the disk");
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > max_bytes) {
        return refuse("it is larger than " + std::to_string(max_bytes >> 10U) + " KiB",
                      "give a smaller file");
    }
    text.shrink_to_fit();
    return text;
}

}  // namespace leat::config
