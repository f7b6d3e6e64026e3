// pgoutput messages: hand-built frames of every kind, each cut at every byte, and round trips.
#include "format/pgoutput/message.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "format/pgoutput/wire_time.hpp"
#include "format/wire_bytes_test.hpp"

namespace leat::pgoutput {
namespace {

constexpr std::int64_t time_us = 1'700'000'000'123'456;

auto begin() -> std::string {
    return WireBytes{}
        .big('B')
        .big(0x1122334455667788ULL)
        .big(to_wire_time(time_us))
        .big(742U)
        .bytes;
}

auto tuple(WireBytes& out) -> WireBytes& {
    return out.big(std::uint16_t{4})
        .big('n')
        .big('u')
        .big('t')
        .sized("42")
        .big('b')
        .sized(std::string_view("\0\1", 2));
}

auto xid_prefix(char kind, bool in_stream) -> WireBytes {
    WireBytes out;
    out.big(kind);
    if (in_stream) out.big(900U);
    return out;
}

auto relation(bool in_stream) -> std::string {
    auto out = xid_prefix('R', in_stream);
    out.big(16384U).c_string("public").c_string("orders").big('i').big(std::uint16_t{2});
    out.big('\1').c_string("id").big(20U).big(-1);
    return out.big('\0').c_string("amount").big(1700U).big(786438).bytes;
}

auto insert(bool in_stream) -> std::string {
    auto out = xid_prefix('I', in_stream);
    return tuple(out.big(16384U).big('N')).bytes;
}

auto update(char old, bool in_stream) -> std::string {
    auto out = xid_prefix('U', in_stream);
    out.big(16384U);
    if (old != 0) tuple(out.big(old));
    return tuple(out.big('N')).bytes;
}

auto removal(char old, bool in_stream) -> std::string {
    auto out = xid_prefix('D', in_stream);
    return tuple(out.big(16384U).big(old)).bytes;
}

auto truncate(bool in_stream) -> std::string {
    auto out = xid_prefix('T', in_stream);
    return out.big(2U).big('\3').big(16384U).big(16390U).bytes;
}

auto logical_message(bool in_stream) -> std::string {
    auto out = xid_prefix('M', in_stream);
    return out.big('\1').big(77ULL).c_string("hb").sized("{}").bytes;
}

auto type(bool in_stream) -> std::string {
    return xid_prefix('Y', in_stream).big(16500U).c_string("public").c_string("mood").bytes;
}

auto commit(char kind) -> std::string {
    WireBytes out;
    out.big(kind);
    if (kind == 'c') out.big(900U);
    return out.big('\0').big(70ULL).big(80ULL).big(to_wire_time(time_us)).bytes;
}

auto origin() -> std::string {
    return WireBytes{}.big('O').big(5ULL).c_string("other").bytes;
}
auto stream_start() -> std::string {
    return WireBytes{}.big('S').big(900U).big('\1').bytes;
}
auto stream_abort(bool version_4) -> std::string {
    WireBytes out;
    out.big('A').big(900U).big(901U);
    if (version_4) out.big(99ULL).big(to_wire_time(time_us));
    return out.bytes;
}

template <class Kind>
auto decoded(std::string_view bytes, bool in_stream = false) -> Kind {
    auto message = decode(bytes, in_stream);
    if (!message) {
        ADD_FAILURE() << message.error().what;
        return {};
    }
    const auto* kind = std::get_if<Kind>(&*message);
    if (kind == nullptr) ADD_FAILURE() << "another kind";
    return kind == nullptr ? Kind{} : *kind;
}

auto expect_tuple(const TupleView& tuple) -> void {
    std::vector<Value> values;
    for (const auto& value : tuple) values.push_back(value);
    ASSERT_EQ(values.size(), 4U);
    EXPECT_EQ(values[0].kind, ValueKind::null);
    EXPECT_EQ(values[1].kind, ValueKind::unchanged);
    EXPECT_EQ(values[2].kind, ValueKind::text);
    EXPECT_EQ(values[2].bytes, "42");
    EXPECT_EQ(values[3].kind, ValueKind::binary);
    EXPECT_EQ(values[3].bytes, std::string_view("\0\1", 2));
}

TEST(Pgoutput, transaction_frame) {
    const auto bytes = begin();
    const auto opened = decoded<Begin>(bytes);
    EXPECT_EQ(opened.final_lsn.value, 0x1122334455667788ULL);
    EXPECT_EQ(opened.commit_time_us, time_us);
    EXPECT_EQ(opened.xid, 742U);
    const auto closing = commit('C');
    const auto closed = decoded<Commit>(closing);
    EXPECT_EQ(closed.commit_lsn.value, 70U);
    EXPECT_EQ(closed.end_lsn.value, 80U);
    EXPECT_EQ(closed.commit_time_us, time_us);
    const auto from = origin();
    EXPECT_EQ(decoded<Origin>(from).name, "other");
    EXPECT_EQ(decoded<Origin>(from).origin_lsn.value, 5U);
}

TEST(Pgoutput, relation_and_type) {
    for (const bool in_stream : {false, true}) {
        const auto bytes = relation(in_stream);
        const auto table = decoded<Relation>(bytes, in_stream);
        EXPECT_EQ(table.xid, in_stream ? 900U : 0U);
        EXPECT_EQ(table.oid, 16384U);
        EXPECT_EQ(table.schema, "public");
        EXPECT_EQ(table.table, "orders");
        EXPECT_EQ(table.identity, ReplicaIdentity::index);
        std::vector<RelationColumn> columns;
        for (const auto& column : table.columns) columns.push_back(column);
        ASSERT_EQ(columns.size(), 2U);
        EXPECT_TRUE(columns[0].key);
        EXPECT_EQ(columns[0].name, "id");
        EXPECT_EQ(columns[0].typmod, -1);
        EXPECT_FALSE(columns[1].key);
        EXPECT_EQ(columns[1].type_oid, 1700U);
        EXPECT_EQ(columns[1].typmod, 786438);
        const auto named = type(in_stream);
        EXPECT_EQ(decoded<Type>(named, in_stream).name, "mood");
        EXPECT_EQ(decoded<Type>(named, in_stream).oid, 16500U);
    }
}

TEST(Pgoutput, rows) {
    for (const bool in_stream : {false, true}) {
        const auto inserted = insert(in_stream);
        EXPECT_EQ(decoded<Insert>(inserted, in_stream).xid, in_stream ? 900U : 0U);
        EXPECT_EQ(decoded<Insert>(inserted, in_stream).oid, 16384U);
        expect_tuple(decoded<Insert>(inserted, in_stream).after);
        for (const char old : {'\0', 'K', 'O'}) {
            const auto bytes = update(old, in_stream);
            const auto updated = decoded<Update>(bytes, in_stream);
            EXPECT_EQ(static_cast<char>(updated.old_kind), old);
            expect_tuple(updated.after);
            if (old != 0) expect_tuple(updated.before);
            else EXPECT_EQ(updated.before.size(), 0U);
        }
        for (const char old : {'K', 'O'}) {
            const auto bytes = removal(old, in_stream);
            EXPECT_EQ(static_cast<char>(decoded<Delete>(bytes, in_stream).old_kind), old);
            expect_tuple(decoded<Delete>(bytes, in_stream).before);
        }
    }
}

TEST(Pgoutput, truncate_and_message) {
    const auto bytes = truncate(false);
    const auto emptied = decoded<Truncate>(bytes);
    EXPECT_TRUE(emptied.cascade && emptied.restart_identity);
    ASSERT_EQ(emptied.count, 2U);
    EXPECT_EQ(emptied.oid(0), 16384U);
    EXPECT_EQ(emptied.oid(1), 16390U);
    const auto heartbeat = logical_message(true);
    const auto message = decoded<LogicalMessage>(heartbeat, true);
    EXPECT_TRUE(message.transactional);
    EXPECT_EQ(message.xid, 900U);
    EXPECT_EQ(message.lsn.value, 77U);
    EXPECT_EQ(message.prefix, "hb");
    EXPECT_EQ(message.content, "{}");
}

TEST(Pgoutput, streams) {
    const auto start = stream_start();
    EXPECT_TRUE(decoded<StreamStart>(start).first);
    EXPECT_EQ(decoded<StreamStart>(start).xid, 900U);
    decoded<StreamStop>("E", true);
    const auto done = commit('c');
    EXPECT_EQ(decoded<StreamCommit>(done).xid, 900U);
    EXPECT_EQ(decoded<StreamCommit>(done).end_lsn.value, 80U);
    const auto old_abort = stream_abort(false);
    EXPECT_EQ(decoded<StreamAbort>(old_abort).subxid, 901U);
    EXPECT_FALSE(decoded<StreamAbort>(old_abort).abort_lsn);
    const auto new_abort = stream_abort(true);
    EXPECT_EQ(decoded<StreamAbort>(new_abort).abort_lsn, Lsn{99});
    EXPECT_EQ(decoded<StreamAbort>(new_abort).abort_time_us, time_us);
}

auto all_messages(bool in_stream) -> std::vector<std::string> {
    return {begin(),
            commit('C'),
            commit('c'),
            origin(),
            relation(in_stream),
            type(in_stream),
            insert(in_stream),
            update('\0', in_stream),
            update('K', in_stream),
            update('O', in_stream),
            removal('K', in_stream),
            truncate(in_stream),
            logical_message(in_stream),
            stream_start(),
            stream_abort(false),
            stream_abort(true),
            "E"};
}

TEST(Pgoutput, cut_anywhere_or_overlong_is_an_error) {
    for (const bool in_stream : {false, true}) {
        for (const auto& bytes : all_messages(in_stream)) {
            EXPECT_TRUE(decode(bytes, in_stream)) << bytes[0];
            EXPECT_FALSE(decode(bytes + '\0', in_stream)) << bytes[0];
            for (std::size_t size = 0; size < bytes.size(); ++size) {
                // The first nine bytes of a version 4 abort are an abort of version 2.
                if (bytes[0] == 'A' && size == 9) continue;
                EXPECT_FALSE(decode(bytes.substr(0, size), in_stream)) << bytes[0] << size;
            }
        }
    }
}

TEST(Pgoutput, what_is_refused) {
    for (const auto* bytes : {"b", "P", "K", "r", "p"}) {
        const auto message = decode(bytes, false);
        ASSERT_FALSE(message);
        EXPECT_NE(message.error().what.find("two-phase"), std::string::npos);
    }
    EXPECT_FALSE(decode("Z", false));
    auto wrong_identity = relation(false);
    wrong_identity[wrong_identity.find("orders") + 7] = 'x';
    EXPECT_FALSE(decode(wrong_identity, false));
    auto wrong_value = insert(false);
    wrong_value[8] = 'z';  // kind of the first value
    EXPECT_FALSE(decode(wrong_value, false));
}

RC_GTEST_PROP(Pgoutput, tuples_come_back,
              (const std::vector<std::pair<int, std::string>>& values)) {
    constexpr std::string_view kinds = "nutb";
    WireBytes out;
    out.big('I').big(1U).big('N').big(static_cast<std::uint16_t>(values.size()));
    for (const auto& [kind, bytes] : values) {
        const char letter = kinds[static_cast<std::size_t>(kind & 3)];
        out.big(letter);
        if (letter == 't' || letter == 'b') out.sized(bytes);
    }
    const auto message = decode(out.bytes, false);
    RC_ASSERT(message.has_value());
    std::size_t i = 0;
    for (const auto& value : std::get<Insert>(*message).after) {
        const char letter = kinds[static_cast<std::size_t>(values.at(i).first & 3)];
        RC_ASSERT(static_cast<char>(value.kind) == letter);
        const bool has_bytes = letter == 't' || letter == 'b';
        RC_ASSERT(value.bytes == (has_bytes ? values[i].second : std::string()));
        ++i;
    }
    RC_ASSERT(i == values.size());
}

}  // namespace
}  // namespace leat::pgoutput
