// Changes of rows, one function per trap; see nasty_statements.hpp.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "simulate/nasty_statements.hpp"

namespace leat::simulate {

namespace {

using enum NastyTable;

// Zero is always -0: where a column holds both, DuckDB's own compression keeps one of them only.
constexpr std::array odd_doubles = {
    "NaN", "Infinity", "-Infinity", "-0", "0.1", "5e-324", "1.7976931348623157e308"};
constexpr std::array odd_floats = {"NaN", "-Infinity", "-0", "0.1", "1e-45", "3.4028235e38"};
constexpr std::array odd_numerics = {
    "NaN", "0", "-0.000", "1.50", "1e60", "1e-40", "-123456789012345678901234567890.5"};
constexpr std::array odd_stamps = {"infinity", "-infinity", "1969-12-31 23:59:59.999999+00",
                                   "0044-03-15 12:00:00+00 BC", "9999-12-31 23:59:59.999999+00"};
constexpr std::array odd_days = {"infinity", "-infinity", "0001-01-01 BC", "2024-02-29"};
constexpr std::array odd_texts = {
    "", " ", "NULL", "~", "\\N", "it''s \"quoted\"", "tab\tline\nend\r", "naïve 漢字 🚰"};
constexpr std::array odd_names = {"", "näme {}", "NAME {}", "o''brien {}", "漢字 {}", "a\\b {}"};

auto person(NastyStatements& to) -> std::string {
    return fmt::format(fmt::runtime(to.random.pick(odd_names)), to.random.below(1'000));
}

}  // namespace

// Values out of line that most changes leave alone, so that they are not sent.
auto change_rows(NastyStatements& to) -> void {
    const auto key = to.random.between(1, to.random.chance(0.7) ? 500 : 5'000);
    const auto insert = [&](Kind kind, const char* conflict) {
        to.add(rows, kind,
               fmt::format("INSERT INTO public.nasty_rows VALUES ({}, {}, '{}', {}) "
                           "ON CONFLICT {}",
                           key, to.random.below(100), to.random.pick(odd_texts), to.big_text(),
                           conflict));
    };
    const auto remove = [&] {
        to.add(rows, Kind::remove, fmt::format("DELETE FROM public.nasty_rows WHERE id = {}", key));
    };
    switch (to.random.below(8)) {
        case 0:
        case 1: insert(Kind::insert, "DO NOTHING"); break;
        case 2:
            insert(Kind::replace, "(id) DO UPDATE SET n = excluded.n, note = excluded.note");
            break;
        case 3:
            to.add(rows, Kind::update,
                   fmt::format("UPDATE public.nasty_rows SET n = n + 1 WHERE id = {}", key));
            break;
        case 4:
            to.add(rows, Kind::update,
                   fmt::format("UPDATE public.nasty_rows SET note = '{}' WHERE id <= {}",
                               to.random.pick(odd_texts), to.random.between(1, 30)));
            break;
        case 5:
            to.add(rows, Kind::update,
                   fmt::format("UPDATE public.nasty_rows SET big = {} WHERE id = {}", to.big_text(),
                               key));
            break;
        case 6:
            for (auto left = to.random.between(1, 3); left > 0; --left) {
                remove();
                insert(Kind::insert, "DO NOTHING");
            }
            if (to.random.chance(0.3)) remove();
            break;
        default: remove();
    }
}

// A new key, two keys that change places, and a chain of them.
auto move_keys(NastyStatements& to) -> void {
    const auto a = to.random.between(1, 400);
    const auto b = a + to.random.between(1, 50);
    const auto between = -1 - to.writer;
    const auto move = [&](std::int64_t from, std::int64_t key) {
        to.add(rows, Kind::rekey,
               fmt::format("UPDATE public.nasty_rows SET id = {1} WHERE id = {0} AND NOT EXISTS "
                           "(SELECT FROM public.nasty_rows WHERE id = {1})",
                           from, key));
    };
    switch (to.random.below(3)) {
        case 0: move(a, b); break;
        case 1:
            move(a, between);
            move(b, a);
            if (to.random.chance(0.5))
                to.add(rows, Kind::update,
                       fmt::format("UPDATE public.nasty_rows SET n = -n WHERE id = {}", a));
            move(between, b);
            break;
        default:
            to.add(rows, Kind::remove,
                   fmt::format("DELETE FROM public.nasty_rows WHERE id = {}", b));
            for (auto key = b - 1; key >= std::max(a, b - 5); --key) move(key, key + 1);
    }
}

auto change_people(NastyStatements& to) -> void {
    const auto name = person(to);
    const auto other = person(to);
    switch (to.random.below(4)) {
        case 0:
            to.add(people, Kind::insert,
                   fmt::format("INSERT INTO public.nasty_people (name, email, biography, friends) "
                               "VALUES ('{}', '{}', {}, '{{a,NULL}}') ON CONFLICT DO NOTHING",
                               name, to.random.pick(odd_texts), to.big_text()));
            break;
        case 1:
            to.add(people, Kind::update,
                   fmt::format("UPDATE public.nasty_people SET email = '{}' WHERE name = '{}'",
                               to.random.pick(odd_texts), name));
            break;
        case 2:
            to.add(people, Kind::remove,
                   fmt::format("DELETE FROM public.nasty_people WHERE name = '{}'", name));
            break;
        default:
            to.add(people, Kind::rekey,
                   fmt::format("UPDATE public.nasty_people SET name = '{1}' WHERE name = '{0}' AND "
                               "NOT EXISTS (SELECT FROM public.nasty_people WHERE name = '{1}')",
                               name, other));
    }
}

// The primary key and the identity are not the same: each changes without the other.
auto change_parts(NastyStatements& to) -> void {
    const auto code = to.random.between(1, 1'000);
    const auto other = code + to.random.between(1, 50);
    const auto between = -1 - to.writer;
    const auto move = [&](std::int64_t from, std::int64_t key) {
        to.add(parts, Kind::rekey,
               fmt::format("UPDATE public.nasty_parts SET code = {1} WHERE code = {0} AND NOT "
                           "EXISTS (SELECT FROM public.nasty_parts WHERE code = {1})",
                           from, key));
    };
    switch (to.random.below(6)) {
        case 0:
            to.add(parts, Kind::insert,
                   fmt::format("INSERT INTO public.nasty_parts VALUES ({}, 'sku {}', {}, {}, {}) "
                               "ON CONFLICT DO NOTHING",
                               code % 7, code, code, to.random.below(100), to.big_text()));
            break;
        case 1:
            to.add(parts, Kind::update,
                   fmt::format("UPDATE public.nasty_parts SET quantity = {} WHERE code = {}",
                               to.random.below(100), code));
            break;
        case 2:
            to.add(parts, Kind::rekey,
                   fmt::format("UPDATE public.nasty_parts SET warehouse = {} WHERE code = {}",
                               to.random.between(7, 99), code));
            break;
        case 3: move(code, other); break;
        case 4:
            move(code, between);
            move(other, code);
            move(between, other);
            break;
        default:
            to.add(parts, Kind::remove,
                   fmt::format("DELETE FROM public.nasty_parts WHERE code = {}", code));
    }
}

// Keys change places, or a range of them moves on, in one statement.
auto change_pairs(NastyStatements& to) -> void {
    const auto a = to.random.between(1, 300);
    const auto b = a + to.random.between(1, 20);
    switch (to.random.below(6)) {
        case 0:
        case 1:
            to.add(pairs, Kind::rekey,
                   fmt::format(
                       "UPDATE public.nasty_pairs SET id = CASE id WHEN {0} THEN {1} ELSE {0} END "
                       "WHERE id IN ({0}, {1})",
                       a, b));
            break;
        case 2:
            to.add(pairs, Kind::rekey,
                   fmt::format("UPDATE public.nasty_pairs SET id = CASE WHEN id >= {1} THEN {0} "
                               "ELSE id + 1 END WHERE id BETWEEN {0} AND {1}",
                               a, b));
            break;
        case 3:
            to.add(pairs, Kind::update,
                   fmt::format("UPDATE public.nasty_pairs SET value = '{}' WHERE id = {}",
                               to.random.pick(odd_texts), a));
            break;
        case 4:
            to.add(pairs, Kind::remove,
                   fmt::format("DELETE FROM public.nasty_pairs WHERE id = {}", a));
            break;
        default:
            to.add(pairs, Kind::insert,
                   fmt::format(
                       "INSERT INTO public.nasty_pairs SELECT {0}, '{1}', {2} WHERE NOT EXISTS "
                       "(SELECT FROM public.nasty_pairs WHERE id = {0})",
                       a, to.random.hex(4), to.big_text()));
    }
}

// One of several equal rows goes, changes, or changes to what it was.
auto change_readings(NastyStatements& to) -> void {
    const auto sensor = to.random.below(5);
    const auto some = fmt::format(
        "WHERE ctid = ANY (ARRAY(SELECT ctid FROM public.nasty_readings r WHERE sensor = {} "
        "ORDER BY r::text OFFSET {} LIMIT {}))",
        sensor, to.random.below(20), to.random.between(1, 4));
    switch (to.random.below(5)) {
        case 0: to.add(readings, Kind::remove, "DELETE FROM public.nasty_readings " + some); break;
        case 1:
            to.add(readings, Kind::update,
                   fmt::format("UPDATE public.nasty_readings SET value = '{}' {}",
                               to.random.pick(odd_doubles), some));
            break;
        case 2:
            to.add(readings, Kind::update,
                   "UPDATE public.nasty_readings SET sensor = sensor " + some);
            break;
        default:
            to.add(readings, Kind::insert,
                   fmt::format("INSERT INTO public.nasty_readings SELECT {}, {}, {}, {}, {}, {} "
                               "FROM generate_series(1, {})",
                               sensor, to.maybe(to.random.pick(odd_doubles)), to.maybe("label"),
                               to.maybe(to.random.pick(odd_floats)), to.maybe("1.00"),
                               to.random.chance(0.8) ? "NULL" : "repeat('x', 5000)",
                               to.random.between(1, 5)));
    }
}

auto change_values(NastyStatements& to) -> void {
    const auto key = to.random.between(1, 400);
    auto& random = to.random;
    if (random.chance(0.2)) {
        to.add(values, Kind::remove,
               fmt::format("DELETE FROM public.nasty_values WHERE id = {}", key));
        return;
    }
    const std::array literals = {
        random.pick(odd_numerics), random.pick(odd_doubles),   random.pick(odd_floats),
        random.pick(odd_stamps),   random.pick(odd_days),      "{a,NULL,\"\",\"NULL\"}",
        random.pick(odd_texts),    R"({"k": 1, "é": [1.50]})", R"({"b" :  [1, 2.50],"b":null})",
    };
    const std::array more = {"23:59:59.999999",
                             "-1 year 2 mons 3 days 04:05:06.7",
                             "10.1.2.3/8",
                             random.chance(0.5) ? "[1,5)" : "empty",
                             "ab",
                             random.chance(0.5) ? "-32768" : "32767",
                             random.chance(0.5) ? "t" : "f",
                             "-9999999999999999999999999999.9999999999",
                             "värchar",
                             "1969-12-31 23:59:59.999999",
                             "10:00:00+02",
                             "[2024-01-01 00:00+00,infinity)",
                             "1010",
                             "z",
                             "a name",
                             "4294967295",
                             "(1.5,-0)",
                             "{1,NULL,-3}",
                             "{{1,2},{NULL,4}}",
                             random.chance(0.5) ? "sad" : "happy",
                             "{ok,NULL}",
                             "(\"a, b\",)",
                             "5",
                             "{NaN,-0,NULL,1e300}",
                             "{infinity,2024-01-01 00:00+00}",
                             "{1.5,NULL,-99999.999}",
                             "{f47ac10b-58cc-4372-a567-0e02b2c3d479,NULL}"};
    auto row = fmt::format("{}", key);
    for (const auto* literal : literals) row += ", " + to.maybe(literal);
    row += ", " + to.maybe(random.hex(32)) + ", " + to.maybe("\\x00ff" + random.hex(8));
    for (const auto* literal : more) row += ", " + to.maybe(literal);
    to.add(values, Kind::replace,
           fmt::format("INSERT INTO public.nasty_values VALUES ({}) ON CONFLICT (id) DO UPDATE SET "
                       "n = excluded.n, x = excluded.x, at = excluded.at, note = excluded.note, "
                       "doc = excluded.doc, tags = excluded.tags, home = excluded.home, "
                       "mood = excluded.mood, floats = excluded.floats, bytes = excluded.bytes",
                       row));
}

// A key of two columns, and one statement for many rows.
auto change_events(NastyStatements& to) -> void {
    const auto day = to.random.below(31);
    const auto number = to.random.below(1'000);
    switch (to.random.below(4)) {
        case 0:
            to.add(
                NastyTable::events, Kind::replace,
                fmt::format("INSERT INTO nasty.nasty_events AS e VALUES ({}, 'kind {}', 1, "
                            "'[1,  2]') ON CONFLICT (day, kind) DO UPDATE SET count = e.count + 1",
                            day, number));
            break;
        case 1:
            to.add(NastyTable::events, Kind::update,
                   fmt::format("UPDATE nasty.nasty_events SET count = count + 1 "
                               "WHERE day = {} AND count % 7 = 3",
                               day));
            break;
        case 2:
            to.add(NastyTable::events, Kind::rekey,
                   fmt::format("UPDATE nasty.nasty_events SET kind = kind || '!' WHERE day = {0} "
                               "AND kind = 'kind {1}' AND NOT EXISTS (SELECT FROM "
                               "nasty.nasty_events WHERE day = {0} AND kind = 'kind {1}!')",
                               day, number));
            break;
        default:
            to.add(NastyTable::events, Kind::remove,
                   fmt::format("DELETE FROM nasty.nasty_events WHERE kind = 'kind {}'", number));
    }
}

// Rows that move from one partition into another.
auto change_days(NastyStatements& to) -> void {
    const auto day = to.random.below(31);
    const auto key = to.random.between(1, 100);
    switch (to.random.below(4)) {
        case 0:
            to.add(days, Kind::replace,
                   fmt::format("INSERT INTO public.nasty_days VALUES ({}, {}, '{}') "
                               "ON CONFLICT (day, id) DO UPDATE SET note = excluded.note",
                               day, key, to.random.pick(odd_texts)));
            break;
        case 1:
            to.add(
                days, Kind::update,
                fmt::format("UPDATE public.nasty_days SET note = note || '.' WHERE id = {}", key));
            break;
        case 2:
            to.add(
                days, Kind::rekey,
                fmt::format("UPDATE public.nasty_days d SET day = {0} WHERE id = {1} AND day = "
                            "(SELECT min(day) FROM public.nasty_days WHERE id = {1}) AND NOT "
                            "EXISTS (SELECT FROM public.nasty_days WHERE id = {1} AND day = {0})",
                            day, key));
            break;
        default:
            to.add(
                days, Kind::remove,
                fmt::format("DELETE FROM public.nasty_days WHERE day = {} AND id = {}", day, key));
    }
}

namespace {

auto task_setting(NastyStatements& to) -> std::string {
    constexpr std::array states = {"open", "open", "done", "hidden"};
    constexpr std::array prices = {"n/a", "", "1,5", "7", "-3.25", "49.99", "50"};
    switch (to.random.below(4)) {
        case 0: return "state = " + to.maybe(to.random.pick(states));
        case 1: return "price = " + to.maybe(to.random.pick(prices));
        case 2: return fmt::format("size = {}", to.random.between(-10, 99));
        default: return "note = " + to.big_text();
    }
}

auto insert_task(NastyStatements& to, std::int64_t key) -> void {
    constexpr std::array codes = {"none", "", "1", "42", "99999"};
    to.add(tasks, Kind::insert,
           fmt::format("INSERT INTO public.nasty_tasks VALUES ({}, {}, {}, {}, '{}', {}) "
                       "ON CONFLICT DO NOTHING",
                       key, to.maybe(to.random.chance(0.6) ? "open" : "hidden"),
                       to.maybe(to.random.chance(0.5) ? "12.50" : "n/a"),
                       to.random.between(-10, 99), to.random.pick(codes), to.big_text()));
}

}  // namespace

// Rows that transforms let pass at one time and not at another, under keys that change.
auto change_tasks(NastyStatements& to) -> void {
    const auto last = to.random.chance(0.5) ? 300 : 2'000;
    const auto key = to.random.between(1, last);
    const auto other = to.random.between(1, last);
    const auto set = [&](Kind kind, const std::string& setting, const std::string& where) {
        to.add(tasks, kind,
               fmt::format("UPDATE public.nasty_tasks SET {} WHERE {}", setting, where));
    };
    const auto is_free = fmt::format(
        "id = {} AND NOT EXISTS (SELECT FROM public.nasty_tasks WHERE id = {})", key, other);
    switch (to.random.below(8)) {
        case 0: insert_task(to, key); break;
        case 1:
        case 2:
        case 3: set(Kind::update, task_setting(to), fmt::format("id = {}", key)); break;
        case 4:
            to.add(tasks, Kind::remove,
                   fmt::format("DELETE FROM public.nasty_tasks WHERE id = {}", key));
            if (to.random.chance(0.5)) insert_task(to, key);
            break;
        case 5: set(Kind::rekey, fmt::format("id = {}", other), is_free); break;
        case 6:  // the key and what decides about the row, at once
            set(Kind::rekey, fmt::format("id = {}, {}", other, task_setting(to)), is_free);
            break;
        default:
            set(Kind::update, task_setting(to),
                fmt::format("id BETWEEN {} AND {}", key, key + to.random.between(1, 20)));
    }
}

// From one account to another, and the note of it: seen together or not at all.
auto move_money(NastyStatements& to) -> void {
    const auto source = to.random.between(1, 999);
    const auto target = to.random.between(source + 1, 1'000);
    const auto amount = to.random.between(-100, 100);
    const auto add_to = [&](std::int64_t account, std::int64_t more) {
        to.add(accounts, Kind::update,
               fmt::format("UPDATE public.nasty_accounts SET balance = balance + {} WHERE id = {}",
                           more, account));
    };
    add_to(source, -amount);
    add_to(target, amount);
    to.add(transfers, Kind::insert,
           fmt::format("INSERT INTO public.nasty_transfers (source, target, amount) "
                       "VALUES ({}, {}, {})",
                       source, target, amount));
}

// In the log, but of no table.
auto send_message(NastyStatements& to) -> void {
    to.control(fmt::format("SELECT pg_logical_emit_message({}, 'leat simulate', 'noise')",
                           to.random.chance(0.5)));
}

}  // namespace leat::simulate
