// The cheapest alignment of the sent columns with all numbers that may stand behind them.
#include "source/postgres/column_match.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace leat::postgres {

namespace {

constexpr std::uint32_t impossible = std::numeric_limits<std::uint32_t>::max() / 2;
// Of taking a number for a column: name and type are vouched for; the column came and went again;
// it was called otherwise before and after; it was of another type as well.
constexpr std::uint32_t vouched = 0;
constexpr std::uint32_t passing = 1;
constexpr std::uint32_t strange = 2;
constexpr std::uint32_t stranger = 3;
// Of leaving out a column that was probably there, known or not, and of taking one that was
// probably gone.
constexpr std::uint32_t missed = 2;
constexpr std::uint32_t missed_passing = 1;
constexpr std::uint32_t gone = 2;

// The order of transaction numbers, which wrap around. It is near to the order of commits, but not
// the same: evidence, no proof.
auto is_newer(std::uint32_t xid, std::uint32_t than) -> bool {
    return static_cast<std::int32_t>(xid - than) > 0;
}

// A number that a sent column may have. `known`: of the version in force. `now`: of the catalog.
struct Slot {
    std::int32_t number = 0;
    const Column* known = nullptr;
    const CatalogColumn* now = nullptr;
    bool was_there = false;  // by the order of transactions: dropped only after the message
};

auto is_passing(const Slot& slot) -> bool {
    return slot.known == nullptr && slot.now == nullptr;
}
auto is_certain(const Slot& slot) -> bool {
    return slot.known != nullptr && slot.now != nullptr;
}

auto cost_of(const SentColumn& sent, const Slot& slot) -> std::uint32_t {
    const auto* known = slot.known;
    const auto* now = slot.now;
    if (is_passing(slot)) return slot.was_there ? passing : strange;
    const bool like_known =
        known != nullptr && (known->source_type.empty() || known->source_type == sent.source_type);
    const bool like_now = now != nullptr && now->type_oid == sent.type_oid &&
                          now->type_modifier == sent.type_modifier;
    if (now == nullptr && !slot.was_there)
        return gone + (like_known && known->name == sent.name ? vouched : strange);
    if (like_known && known->name == sent.name) return vouched;
    if (like_now && now->name == sent.name) return vouched;
    return like_known || like_now ? strange : stranger;
}

class Alignment {
public:
    explicit Alignment(const MatchRequest& request) : request_(request), highest_(highest_known()) {
        collect();
        width_ = slots_.size() + 1;
        cells_.assign((request.sent.size() + 1) * width_, Cell{});
        fill();
    }

    [[nodiscard]] auto is_possible() const -> bool { return cell(0, 0).cost < impossible; }
    [[nodiscard]] auto is_unique() const -> bool { return !cell(0, 0).ambiguous; }
    [[nodiscard]] auto numbers() const -> std::vector<std::int32_t> {
        std::vector<std::int32_t> found;
        for (std::size_t j = 0; found.size() < request_.sent.size(); ++j)
            if (cell(found.size(), j).take) found.push_back(slots_[j].number);
        return found;
    }

private:
    // The best way to place the columns from i on at the slots from j on.
    struct Cell {
        std::uint32_t cost = impossible;
        bool take = false;
        bool ambiguous = false;
        std::uint64_t reading = 0;  // tells apart who goes where, but for numbers that are gone
    };

    [[nodiscard]] auto highest_known() const -> std::int32_t {
        std::int32_t highest = 0;
        for (const auto& column : request_.known.columns) highest = std::max(highest, column.id);
        return highest;
    }
    [[nodiscard]] auto cell(std::size_t i, std::size_t j) const -> const Cell& {
        return cells_[i * width_ + j];
    }

    auto slot(std::int32_t number) -> Slot& {
        const auto at = std::find_if(slots_.begin(), slots_.end(),
                                     [&](const auto& one) { return one.number == number; });
        if (at != slots_.end()) return *at;
        slots_.push_back({number});
        return slots_.back();
    }

    auto collect() -> void {
        for (const auto& column : request_.known.columns) slot(column.id).known = &column;
        if (request_.catalog == nullptr) {
            for (auto& known : slots_) known.was_there = true;
            // Whatever came and went since has one of the next numbers.
            for (std::size_t i = 0; i < request_.sent.size(); ++i)
                slot(highest_ + 1 + static_cast<std::int32_t>(i)).was_there = true;
        } else {
            for (const auto& column : request_.catalog->columns) slot(column.number).now = &column;
            for (const auto& dead : request_.catalog->dropped) {
                const bool is_known =
                    std::any_of(slots_.begin(), slots_.end(),
                                [&](const auto& one) { return one.number == dead.number; });
                if (is_known || dead.number > highest_)
                    slot(dead.number).was_there = is_newer(dead.xid, request_.xid);
            }
        }
        std::sort(slots_.begin(), slots_.end(),
                  [](const auto& a, const auto& b) { return a.number < b.number; });
    }

