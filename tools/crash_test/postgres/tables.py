"""The source tables of the crash test and what fills them: each is there for a trap of its own.

Sizes and values are nasty on purpose: values out of line, NULL, empty and odd text, floats that
are equal but not the same, endless timestamps, keys of every kind that identify old rows.
"""

import random

from database import ACCOUNTS, OPENING

ORDERS = 30_000  # ids 1..ORDERS are in play; about two thirds exist
PEOPLE = 3_000
PARTS = 2_000
PAIRS = 3_000
EVENTS = 3_000
BULK = 150_000
SHAPES = 400
TASKS = 2_000

SCHEMA = """
CREATE SCHEMA audit;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE place AS (street text, number int);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);

CREATE TABLE accounts (id int PRIMARY KEY, owner text, opening bigint NOT NULL,
    balance bigint NOT NULL);
CREATE TABLE transfers (id bigserial PRIMARY KEY, source int NOT NULL, target int NOT NULL,
    amount bigint NOT NULL, at timestamptz NOT NULL DEFAULT now());

-- Replica identity default, values out of line of every storage kind, a column not replicated.
CREATE TABLE orders (id bigint PRIMARY KEY, customer int, amount numeric(12,2), mood mood,
    x float8, y float4, at timestamptz, day date, tags text[], numbers int[], note text, blob bytea,
    doc jsonb, uid uuid, doubled bigint GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE orders ALTER blob SET STORAGE EXTERNAL;

CREATE TABLE people (name text PRIMARY KEY, email text, biography text, friends text[], born date);

-- Old rows are named by another index than the primary key.
CREATE TABLE parts (warehouse int, sku text, code int NOT NULL UNIQUE, quantity int,
    price numeric(12,2), description text, PRIMARY KEY (warehouse, sku));
ALTER TABLE parts REPLICA IDENTITY USING INDEX parts_code_key;

-- A deferrable key names nobody, so the identity is full; keys are swapped in one statement.
CREATE TABLE pairs (id int PRIMARY KEY DEFERRABLE INITIALLY IMMEDIATE, value text, big text);
ALTER TABLE pairs REPLICA IDENTITY FULL;

-- No key at all, and the same row many times over.
CREATE TABLE readings (sensor int, value float8, small float4, at timestamp, label text,
    exact numeric, big text);
ALTER TABLE readings REPLICA IDENTITY FULL;

CREATE TABLE audit.events (day int, kind text, count bigint, detail json, PRIMARY KEY (day, kind));

CREATE TABLE bulk (id bigint PRIMARY KEY, payload text, number double precision);

CREATE TABLE shapes (id int PRIMARY KEY, i2 int2, b bool, n numeric, n38 numeric(38,10),
    v varchar(20), c char(5), t time, tz timetz, i interval, j json, ip inet, r int4range,
    period tstzrange,
    bits varbit, letter "char", n2 name, o oid, p point, matrix int[][], moods mood[], home place,
    pos positive, floats float8[], stamps timestamptz[], amounts numeric(8,3)[], uids uuid[]);

-- What transforms read (transforms.py). Updates come without large notes, so that rows are looked up.
CREATE TABLE tasks (id int PRIMARY KEY, state text, price text, size int, code text, note text);

CREATE TABLE unpublished (id serial PRIMARY KEY, note text);
"""

TABLES = ["public.accounts", "public.transfers", "public.orders", "public.people", "public.parts",
          "public.pairs", "public.readings", "audit.events", "public.bulk", "public.shapes",
          "public.tasks"]
# Which change their columns; the others may be rewritten by VACUUM FULL at any time.
CHANGING = ["public.orders", "public.people", "public.pairs", "public.readings", "audit.events"]
# Whose states always add up.
BANK = {"accounts", "transfers"}
REWRITTEN = [name for name in TABLES if name not in CHANGING]
# Which may lose all rows. Never accounts and transfers: their sums are checked.
EMPTIED = ["public.people", "public.parts", "public.pairs", "public.readings", "audit.events",
           "public.bulk", "public.tasks"]

BALANCES = """
    SELECT count(*), sum(balance), count(*) FILTER (balance <> opening + coalesce(moved, 0))
    FROM accounts LEFT JOIN (
        SELECT account, sum(amount) AS moved FROM (
            SELECT source AS account, -amount AS amount FROM transfers
            UNION ALL SELECT target, amount FROM transfers)
        GROUP BY account) ON account = accounts.id"""

