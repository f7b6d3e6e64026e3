// One function per trap; see nasty_rows.hpp. Keys are drawn from small ranges, so that each is met
// often; whether a row is there is not known, and no statement fails without it.
#include "simulate/nasty_rows.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace leat::simulate {

namespace {

enum TableNumber : std::size_t { rows, pairs, readings, odd_values, changing, emptied, bulk };

constexpr double ordinary_share = 0.4;
constexpr double columns_share = 0.02;  // of the others
constexpr double empty_share = 0.01;
constexpr double many_share = 0.005;
constexpr double savepoint_share = 0.25;  // of the operations in a transaction
constexpr double rolled_back_share = 0.08;
constexpr int columns_added_max = 500;  // a table may have 1600 in its life

constexpr std::array odd_doubles = {"NaN", "Infinity", "-Infinity", "-0", "0.1", "5e-324"};
constexpr std::array odd_numerics = {
    "NaN", "0", "-0.000", "1.50", "1e60", "1e-40", "-123456789012345678901234567890.5"};
constexpr std::array odd_stamps = {"infinity", "-infinity", "1969-12-31 23:59:59.999999+00",
                                   "0044-03-15 12:00:00+00 BC", "9999-12-31 23:59:59.999999+00"};
constexpr std::array odd_days = {"infinity", "-infinity", "0001-01-01 BC", "2024-02-29"};
constexpr std::array odd_texts = {"", " ", "NULL", "\\N", "it''s \"quoted\"", "naïve 漢字 🚰"};
// Type and default of columns that come and go, by their number.
constexpr std::array added = {"integer DEFAULT 7",
                              "text DEFAULT 'a default'",
                              "boolean NOT NULL DEFAULT true",
                              "numeric(10,2)",
                              "timestamptz DEFAULT '2020-01-01 00:00+00'",
                              "text[] DEFAULT '{a,NULL}'"};

// Names as in TableNumber, and how each is made.
constexpr std::array<std::pair<const char*, const char*>, 7> tables = {{
    {"nasty_rows",
     "CREATE TABLE public.nasty_rows (id bigint PRIMARY KEY, n int, note text, big text);"
     "ALTER TABLE public.nasty_rows ALTER big SET STORAGE EXTERNAL"},
    // A deferrable key names nobody, so the identity is full; keys are swapped in one statement.
    {"nasty_pairs",
     "CREATE TABLE public.nasty_pairs (id int PRIMARY KEY DEFERRABLE INITIALLY IMMEDIATE, "
     "value text, big text); ALTER TABLE public.nasty_pairs REPLICA IDENTITY FULL"},
    // No key at all, and the same row many times over.
    {"nasty_readings",
     "CREATE TABLE public.nasty_readings (sensor int, value float8, label text); "
     "ALTER TABLE public.nasty_readings REPLICA IDENTITY FULL"},
    {"nasty_values",
     "CREATE TABLE public.nasty_values (id int PRIMARY KEY, n numeric, x float8, y float4, "
     "at timestamptz, day date, tags text[], note text, doc jsonb, raw json, uid uuid, bytes "
     "bytea, "
     "t time, i interval, ip inet, r int4range, c char(5))"},
    {"nasty_changing",
     "CREATE TABLE public.nasty_changing (id int PRIMARY KEY, n int, day date, big text)"},
    {"nasty_emptied", "CREATE TABLE public.nasty_emptied (id int PRIMARY KEY, note text)"},
    {"nasty_bulk", "CREATE TABLE public.nasty_bulk (id int PRIMARY KEY, payload text, x float8)"},
}};

}  // namespace

auto nasty_tables() -> std::vector<Table> {
    std::vector<Table> made;
    for (const auto& [name, create] : tables) {
        made.emplace_back();
        made.back().name = name;
        made.back().create = create;
    }
    return made;
}

auto NastyRows::add(std::size_t table, Kind kind, std::string sql) -> void {
    Change change{kind, first_ + table, value(Null{}), {}};
    change.sql = std::move(sql);
    made_.push_back(std::move(change));
}

auto NastyRows::control(std::string sql) -> void {
    add(rows, Kind::control, std::move(sql));
}

auto NastyRows::next(std::int64_t limit) -> Transaction {
    if (random_.chance(ordinary_share)) return ordinary_.next(limit);
    made_.clear();
    const auto drawn = random_.share();
    if (drawn < columns_share) {
        change_columns();
    } else if (drawn < columns_share + empty_share) {
        empty_table();
    } else if (drawn < columns_share + empty_share + many_share) {
        change_many();
    } else {
        for (auto left = random_.between(1, 6); left > 0; --left) {
            if (random_.chance(savepoint_share)) in_savepoint();
            else any();
        }
    }
    const auto ending = random_.chance(rolled_back_share) ? Ending::roll_back : Ending::commit;
    return {std::move(made_), ending};
}

