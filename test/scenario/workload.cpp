// Random transactions over a state that is kept in plain containers.
#include "scenario/workload.hpp"

#include <iterator>

namespace leat::scenario {

namespace {

using fixture::BatchFixture;
using fixture::unsent;

constexpr std::int64_t account_count = 10;
constexpr std::int64_t opening_balance = 100;

auto of_generation(const SchemaPtr& schema, Generation generation) -> SchemaPtr {
    auto copy = std::make_shared<TableSchema>(*schema);
    copy->generation = generation;
    return copy;
}

const auto accounts =
    fixture::keyed_table("accounts", {{"id", arrow::int64()}, {"balance", arrow::int64()}});
const auto notes = fixture::keyed_table(
    "notes", {{"id", arrow::int64()}, {"text", arrow::utf8()}, {"large", arrow::utf8()}});
const auto bag = fixture::full_row_table("bag", {{"text", arrow::utf8()}});
const auto events = fixture::append_only_table("events", {{"n", arrow::int64()}});

}  // namespace

Workload::Workload(std::uint64_t seed) : random_(seed) {
    for (std::int64_t id = 1; id <= account_count; ++id) accounts_[id] = opening_balance;
}

auto Workload::transaction(std::uint64_t commit) -> Changes {
    BatchFixture event(events, commit);
    event.insert({++transactions_});
    Changes changes = {event};
    BatchFixture out(accounts, commit);
    BatchFixture in(accounts, commit);
    // The two halves of a transfer stand in different batches, and perhaps in different frames.
    const auto from = static_cast<std::int64_t>(1 + roll(account_count));
    const auto to = 1 + from % account_count;
    const auto amount = static_cast<std::int64_t>(roll(50));
    out.update({from, accounts_[from] -= amount});
    in.update({to, accounts_[to] += amount});
    changes.push_back(out);
    BatchFixture note(notes, commit);
    for (auto left = 1 + roll(4); left > 0; --left) change_note(note);
    changes.push_back(note);
    BatchFixture loose(bag, commit);
    change_bag(loose);
    changes.push_back(loose);
    changes.push_back(in);
    std::uint64_t ordinal = 0;
    for (auto& rows : changes) {
        rows.first_ordinal(ordinal);
        ordinal += rows.size();
    }
    return changes;
}

auto Workload::change_note(BatchFixture& rows) -> void {
    const auto id = static_cast<std::int64_t>(roll(12));
    const auto target = static_cast<std::int64_t>(roll(12));
    const auto text = "text " + std::to_string(random_() % 1000);
    const auto found = notes_.find(id);
    if (found == notes_.end()) {
        notes_[id] = {text, std::string(20, static_cast<char>('a' + id))};
        rows.insert({id, text, notes_[id].second});
    } else if (roll(4) == 0) {
        notes_.erase(found);
        rows.remove({id});
    } else if (!notes_.contains(target)) {
        notes_[target] = {text, found->second.second};
        notes_.erase(found);
        rows.move({id}, {target, text, unsent});
    } else if (roll(2) == 0) {
        found->second.first = text;
        rows.update({id, text, unsent});
    } else {
        found->second = {text, "whole again"};
        rows.update({id, text, "whole again"});
    }
}

auto Workload::change_bag(BatchFixture& rows) -> void {
    const auto text = "row " + std::to_string(roll(3));
    if (bag_.empty() || roll(3) != 0) {
        bag_.push_back(text);
        rows.insert({text});
        return;
    }
    const auto at = static_cast<std::size_t>(roll(bag_.size()));
    if (roll(2) == 0) {
        rows.move({bag_[at]}, {text});
        bag_[at] = text;
    } else {
        rows.remove({bag_[at]});
        bag_.erase(bag_.begin() + static_cast<std::ptrdiff_t>(at));
    }
}

auto Workload::image(std::uint64_t point, Generation generation) const -> Changes {
    BatchFixture all_accounts(of_generation(accounts, generation), point);
    for (const auto& [id, balance] : accounts_) all_accounts.snapshot({id, balance});
    BatchFixture all_notes(of_generation(notes, generation), point);
    for (const auto& [id, note] : notes_) all_notes.snapshot({id, note.first, note.second});
    BatchFixture all_bag(of_generation(bag, generation), point);
    for (const auto& text : bag_) all_bag.snapshot({text});
    BatchFixture all_events(of_generation(events, generation), point);
    for (std::int64_t n = 1; n <= transactions_; ++n) all_events.snapshot({n});
    return {all_accounts, all_notes, all_bag, all_events};
}

auto Workload::tables() const -> Tables {
    Tables tables;
    for (const auto& rows : image(1, 1)) {
        const auto batch = rows.build();
        model::apply_naive(batch, tables[batch.schema->name.table]);
    }
    return tables;
}

auto Workload::invariant(const Tables& tables) -> std::string {
    std::int64_t sum = 0;
    for (const auto& [key, row] : tables.at("accounts").by_key) sum += std::stoll(row[1].substr(1));
    if (sum != account_count * opening_balance) return "sum of balances is " + std::to_string(sum);
    const auto& seen = tables.at("events").bag;
    for (const auto& [row, count] : seen)
        if (count != 1) return "event " + row[0] + " is there " + std::to_string(count) + " times";
    for (std::size_t n = 1; n <= seen.size(); ++n)
        if (!seen.contains({"=" + std::to_string(n)}))
            return "event " + std::to_string(n) + " is missing of " + std::to_string(seen.size());
    return "";
}

}  // namespace leat::scenario
