// Changes of whole tables: of their columns, all their rows, their identity; see
// nasty_statements.hpp.
#include <fmt/core.h>

#include <array>

#include "simulate/nasty_statements.hpp"
#include "simulate/writer.hpp"

namespace leat::simulate {

namespace {

using enum NastyTable;

constexpr int columns_max = 6;       // that are there at a time
constexpr int attributes_max = 900;  // a table may have 1600 in its life, dropped ones included

struct Changing {
    NastyTable table;
    const char* name;
    const char* key;
    const char* touch;  // an update of some row
};
constexpr std::array changing_tables = {
    Changing{changing, "public.nasty_changing", "id",
             "UPDATE public.nasty_changing SET n = n + 1 WHERE id % 10 = 3"},
    Changing{rows, "public.nasty_rows", "id",
             "UPDATE public.nasty_rows SET n = n + 1 WHERE id <= 20"},
    Changing{people, "public.nasty_people", "name",
             "UPDATE public.nasty_people SET email = 'new' WHERE name LIKE 'näme 1%'"},
    Changing{pairs, "public.nasty_pairs", "id",
             "UPDATE public.nasty_pairs SET value = 'new' WHERE id <= 20"},
    Changing{readings, "public.nasty_readings", "nasty_readings::text",
             "INSERT INTO public.nasty_readings (sensor, label) VALUES (7, 'new')"},
    Changing{NastyTable::events, "nasty.nasty_events", "day, kind",
             "UPDATE nasty.nasty_events SET count = 7 WHERE day = 3"},
};

struct ColumnKind {
    const char* type;
    const char* first;   // a constant, for defaults
    const char* second;  // another value
};
constexpr std::array column_kinds = {
    ColumnKind{"integer", "7", "-5"},
    ColumnKind{"text", "'it''s a default'", "repeat('x', 5000)"},
    ColumnKind{"boolean", "true", "false"},
    ColumnKind{"numeric(10,2)", "1.50", "-3.25"},
    ColumnKind{"timestamp with time zone", "'2020-01-01 00:00+00'", "'infinity'"},
    ColumnKind{"double precision", "'NaN'", "'-0'"},
    ColumnKind{"text[]", "'{a,NULL}'", "'{}'"},
    ColumnKind{"uuid", "'f47ac10b-58cc-4372-a567-0e02b2c3d479'",
               "'00000000-0000-0000-0000-000000000000'"},
};

// Who waits long for a table makes all others wait.
auto wait_briefly(NastyStatements& to) -> void {
    to.control("SET LOCAL lock_timeout = '300ms'");
}

auto touch(NastyStatements& to, const Changing& what) -> void {
    to.add(what.table, what.table == readings ? Kind::insert : Kind::update, what.touch);
}

// Statements that need to know which columns were added. `body` finds one of them in `one`, a
// record of name and type, and how many there are in `count`.
auto with_added_column(NastyStatements& to, const char* table, const std::string& body)
    -> std::string {
    return fmt::format(
        "DO $do$ DECLARE one record; count int := (SELECT count(*) FROM pg_attribute WHERE "
        "attrelid = '{0}'::regclass AND NOT attisdropped AND attname LIKE 'x%\\_%'); "
        "BEGIN SELECT attname AS name, format_type(atttypid, atttypmod) AS type INTO one "
        "FROM pg_attribute WHERE attrelid = '{0}'::regclass AND NOT attisdropped AND attname LIKE "
        "'x%\\_%' ORDER BY attname OFFSET {1} % greatest(count, 1) LIMIT 1; {2} END $do$",
        table, to.random.below(1'000), body);
}

auto drop_column(NastyStatements& to, const Changing& from, int at_least) -> void {
    to.add(from.table, Kind::alter,
           with_added_column(to, from.name,
                             fmt::format("IF count >= {1} THEN EXECUTE format('ALTER TABLE {0} "
                                         "DROP COLUMN %I', one.name); END IF;",
                                         from.name, at_least)));
}

// A name is never used twice, so that every column can be told from those before it.
auto new_name(NastyStatements& to) -> std::string {
    return fmt::format("x{}_{}", to.writer, to.random.below(1'000'000'000));
}

auto add_column(NastyStatements& to, const Changing& into, const std::string& column) -> void {
    to.add(into.table, Kind::alter,
           fmt::format("DO $do$ BEGIN IF (SELECT max(attnum) FROM pg_attribute WHERE attrelid = "
                       "'{0}'::regclass) < {1} THEN ALTER TABLE {0} ADD COLUMN {2} {3}; END IF; "
                       "END $do$",
                       into.name, attributes_max, new_name(to), column));
}

}  // namespace

// Columns come, empty or with a default, and go, between rows.
auto change_columns(NastyStatements& to) -> void {
    const auto& table = to.random.pick(changing_tables);
    wait_briefly(to);
    if (to.random.chance(0.6)) touch(to, table);
    const bool adds = to.random.chance(0.6);
    drop_column(to, table, adds ? columns_max : 1);
    if (to.random.chance(0.5)) touch(to, table);
    if (adds) {
        const auto& kind = to.random.pick(column_kinds);
        constexpr std::array clauses = {"", " DEFAULT {}", " NOT NULL DEFAULT {}"};
        add_column(to, table,
                   kind.type + fmt::format(fmt::runtime(to.random.pick(clauses)), kind.first));
    }
    if (to.random.chance(0.8)) touch(to, table);
}

auto set_added_column(NastyStatements& to) -> void {
    const auto& table = to.random.pick(changing_tables);
    std::string value = "CASE one.type";
    for (const auto& kind : column_kinds)
        value += fmt::format(" WHEN '{}' THEN $v${}$v$", kind.type,
                             to.random.chance(0.5) ? kind.first : kind.second);
    value += " END";
    to.add(table.table, Kind::update,
           with_added_column(
               to, table.name,
               fmt::format("IF count > 0 THEN EXECUTE format('UPDATE {0} SET %I = (%s)::%s WHERE "
                           "ctid = ANY (ARRAY(SELECT ctid FROM {0} ORDER BY {1} LIMIT {2}))', "
                           "one.name, {3}, one.type); END IF;",
                           table.name, table.key, to.random.between(1, 5), value)));
}

// What the stream does not tell: the table must be read anew.
auto remake_table(NastyStatements& to) -> void {
    wait_briefly(to);
    switch (to.random.below(3)) {
        case 0:  // between two types of which none holds all values of the other
            to.add(changing, Kind::alter,
                   fmt::format("ALTER TABLE public.nasty_changing ALTER day TYPE {}",
                               to.random.chance(0.5) ? "date" : "timestamp"));
            break;
        case 1:  // a default that no row of the catalog holds
            add_column(to, changing_tables[to.random.chance(0.5) ? 0 : 3],
                       "double precision DEFAULT 7 + floor(random())");
            break;
        default:  // another table under its name
            to.control(
                "CREATE TABLE public.nasty_people_new (LIKE public.nasty_people "
                "INCLUDING ALL)");
            to.control(
                "INSERT INTO public.nasty_people_new SELECT * FROM public.nasty_people "
                "WHERE length(name) % 2 = 0");
            to.control(fmt::format("COMMENT ON TABLE public.nasty_people_new IS '{}'", mark));
            to.add(people, Kind::drop, "DROP TABLE public.nasty_people");
            to.add(people, Kind::rename,
                   "ALTER TABLE public.nasty_people_new RENAME TO nasty_people");
    }
    if (to.random.chance(0.8)) touch(to, to.random.pick(changing_tables));
}

// One table or several, with rows before and after in the same transaction.
auto empty_tables(NastyStatements& to) -> void {
    constexpr std::array<std::pair<NastyTable, const char*>, 9> all = {
        {{emptied, "public.nasty_emptied"},
         {pairs, "public.nasty_pairs"},
         {readings, "public.nasty_readings"},
         {people, "public.nasty_people"},
         {parts, "public.nasty_parts"},
         {NastyTable::events, "nasty.nasty_events"},
         {days, "public.nasty_days"},
         {tasks, "public.nasty_tasks"},
         {bulk, "public.nasty_bulk"}}};
    const auto first = static_cast<std::size_t>(to.random.below(all.size()));
    const auto count =
        to.random.chance(0.5) ? 1 : static_cast<std::size_t>(to.random.between(2, 3));
    wait_briefly(to);
    if (to.random.chance(0.5))
        to.add(all.at(first).first, Kind::insert, fill_statement(all.at(first).first));
    std::string names;
    for (std::size_t i = 0; i < count; ++i)
        names += std::string(i == 0 ? "" : ", ") + all.at((first + i) % all.size()).second;
    to.add(all.at(first).first, Kind::truncate,
           "TRUNCATE " + names + (to.random.chance(0.5) ? " RESTART IDENTITY" : ""));
    for (std::size_t i = 0; i < count; ++i) {
        const auto table = all.at((first + i) % all.size()).first;
        if (to.random.chance(0.7)) to.add(table, Kind::insert, fill_statement(table));
    }
}

// Tens of thousands of rows, which the server streams before it is known whether they stay.
auto change_many(NastyStatements& to) -> void {
    const auto first = to.random.between(1, 50'000);
    const auto last = first + to.random.between(2'000, 20'000);
    const auto range = fmt::format(" WHERE id BETWEEN {} AND {}", first, last);
    const auto insert = [&](std::int64_t end, const char* payload) {
        to.add(bulk, Kind::insert,
               fmt::format("INSERT INTO public.nasty_bulk SELECT i, {}, i / 3.0 "
                           "FROM generate_series({}, {}) i ON CONFLICT DO NOTHING",
                           payload, first, end));
    };
    // Larger than many frames, in rows and in bytes.
    if (to.random.chance(0.3)) insert(first + 5'000, "repeat(md5(i::text), 15)");
    switch (to.random.below(4)) {
        case 0: to.add(bulk, Kind::remove, "DELETE FROM public.nasty_bulk" + range); break;
        case 1:
            to.add(bulk, Kind::update,
                   "UPDATE public.nasty_bulk SET payload = payload || 'u', x = 'NaN'" + range);
            break;
        default: insert(last, "md5(i::text)");
    }
}

auto fill_table(NastyStatements& to) -> void {
    constexpr std::array all = {rows,   pairs, readings,           changing, emptied, bulk,
                                people, parts, NastyTable::events, days,     tasks};
    const auto table = to.random.pick(all);
    to.add(table, Kind::insert, fill_statement(table));
}

}  // namespace leat::simulate