FILL = {
    "public.accounts": f"""INSERT INTO accounts SELECT i, 'owner ' || i, {OPENING}, {OPENING}
        FROM generate_series(1, {ACCOUNTS}) i ON CONFLICT DO NOTHING""",
    "public.orders": f"""INSERT INTO orders (id, customer, amount, mood, x, y, at, day, tags, note)
        SELECT i, i % 997, i * 0.37, 'ok', i / 7.0::float8, i / 3.0::float4, now(), current_date,
            ARRAY['a', NULL, i::text], repeat(md5(i::text), (i % 150) / 5)
        FROM generate_series(1, {ORDERS}, 3) i ON CONFLICT DO NOTHING""",
    "public.people": f"""INSERT INTO people SELECT 'näme ' || i, i || '@example.org', NULL, '{{}}',
            '1970-01-01'::date + i FROM generate_series(1, {PEOPLE}, 2) i ON CONFLICT DO NOTHING""",
    "public.parts": f"""INSERT INTO parts SELECT i % 7, 'sku ' || i, i, i, i * 1.01, NULL
        FROM generate_series(1, {PARTS}, 2) i ON CONFLICT DO NOTHING""",
    "public.pairs": f"""INSERT INTO pairs SELECT i, 'value ' || i, NULL
        FROM generate_series(1, {PAIRS}, 2) i
        WHERE NOT EXISTS (SELECT FROM pairs WHERE id = i)""",
    "public.readings": """INSERT INTO readings SELECT i % 50, CASE WHEN i % 20 = 0 THEN 'NaN'
            ELSE (1 + i % 100)::float8 END, '-0', '2024-01-01',
            CASE WHEN i % 3 = 0 THEN 'label' END, i % 9, NULL
        FROM generate_series(1, 6000) i WHERE (SELECT count(*) FROM readings) < 6000""",
    "audit.events": f"""INSERT INTO audit.events SELECT i % 31, 'kind ' || i, i, '{{"a":  1}}'
        FROM generate_series(1, {EVENTS}, 2) i ON CONFLICT DO NOTHING""",
    "public.tasks": f"""INSERT INTO tasks SELECT i, (ARRAY['open', 'done', 'hidden'])[1 + i % 3],
            CASE WHEN i % 11 = 0 THEN 'n/a' ELSE i || '.50' END, i % 100,
            CASE WHEN i % 13 = 0 THEN 'none' ELSE i::text END, NULL
        FROM generate_series(1, {TASKS}, 2) i ON CONFLICT DO NOTHING""",
    "public.bulk": """INSERT INTO bulk SELECT i, md5(i::text), i / 3.0
        FROM generate_series(1, 20000) i ON CONFLICT DO NOTHING""",
}

TEXTS = ["", " ", "NULL", "~", r"\N", "it's \"quoted\"", "tab\tline\nend\r", "naïve 漢字 🚰",
         "a" * 300]
NAMES = ["", "näme {}", "NAME {}", "o'brien {}", "漢字 {}", "a\\b {}"]
# Zero is always -0.0: where a column holds both, DuckDB's own compression keeps one of them only.
DOUBLES = ["NaN", "Infinity", "-Infinity", "-0", "0.1", "5e-324", "1.7976931348623157e308"]
FLOATS = ["NaN", "Infinity", "-Infinity", "-0", "0.1", "1e-45", "3.4028235e38"]
STAMPS = ["infinity", "-infinity", "1969-12-31 23:59:59.999999", "0044-03-15 12:00:00 BC",
          "9999-12-31 23:59:59.999999", "2024-02-29 12:34:56.7"]
NUMERICS = ["NaN", "0", "-0.000", "1.50", "1e60", "-123456789012345678901234567890.5", "1e-40"]