// Kept or rolled back; what is rolled back may be done again at once.
auto NastyRows::in_savepoint() -> void {
    control("SAVEPOINT s");
    const auto begin = made_.size();
    any();
    if (random_.chance(0.5)) {
        for (auto i = begin; i < made_.size(); ++i) made_[i].kept = false;
        control("ROLLBACK TO s");
        if (random_.chance(0.5)) any();
    } else if (random_.chance(0.5)) {
        control("RELEASE s");
    }
}

auto NastyRows::any() -> void {
    const auto drawn = random_.below(100);
    if (drawn < 30) change_rows();
    else if (drawn < 50) move_keys();
    else if (drawn < 65) change_pairs();
    else if (drawn < 85) change_readings();
    else change_values();
}

auto NastyRows::big_text() -> std::string {
    constexpr std::int64_t bytes_max = 20'000;
    if (random_.chance(0.5)) return "NULL";
    return "'" + random_.hex(static_cast<std::size_t>(random_.below(bytes_max))) + "'";
}

// Values out of line that most changes leave alone, so that they are not sent.
auto NastyRows::change_rows() -> void {
    const auto key = random_.between(1, 500);
    const auto insert = [&] {
        add(rows, Kind::insert,
            fmt::format("INSERT INTO public.nasty_rows VALUES ({}, {}, '{}', {}) "
                        "ON CONFLICT DO NOTHING",
                        key, random_.below(100), random_.pick(odd_texts), big_text()));
    };
    const auto remove = [&] {
        add(rows, Kind::remove, fmt::format("DELETE FROM public.nasty_rows WHERE id = {}", key));
    };
    switch (random_.below(6)) {
        case 0:
        case 1: insert(); break;
        case 2:
            add(rows, Kind::update,
                fmt::format("UPDATE public.nasty_rows SET n = n + 1 WHERE id = {}", key));
            break;
        case 3:
            add(rows, Kind::update,
                fmt::format("UPDATE public.nasty_rows SET note = '{}' WHERE id <= {}",
                            random_.pick(odd_texts), random_.between(1, 20)));
            break;
        case 4:
            for (auto left = random_.between(1, 3); left > 0; --left) {
                remove();
                insert();
            }
            break;
        default: remove();
    }
}

// A new key, two keys that change places, and a chain of them.
auto NastyRows::move_keys() -> void {
    const auto a = random_.between(1, 400);
    const auto b = a + random_.between(1, 50);
    const auto move = [&](std::int64_t from, std::int64_t to) {
        add(rows, Kind::rekey,
            fmt::format("UPDATE public.nasty_rows SET id = {1} WHERE id = {0} AND NOT EXISTS "
                        "(SELECT FROM public.nasty_rows WHERE id = {1})",
                        from, to));
    };
    switch (random_.below(3)) {
        case 0: move(a, b); break;
        case 1:
            move(a, -1);
            move(b, a);
            if (random_.chance(0.5))
                add(rows, Kind::update,
                    fmt::format("UPDATE public.nasty_rows SET n = -n WHERE id = {}", a));
            move(-1, b);
            break;
        default:
            add(rows, Kind::remove, fmt::format("DELETE FROM public.nasty_rows WHERE id = {}", b));
            for (auto key = b - 1; key >= std::max(a, b - 5); --key) move(key, key + 1);
    }
}

auto NastyRows::change_pairs() -> void {
    const auto a = random_.between(1, 200);
    const auto b = a + random_.between(1, 20);
    switch (random_.below(4)) {
        case 0:
            add(pairs, Kind::rekey,
                fmt::format(
                    "UPDATE public.nasty_pairs SET id = CASE id WHEN {0} THEN {1} ELSE {0} END "
                    "WHERE id IN ({0}, {1})",
                    a, b));
            break;
        case 1:
            add(pairs, Kind::rekey,
                fmt::format("UPDATE public.nasty_pairs SET id = CASE WHEN id >= {1} THEN {0} "
                            "ELSE id + 1 END WHERE id BETWEEN {0} AND {1}",
                            a, b));
            break;
        case 2:
            add(pairs, Kind::remove,
                fmt::format("DELETE FROM public.nasty_pairs WHERE id = {}", a));
            break;
        default:
            add(pairs, Kind::insert,
                fmt::format(
                    "INSERT INTO public.nasty_pairs SELECT {0}, '{1}', {2} WHERE NOT EXISTS "
                    "(SELECT FROM public.nasty_pairs WHERE id = {0})",
                    a, random_.hex(4), big_text()));
    }
}

// One of several equal rows goes, changes, or changes to what it was.
auto NastyRows::change_readings() -> void {
    const auto sensor = random_.below(5);
    const auto some = fmt::format(
        "WHERE ctid = ANY (ARRAY(SELECT ctid FROM public.nasty_readings WHERE sensor = {} "
        "ORDER BY value, label LIMIT {}))",
        sensor, random_.between(1, 4));
    switch (random_.below(4)) {
        case 0: add(readings, Kind::remove, "DELETE FROM public.nasty_readings " + some); break;
        case 1:
            add(readings, Kind::update,
                fmt::format("UPDATE public.nasty_readings SET value = '{}' {}",
                            random_.pick(odd_doubles), some));
            break;
        case 2:
            add(readings, Kind::update, "UPDATE public.nasty_readings SET sensor = sensor " + some);
            break;
        default:
            add(readings, Kind::insert,
                fmt::format("INSERT INTO public.nasty_readings SELECT {}, '{}', {} "
                            "FROM generate_series(1, {})",
                            sensor, random_.pick(odd_doubles),
                            random_.chance(0.5) ? "NULL" : "'label'", random_.between(1, 5)));
    }
}