    [[nodiscard]] auto cost_without(const Slot& slot, std::size_t next) const -> std::uint32_t {
        if (is_certain(slot)) return impossible;
        // A new column that is not there yet: no later one is.
        if (slot.now != nullptr && slot.number > highest_)
            return next < request_.sent.size() ? impossible : 0;
        if (!slot.was_there) return 0;
        if (slot.known != nullptr) return missed;
        return next < request_.sent.size() ? missed_passing : 0;
    }

    auto fill() -> void {
        const auto columns = request_.sent.size();
        cells_[columns * width_ + slots_.size()].cost = 0;
        for (std::size_t j = slots_.size(); j-- > 0;) {
            const auto& slot = slots_[j];
            for (std::size_t i = 0; i <= columns; ++i) {
                const auto& without = cell(i, j + 1);
                auto best = Cell{without.cost + cost_without(slot, i), false, without.ambiguous,
                                 without.reading};
                if (i < columns) best = better(i, j, best);
                best.cost = std::min(best.cost, impossible);
                cells_[i * width_ + j] = best;
            }
        }
    }

    [[nodiscard]] auto with(std::size_t i, std::size_t j) const -> Cell {
        const auto& rest = cell(i + 1, j + 1);
        const auto place =
            is_passing(slots_[j]) ? 0U : static_cast<std::uint64_t>(slots_[j].number);
        constexpr std::uint64_t spread = 0x9E3779B97F4A7C15U;
        return {rest.cost + cost_of(request_.sent[i], slots_[j]), true, rest.ambiguous,
                (rest.reading ^ place) * spread + 1};
    }

    // Which one of several numbers that are gone makes no difference.
    [[nodiscard]] auto better(std::size_t i, std::size_t j, const Cell& without) const -> Cell {
        auto taken = with(i, j);
        if (taken.cost >= impossible || without.cost < taken.cost) return without;
        if (taken.cost == without.cost)
            taken.ambiguous =
                taken.ambiguous || without.ambiguous || taken.reading != without.reading;
        return taken;
    }

    const MatchRequest& request_;
    const std::int32_t highest_;
    std::vector<Slot> slots_;
    std::size_t width_ = 0;
    std::vector<Cell> cells_;
};

// Dropped and added again under its old name and type, the message looks as before, and whether it
// tells of before or after cannot be known where the order of the others allows both.
auto check_not_replaced(const MatchRequest& request, const std::vector<std::int32_t>& numbers)
    -> Result<void> {
    if (request.catalog == nullptr) return {};
    for (const auto& known : request.known.columns) {
        const auto* again = request.catalog->column(known.name);
        if (again == nullptr || again->number <= known.id ||
            request.catalog->column(known.id) != nullptr)
            continue;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const auto& sent = request.sent[i];
            if (sent.name != known.name || sent.type_oid != again->type_oid ||
                (!known.source_type.empty() && known.source_type != sent.source_type))
                continue;
            const bool may_be_known = i == 0 || numbers[i - 1] < known.id;
            const bool may_be_again = i + 1 == numbers.size() || numbers[i + 1] > again->number;
            if (may_be_known && may_be_again)
                return cannot_follow(request.known.name,
                                     "column " + again->name + " was dropped and added again");
        }
    }
    return {};
}

}  // namespace

auto cannot_follow(const TableName& table, const std::string& what) -> Error {
    return Error{Fault::retry,
                 "table " + to_string(table) + " changed in a way that cannot be followed: " + what,
                 "Wait: it is read anew, beside what the sinks hold of it.", "postgres schema",
                 Code::pg_schema_change};
}

auto match_columns(const MatchRequest& request) -> Result<std::vector<std::int32_t>> {
    const Alignment alignment(request);
    const auto& table = request.known.name;
    if (!alignment.is_possible())
        return cannot_follow(table, "its columns in the stream are not those of the catalog");
    auto numbers = alignment.numbers();
    TRY(check_not_replaced(request, numbers));
    if (!alignment.is_unique())
        return cannot_follow(table,
                             "columns were renamed, dropped and added before their rows were "
                             "read, so that which is which cannot be told");
    return numbers;
}

}  // namespace leat::postgres
