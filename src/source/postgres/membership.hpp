// Membership: by which rows of the catalog the tables are published, of which partitions they are
// made, and from where on the server keeps its log for the slot. The stream does not tell when that
// changes, nor what is not sent then; rows of the catalog do, by their numbers and versions, also
// when everything is put back as it was.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "change/schema.hpp"
#include "source/postgres/client.hpp"

namespace leat::postgres {

// A partition without partitions of its own.
struct Leaf {
    std::string edges;          // versions of the rows that join it to the captured table
    std::uint32_t xid = 0;      // that wrote the youngest of them
    std::uint32_t command = 0;  // within that transaction
    char replica_identity = 'd';

    friend auto operator==(const Leaf&, const Leaf&) -> bool = default;
};

struct TableMembership {
    std::uint32_t oid = 0;
    std::set<std::string> publishers;  // rows that each publish it
    std::map<std::uint32_t, Leaf> leaves;

    friend auto operator==(const TableMembership&, const TableMembership&) -> bool = default;
};

// How far the server had moved the start of the slot, which it writes to disk whenever it moves:
// within a timeline it goes back only if the server does, also where the log has grown past our
// position again. A crash in the instant between the move and the write would look like it too.
struct SlotMark {
    std::string token;  // of the slot's identity
    Lsn restart{};      // zero: there is no slot yet

    friend auto operator==(const SlotMark&, const SlotMark&) -> bool = default;
};

struct Membership {
    SlotMark slot;
    std::string publication;  // number and version of its row; empty: there is none
    std::map<TableName, TableMembership> tables;

    friend auto operator==(const Membership&, const Membership&) -> bool = default;
};

struct MembershipRequest {
    std::string slot;
    std::string token;  // of the slot's identity
    std::string publication;
    std::vector<std::uint32_t> tables;
};

// Fault::retry when the server does not answer.
auto load_membership(Connection& sql, const MembershipRequest& request, const std::stop_token& stop)
    -> Result<Membership>;

// As an earlier call has written it; nothing if none has.
auto read_membership(const std::filesystem::path& file) -> Result<std::optional<Membership>>;
auto write_membership(const std::filesystem::path& file, const Membership& membership)
    -> Result<void>;

// An error (cannot_follow) where what has changed means that changes of the table were missed.
// Partitions that came empty, or were made as partitions, are none of it.
struct TableComparison {
    const TableName& table;
    const TableMembership& was;
    const TableMembership& now;
};
auto check_membership(Connection& sql, const TableComparison& compared) -> Result<void>;
// Fatal (a gap): of all tables.
auto check_slot_mark(const SlotMark& was, const SlotMark& now) -> Result<void>;
auto check_publication(const Membership& was, const Membership& now) -> Result<void>;

}  // namespace leat::postgres
