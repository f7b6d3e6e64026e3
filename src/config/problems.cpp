// Collecting and rendering; see problems.hpp.
#include "config/problems.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace leat::config {
namespace {

constexpr std::size_t kept = 50;

auto lower(std::string_view text) -> std::string {
    std::string result(text);
    for (char& c : result) {
        c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return result;
}

}  // namespace

auto edits(const std::string& a, const std::string& b) -> std::size_t {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    std::vector<std::size_t> next(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        next[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            next[j] = std::min({row[j] + 1, next[j - 1] + 1, replace});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                next[j] = std::min(next[j], before[j - 2] + 1);
            }
        }
        std::swap(before, row);
        std::swap(row, next);
    }
    return row[b.size()];
}

auto Problems::full() const -> bool {
    return problems_.size() == kept;
}

auto Problems::add(const Span& where, std::string message, std::string hint) -> void {
    if (full()) {
        ++left_out_;
        return;
    }
    problems_.push_back({where, std::move(message), std::move(hint)});
}

auto Problems::render() const -> std::string {
    auto sorted = problems_;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
        return a.where.start < b.where.start;
    });
    std::string text;
    for (const auto& problem : sorted) {
        text += file_->name();
        if (problem.where.start.line > 0) {
            text += ':' + std::to_string(problem.where.start.line) + ':' +
                    std::to_string(problem.where.start.column);
        }
        text += ": error: " + problem.message;
        if (!problem.hint.empty()) text += "; " + problem.hint;
        text += '\n' + file_->excerpt(problem.where);
    }
    if (left_out_ > 0) {
        text += file_->name() + ": error: " + std::to_string(left_out_) + " more problems\n";
    }
    return text;
}

auto Problems::result() const -> Result<void> {
    if (empty()) return {};
    auto text = render();
    text.pop_back();
    return Error{Fault::config, std::move(text), {}, file_->name(), Code::file_invalid};
}

auto in_quotes(std::string_view text) -> std::string {
    constexpr std::size_t longest = 60;
    std::string shown = "'";
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        // Cut between code points only.
        if (at >= longest && (byte & 0xC0U) != 0x80U) {
            shown += "…";
            break;
        }
        if (byte == '\n') shown += "\\n";
        else if (byte == '\t') shown += "\\t";
        else if (byte < 0x20U || byte == 0x7FU) shown += '?';
        else shown += text[at];
    }
    return shown + "'";
}

auto nearest(std::string_view name, std::span<const std::string_view> known) -> std::string_view {
    constexpr std::size_t longest = 64;
    if (name.empty() || name.size() > longest) return {};
    const auto written = lower(name);
    std::string_view best;
    // A third of the letters may be wrong; of three letters, one.
    auto best_edits = std::max<std::size_t>(1, written.size() / 3) + 1;
    for (const auto candidate : known) {
        if (candidate.size() > longest) continue;
        const auto count = edits(written, lower(candidate));
        if (count < best_edits && count < candidate.size()) {
            best = candidate;
            best_edits = count;
        }
    }
    return best;
}

auto suggest(std::string_view name, std::span<const std::string_view> known) -> std::string {
    if (const auto near = nearest(name, known); !near.empty()) {
        return "did you mean '" + std::string(near) + "'?";
    }
    if (known.empty()) return {};
    std::string all;
    for (const auto candidate : known) {
        all += (all.empty() ? "" : ", ") + std::string(candidate);
    }
    return (known.size() == 1 ? "use " : "use one of ") + all;
}

}  // namespace leat::config