auto NastyRows::change_values() -> void {
    const auto key = random_.between(1, 200);
    const auto maybe = [&](const std::string& literal) {
        return random_.chance(0.2) ? std::string("NULL") : "'" + literal + "'";
    };
    if (random_.chance(0.2)) {
        add(odd_values, Kind::remove,
            fmt::format("DELETE FROM public.nasty_values WHERE id = {}", key));
        return;
    }
    add(odd_values, Kind::replace,
        fmt::format(
            "INSERT INTO public.nasty_values VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, "
            "{}, "
            "{}, {}, {}, {}, {}) ON CONFLICT (id) DO UPDATE SET n = excluded.n, x = excluded.x, "
            "at = excluded.at, note = excluded.note, doc = excluded.doc, tags = excluded.tags",
            key, maybe(random_.pick(odd_numerics)), maybe(random_.pick(odd_doubles)),
            maybe(random_.chance(0.5) ? "NaN" : "3.4028235e38"), maybe(random_.pick(odd_stamps)),
            maybe(random_.pick(odd_days)), maybe("{a,NULL,\"\",\"NULL\"}"),
            maybe(random_.pick(odd_texts)), maybe(R"({"k": 1, "é": [1.50]})"),
            maybe(R"({"b" :  [1, 2.50],"b":null})"), maybe(random_.hex(32)),
            maybe("\\x00ff" + random_.hex(8)), maybe("23:59:59.999999"),
            maybe("-1 year 2 mons 3 days 04:05:06.7"), maybe("10.1.2.3/8"), maybe("[1,5)"),
            maybe("ab")));
}

// Columns come and go, and change their type, between rows.
auto NastyRows::change_columns() -> void {
    const auto touch = [&] {
        const auto key = random_.between(1, 100);
        add(changing, Kind::replace,
            fmt::format("INSERT INTO public.nasty_changing (id, n, day, big) VALUES ({}, {}, "
                        "'2026-01-01', {}) ON CONFLICT (id) DO UPDATE SET n = excluded.n",
                        key, random_.below(1000), big_text()));
    };
    touch();
    const auto column = random_.below(static_cast<std::int64_t>(added.size()));
    const auto* const table = "ALTER TABLE public.nasty_changing ";
    if (random_.chance(0.1)) {
        add(changing, Kind::alter,
            fmt::format("{}ALTER day TYPE {}", table, random_.chance(0.5) ? "date" : "timestamp"));
    } else if (random_.chance(0.5) && columns_added_ < columns_added_max) {
        ++columns_added_;
        add(changing, Kind::alter,
            fmt::format("{}ADD COLUMN IF NOT EXISTS x{} {}", table, column,
                        added.at(static_cast<std::size_t>(column))));
    } else {
        add(changing, Kind::alter, fmt::format("{}DROP COLUMN IF EXISTS x{}", table, column));
    }
    touch();
}

// With rows before and after in the same transaction.
auto NastyRows::empty_table() -> void {
    const auto fill = [&] {
        const auto first = random_.between(1, 100);
        add(emptied, Kind::insert,
            fmt::format("INSERT INTO public.nasty_emptied SELECT i, 'note ' || i "
                        "FROM generate_series({}, {}) i ON CONFLICT DO NOTHING",
                        first, first + random_.between(1, 50)));
    };
    if (random_.chance(0.5)) fill();
    add(emptied, Kind::truncate,
        random_.chance(0.3) ? "TRUNCATE public.nasty_emptied, public.nasty_pairs"
                            : "TRUNCATE public.nasty_emptied");
    if (random_.chance(0.7)) fill();
}

// Tens of thousands of rows, which the server streams before it is known whether they stay.
auto NastyRows::change_many() -> void {
    const auto first = random_.between(1, 50'000);
    const auto last = first + random_.between(2'000, 20'000);
    const auto range = fmt::format(" WHERE id BETWEEN {} AND {}", first, last);
    switch (random_.below(4)) {
        case 0: add(bulk, Kind::remove, "DELETE FROM public.nasty_bulk" + range); break;
        case 1:
            add(bulk, Kind::update,
                "UPDATE public.nasty_bulk SET payload = payload || 'u', x = 'NaN'" + range);
            break;
        default:
            add(bulk, Kind::insert,
                fmt::format("INSERT INTO public.nasty_bulk SELECT i, md5(i::text), i / 3.0 "
                            "FROM generate_series({}, {}) i ON CONFLICT DO NOTHING",
                            first, last));
    }
}

}  // namespace leat::simulate
