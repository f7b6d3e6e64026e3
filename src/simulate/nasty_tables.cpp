// What each table is and what fills it; see nasty_tables.hpp.
#include "simulate/nasty_tables.hpp"

#include <array>

namespace leat::simulate {

namespace {

struct Made {
    const char* name;
    const char* create;
    const char* fill;
    const char* schema = "public";
};

// In the order of NastyTable.
constexpr std::array<Made, 14> tables = {{
    // Replica identity default, values out of line, a column that is not replicated.
    {"nasty_rows",
     "CREATE TABLE public.nasty_rows (id bigint PRIMARY KEY, n int, note text, big text, "
     "twice bigint GENERATED ALWAYS AS (id * 2) STORED);"
     "ALTER TABLE public.nasty_rows ALTER big SET STORAGE EXTERNAL",
     "INSERT INTO public.nasty_rows SELECT i, i % 97, 'note ' || i, repeat(md5(i::text), i % 150) "
     "FROM generate_series(1, 5000, 3) i ON CONFLICT DO NOTHING"},
    // A deferrable key names nobody, so the identity is full; keys are swapped in one statement.
    {"nasty_pairs",
     "CREATE TABLE public.nasty_pairs (id int PRIMARY KEY DEFERRABLE INITIALLY IMMEDIATE, "
     "value text, big text); ALTER TABLE public.nasty_pairs REPLICA IDENTITY FULL",
     "INSERT INTO public.nasty_pairs SELECT i, 'value ' || i, NULL FROM generate_series(1, 400, 2) "
     "i WHERE NOT EXISTS (SELECT FROM public.nasty_pairs WHERE id = i)"},
    // No key at all, and the same row many times over.
    {"nasty_readings",
     "CREATE TABLE public.nasty_readings (sensor int, value float8, label text, small float4, "
     "exact numeric, big text); ALTER TABLE public.nasty_readings REPLICA IDENTITY FULL",
     "INSERT INTO public.nasty_readings SELECT i % 50, CASE WHEN i % 20 = 0 THEN 'NaN' ELSE "
     "(1 + i % 100)::float8 END, CASE WHEN i % 3 = 0 THEN 'label' END, '-0', i % 9, NULL "
     "FROM generate_series(1, 2000) i WHERE (SELECT count(*) FROM public.nasty_readings) < 2000"},
    // Every type.
    {"nasty_values",
     "DROP TYPE IF EXISTS public.nasty_mood, public.nasty_place, public.nasty_positive;"
     "CREATE TYPE public.nasty_mood AS ENUM ('sad', 'ok', 'happy');"
     "CREATE TYPE public.nasty_place AS (street text, number int);"
     "CREATE DOMAIN public.nasty_positive AS int CHECK (VALUE > 0);"
     "CREATE TABLE public.nasty_values (id int PRIMARY KEY, n numeric, x float8, y float4, "
     "at timestamptz, day date, tags text[], note text, doc jsonb, raw json, uid uuid, bytes "
     "bytea, t time, i interval, ip inet, r int4range, c char(5), small int2, flag bool, "
     "exact numeric(38,10), v varchar(20), local timestamp, tz timetz, period tstzrange, "
     "bits varbit, letter \"char\", known name, o oid, p point, numbers int[], matrix int[][], "
     "mood public.nasty_mood, moods public.nasty_mood[], home public.nasty_place, "
     "pos public.nasty_positive, floats float8[], stamps timestamptz[], amounts numeric(8,3)[], "
     "uids uuid[])",
     ""},
    {"nasty_changing",
     "CREATE TABLE public.nasty_changing (id int PRIMARY KEY, n int, day date, big text)",
     "INSERT INTO public.nasty_changing SELECT i, i, '1970-01-01'::date + i, NULL "
     "FROM generate_series(1, 100, 2) i ON CONFLICT DO NOTHING"},
    {"nasty_emptied", "CREATE TABLE public.nasty_emptied (id serial PRIMARY KEY, note text)",
     "INSERT INTO public.nasty_emptied SELECT i, 'note ' || i FROM generate_series(1, 100, 3) i "
     "ON CONFLICT DO NOTHING"},
    {"nasty_bulk", "CREATE TABLE public.nasty_bulk (id int PRIMARY KEY, payload text, x float8)",
     "INSERT INTO public.nasty_bulk SELECT i, md5(i::text), i / 3.0 FROM generate_series(1, 5000) "
     "i ON CONFLICT DO NOTHING"},
    // Named by text, which holds what is hard to quote; now and then another table gets its name.
    {"nasty_people",
     "CREATE TABLE public.nasty_people (name text PRIMARY KEY, email text, biography text, "
     "friends text[], born date)",
     "INSERT INTO public.nasty_people SELECT 'näme ' || i, i || '@example.org', NULL, '{}', "
     "'1970-01-01'::date + i FROM generate_series(1, 1000, 2) i ON CONFLICT DO NOTHING"},
    // Old rows are named by another index than the primary key.
    {"nasty_parts",
     "CREATE TABLE public.nasty_parts (warehouse int, sku text, code int NOT NULL UNIQUE, "
     "quantity int, description text, PRIMARY KEY (warehouse, sku));"
     "ALTER TABLE public.nasty_parts REPLICA IDENTITY USING INDEX nasty_parts_code_key",
     "INSERT INTO public.nasty_parts SELECT i % 7, 'sku ' || i, i, i, NULL "
     "FROM generate_series(1, 1000, 2) i ON CONFLICT DO NOTHING"},
    // A key of two columns, in a schema of its own.
    {"nasty_events",
     "CREATE SCHEMA IF NOT EXISTS nasty; CREATE TABLE nasty.nasty_events (day int, kind text, "
     "count bigint, detail json, PRIMARY KEY (day, kind))",
     "INSERT INTO nasty.nasty_events SELECT i % 31, 'kind ' || i, i, '{\"a\":  1}' "
     "FROM generate_series(1, 1000, 2) i ON CONFLICT DO NOTHING",
     "nasty"},
    // Partitions, between which rows move.
    {"nasty_days",
     "CREATE TABLE public.nasty_days (day int, id int, note text, PRIMARY KEY (day, id)) "
     "PARTITION BY RANGE (day);"
     "CREATE TABLE public.nasty_days_1 PARTITION OF public.nasty_days FOR VALUES FROM (1) TO (10);"
     "CREATE TABLE public.nasty_days_2 PARTITION OF public.nasty_days FOR VALUES FROM (10) TO (20);"
     "CREATE TABLE public.nasty_days_other PARTITION OF public.nasty_days DEFAULT",
     "INSERT INTO public.nasty_days SELECT i % 31, i, 'note ' || i FROM generate_series(1, 500) i "
     "ON CONFLICT DO NOTHING"},
    // For transforms: texts that are numbers or not, states that come and go. A row keeps its code.
    {"nasty_tasks",
     "CREATE TABLE public.nasty_tasks (id int PRIMARY KEY, state text, price text, size int, "
     "code text, note text)",
     "INSERT INTO public.nasty_tasks SELECT i, (ARRAY['open', 'done', 'hidden'])[1 + i % 3], "
     "CASE WHEN i % 11 = 0 THEN 'n/a' ELSE i || '.50' END, i % 100, "
     "CASE WHEN i % 13 = 0 THEN 'none' ELSE i::text END, NULL "
     "FROM generate_series(1, 2000, 2) i ON CONFLICT DO NOTHING"},
    // Money, of which there is always as much; each account holds what it began with and its
    // transfers.
    {"nasty_accounts",
     "CREATE TABLE public.nasty_accounts (id int PRIMARY KEY, opening bigint NOT NULL, "
     "balance bigint NOT NULL); INSERT INTO public.nasty_accounts SELECT i, 1000, 1000 "
     "FROM generate_series(1, 1000) i",
     ""},
    {"nasty_transfers",
     "CREATE TABLE public.nasty_transfers (id bigserial PRIMARY KEY, source int NOT NULL, "
     "target int NOT NULL, amount bigint NOT NULL)",
     ""},
}};

}  // namespace

auto fill_statement(NastyTable table) -> std::string {
    return tables.at(static_cast<std::size_t>(table)).fill;
}

auto nasty_tables() -> std::vector<Table> {
    std::vector<Table> made;
    for (const auto& [name, create, fill, schema] : tables) {
        made.emplace_back();
        made.back().name = name;
        made.back().schema = schema;
        made.back().create = std::string(create) + ";" + fill;
    }
    return made;
}

}  // namespace leat::simulate