class Values:
    """Random values of each kind, from one seeded generator."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def maybe(self, value, null_share: float = 0.1):
        return None if self.rng.random() < null_share else value

    def text(self):
        return self.maybe(self.rng.choice(TEXTS) + str(self.rng.randrange(50)))

    def big_text(self):
        """Incompressible and mostly long enough to be stored out of line."""
        length = self.rng.choice([100, 100, 100, 100, 2500, 2500, 9000, 30_000])
        return self.maybe(self.rng.randbytes(length).hex())

    def blob(self):
        return self.maybe(self.rng.randbytes(self.rng.choice([0, 10, 10, 10, 3000, 20_000])))

    def double(self):
        return self.maybe(self.rng.choice([*DOUBLES, repr(self.rng.gauss(0, 1e6))]))

    def float(self):
        return self.maybe(self.rng.choice([*FLOATS, str(self.rng.randrange(1, 1000) / 8)]))

    def numeric(self):
        return self.maybe(self.rng.choice([*NUMERICS, f"{self.rng.randrange(10**9)}e-4"]))

    def money(self):
        return self.maybe(f"{self.rng.randrange(-10**9, 10**9)}e-2")

    def stamp(self):
        return self.maybe(self.rng.choice(STAMPS))

    def day(self):
        return self.maybe(self.rng.choice(["infinity", "-infinity", "0001-01-01 BC", "2024-02-29",
                                           f"20{self.rng.randrange(10, 99)}-07-14"]))

    def name(self):
        return self.rng.choice(NAMES).format(self.rng.randrange(PEOPLE))

    def order(self) -> dict:
        """All columns of an order but its key."""
        rng = self.rng
        return {"customer": self.maybe(rng.randrange(1000)), "amount": self.money(),
                "mood": self.maybe(rng.choice(["sad", "ok", "happy"])), "x": self.double(),
                "y": self.float(), "at": self.stamp(), "day": self.day(),
                "tags": self.maybe(["a,b", "", None, "NULL", '"'][:rng.randrange(6)]),
                "numbers": self.maybe([1, None, -3][:rng.randrange(4)]), "note": self.big_text(),
                "blob": self.blob(),
                "doc": self.maybe(f'{{"k": {rng.randrange(9)}, "é": [1.50]}}'),
                "uid": self.maybe(f"{rng.getrandbits(128):032x}")}

    def reading(self) -> list:
        """Few different rows, so that many are equal."""
        rng = self.rng
        big = rng.choice([None, None, None, "x" * 5000])
        return [rng.randrange(5), self.maybe(rng.choice(DOUBLES)), self.maybe(rng.choice(FLOATS)),
                self.maybe(rng.choice(STAMPS[:2])), rng.choice([None, "", "label"]),
                self.maybe(rng.choice(["NaN", "1.0", "1.00"])), big]

    def task(self) -> dict:
        """All columns of a task but its key, and the code that it keeps for life."""
        rng = self.rng
        return {"state": self.maybe(rng.choice(["open", "open", "done", "hidden"])),
                "price": self.maybe(rng.choice(["n/a", "", "1,5", "7", "-3.25", "49.99", "50",
                                                str(rng.randrange(100))])),
                "size": self.maybe(rng.randrange(-10, 100)), "note": self.big_text()}

    def task_code(self) -> str | None:
        return self.rng.choice(["none", "", "1", "42", str(self.rng.randrange(10**6))])

    def shape(self) -> dict:
        rng = self.rng
        return {"i2": rng.choice([-32768, 32767, None]), "b": rng.choice([True, False, None]),
                "n": self.numeric(), "n38": self.maybe("-9999999999999999999999999999.9999999999"),
                "v": self.maybe("värchar"), "c": self.maybe(rng.choice(["", "ab", "abcde"])),
                "t": self.maybe(rng.choice(["00:00", "23:59:59.999999", "12:00:00.5"])),
                "tz": self.maybe("10:00:00+02"),
                "i": self.maybe("-1 year 2 mons 3 days 04:05:06.7"),
                "j": self.maybe('{"b" :  [1, 2.50],"a":null}'), "ip": self.maybe("10.1.2.3/8"),
                "r": self.maybe(rng.choice(["empty", "[1,5]", "(,7)"])),
                "period": self.maybe("[2024-01-01 00:00+02,infinity)"), "bits": self.maybe("1010"),
                "letter": self.maybe("z"), "n2": self.maybe("a name"), "o": self.maybe(4294967295),
                "p": self.maybe("(1.5,-0)"), "matrix": self.maybe("{{1,2},{NULL,4}}"),
                "moods": self.maybe("{ok,NULL}"), "home": self.maybe('("a, b",)'),
                "pos": self.maybe(5), "floats": self.maybe("{NaN,-0,NULL,1e300}"),
                "stamps": self.maybe("{infinity,2024-01-01 00:00+00}"),
                "amounts": self.maybe("{1.5,NULL,-99999.999}"),
                "uids": self.maybe("{f47ac10b-58cc-4372-a567-0e02b2c3d479,NULL}")}
