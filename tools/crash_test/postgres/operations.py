"""What a writer does: small operations on all tables, put together to transactions.

An operation gets a Session (cursor, values, random numbers) and executes a few statements in the
open transaction. It never looks at what the source holds to decide what to do next, but for row
places where a table has no key, so that one seed gives one sequence of statements per writer.
"""

import random
import typing

import psycopg

from database import ACCOUNTS
from postgres import tables
from postgres.tables import Values

EXTRA_COLUMNS_MAX = 6  # live added columns per table; beyond it one is dropped before one is added
ATTRIBUTES_MAX = 900  # a table may have 1600 in its life, dropped ones included
# Type and default of columns that are added, and values to set in them.
EXTRA_TYPES = {
    "integer": ("7", ["NULL", "1", "-5"]),
    "text": ("'it''s a default'", ["NULL", "''", "repeat('x', 5000)"]),
    "boolean": ("true", ["NULL", "false"]),
    "numeric(10,2)": ("1.50", ["NULL", "-3.25"]),
    "timestamp with time zone": ("'2020-01-01 00:00+00'", ["NULL", "'infinity'"]),
    "double precision": ("'NaN'", ["NULL", "'-0'"]),
    "text[]": ("'{a,NULL}'", ["NULL", "'{}'"]),
    "uuid": ("'f47ac10b-58cc-4372-a567-0e02b2c3d479'", ["NULL"]),
}


class Session:
    """One writer's open connection with its random numbers; belongs to one thread."""

    def __init__(self, connection: psycopg.Connection, rng: random.Random, number: int):
        self.connection = connection
        self.rng = rng
        self.values = Values(rng)
        self.number = number

    def run(self, statement: str, parameters=None) -> psycopg.Cursor:
        return self.connection.execute(statement, parameters)

    def insert(self, table: str, row: dict, conflict: str = "ON CONFLICT DO NOTHING") -> None:
        names = ", ".join(row)
        places = ", ".join(["%s"] * len(row))
        self.run(f"INSERT INTO {table} ({names}) VALUES ({places}) {conflict}", list(row.values()))

    def update(self, table: str, row: dict, where: str, parameters: list) -> None:
        changes = ", ".join(f"{name} = %s" for name in row)
        self.run(f"UPDATE {table} SET {changes} WHERE {where}", [*row.values(), *parameters])

    def some_of(self, row: dict) -> dict:
        names = self.rng.sample(list(row), self.rng.randint(1, min(4, len(row))))
        return {name: row[name] for name in names}


def insert_orders(s: Session) -> None:
    for _ in range(s.rng.randint(1, 4)):
        s.insert("orders", {"id": s.rng.randint(1, tables.ORDERS)} | s.values.order())


def upsert_order(s: Session) -> None:
    s.insert("orders", {"id": s.rng.randint(1, 50)} | s.values.order(),
             "ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, x = excluded.x")


def update_orders(s: Session) -> None:
    """Often leaves values out of line alone, so that they are not sent."""
    for _ in range(s.rng.randint(1, 4)):
        key = s.rng.randint(1, tables.ORDERS)
        s.update("orders", s.some_of(s.values.order()), "id = %s", [key])


def update_few_orders(s: Session) -> None:
    """Few keys, so that one epoch sees each many times."""
    s.update("orders", s.some_of(s.values.order()), "id <= %s", [s.rng.randint(1, 30)])


def delete_orders(s: Session) -> None:
    first = s.rng.randint(1, tables.ORDERS)
    s.run("DELETE FROM orders WHERE id BETWEEN %s AND %s", [first, first + s.rng.randint(0, 3)])


def delete_and_insert_again(s: Session) -> None:
    key = s.rng.randint(1, 200)
    for _ in range(s.rng.randint(1, 2)):
        s.run("DELETE FROM orders WHERE id = %s", [key])
        s.insert("orders", {"id": key} | s.values.order())
    if s.rng.random() < 0.3:
        s.run("DELETE FROM orders WHERE id = %s", [key])


def move_order(s: Session) -> None:
    """A new key; with values out of line that must come along unseen."""
    old, new = s.rng.randint(1, 500), s.rng.randint(1, 500)
    s.run("UPDATE orders SET id = %s WHERE id = %s "
          "AND NOT EXISTS (SELECT FROM orders WHERE id = %s)", [new, old, new])


def swap_orders(s: Session) -> None:
    """Two keys change places through a third one, sometimes with other changes between."""
    a, b = s.rng.sample(range(1, 500), 2)
    s.run("UPDATE orders SET id = %s WHERE id = %s", [-s.number, a])
    s.run("UPDATE orders SET id = %s WHERE id = %s", [a, b])
    if s.rng.random() < 0.5:
        s.update("orders", s.some_of(s.values.order()), "id = %s", [a])
    s.run("UPDATE orders SET id = %s WHERE id = %s", [b, -s.number])


def shift_orders(s: Session) -> None:
    """A chain of keys: the last goes, every other takes the next one's place."""
    first = s.rng.randint(1, 300)
    length = s.rng.randint(2, 6)
    s.run("DELETE FROM orders WHERE id = %s", [first + length])
    for key in range(first + length - 1, first - 1, -1):
        s.run("UPDATE orders SET id = id + 1 WHERE id = %s", [key])
    s.insert("orders", {"id": first} | s.values.order())


def change_people(s: Session) -> None:
    name, other = s.values.name(), s.values.name()
    match s.rng.randrange(4):
        case 0:
            s.insert("people", {"name": name, "email": s.values.text(),
                                "biography": s.values.big_text(), "friends": ["a", None]})
        case 1:
            s.update("people", {"email": s.values.text()}, "name = %s", [name])
        case 2:
            s.run("DELETE FROM people WHERE name = %s", [name])
        case 3:
            s.run("UPDATE people SET name = %s WHERE name = %s "
                  "AND NOT EXISTS (SELECT FROM people WHERE name = %s)", [other, name, other])


def change_parts(s: Session) -> None:
    code, other = s.rng.sample(range(1, tables.PARTS), 2)
    match s.rng.randrange(6):
        case 0:
            s.insert("parts", {"warehouse": code % 7, "sku": f"sku {code}", "code": code,
                               "quantity": s.rng.randrange(100), "price": s.values.money(),
                               "description": s.values.big_text()})
        case 1:
            s.update("parts", {"quantity": s.rng.randrange(100)}, "code = %s", [code])
        case 2:  # the primary key, which is not the identity
            s.update("parts", {"warehouse": s.rng.randrange(7, 99)}, "code = %s", [code])
        case 3:  # the identity, which is not the primary key
            s.run("UPDATE parts SET code = %s WHERE code = %s "
                  "AND NOT EXISTS (SELECT FROM parts WHERE code = %s)", [other, code, other])
        case 4:
            s.run("UPDATE parts SET code = %s WHERE code = %s", [-s.number, code])
            s.run("UPDATE parts SET code = %s WHERE code = %s", [code, other])
            s.run("UPDATE parts SET code = %s WHERE code = %s", [other, -s.number])
        case 5:
            s.run("DELETE FROM parts WHERE code = %s", [code])


def change_pairs(s: Session) -> None:
    a, b = s.rng.sample(range(1, 400), 2)
    match s.rng.randrange(5):
        case 0 | 1:
            s.run("UPDATE pairs SET id = CASE id WHEN %s THEN %s ELSE %s END WHERE id IN (%s, %s)",
                  [a, b, a, a, b])
        case 2:
            s.run("UPDATE pairs SET value = %s WHERE id = %s", [s.values.text(), a])
        case 3:
            s.run("DELETE FROM pairs WHERE id = %s", [a])
        case 4:
            s.run("INSERT INTO pairs SELECT %s::int, %s, %s WHERE NOT EXISTS "
                  "(SELECT FROM pairs WHERE id = %s)", [a, s.values.text(), s.values.big_text(), a])


def rotate_pairs(s: Session) -> None:
    """All keys of a range move by one, in one statement."""
    first = s.rng.randint(1, 300)
    s.run("UPDATE pairs SET id = CASE WHEN id >= %s THEN %s ELSE id + 1 END "
          "WHERE id BETWEEN %s AND %s", [first + 9, first, first, first + 9])


READING = "(SELECT ctid FROM readings WHERE sensor = %s OFFSET %s LIMIT %s)"


def insert_readings(s: Session) -> None:
    row = s.values.reading()
    s.run("INSERT INTO readings (sensor, value, small, at, label, exact, big) "
          "SELECT %s::int, %s::float8, %s::float4, %s::timestamp, %s, %s::numeric, %s "
          "FROM generate_series(1, %s)", [*row, s.rng.randint(1, 5)])


def delete_readings(s: Session) -> None:
    s.run(f"DELETE FROM readings WHERE ctid = ANY (ARRAY{READING})",
          [s.rng.randrange(5), s.rng.randrange(20), s.rng.randint(1, 4)])


def update_readings(s: Session) -> None:
    """One of several equal rows changes, or changes to what it was."""
    row = s.values.reading()
    change = ("sensor = sensor", []) if s.rng.random() < 0.2 else ("value = %s, label = %s",
                                                                   [row[1], row[4]])
    s.run(f"UPDATE readings SET {change[0]} WHERE ctid = ANY (ARRAY{READING})",
          [*change[1], s.rng.randrange(5), s.rng.randrange(20), s.rng.randint(1, 2)])


def change_events(s: Session) -> None:
    day, kind = s.rng.randrange(31), f"kind {s.rng.randrange(tables.EVENTS)}"
    match s.rng.randrange(4):
        case 0:
            s.insert("audit.events", {"day": day, "kind": kind, "count": 1, "detail": "[1,  2]"},
                     "ON CONFLICT (day, kind) DO UPDATE SET count = events.count + 1")
        case 1:
            s.run("UPDATE audit.events SET count = count + 1 WHERE day = %s AND count %% 7 = 3",
                  [day])
        case 2:
            s.run("UPDATE audit.events SET kind = kind || '!' WHERE day = %s AND kind = %s",
                  [day, kind])
        case 3:
            s.run("DELETE FROM audit.events WHERE kind = %s", [kind])


def change_shapes(s: Session) -> None:
    key = s.rng.randint(1, tables.SHAPES)
    match s.rng.randrange(4):
        case 0 | 1:
            s.insert("shapes", {"id": key} | s.values.shape())
        case 2:
            s.update("shapes", s.some_of(s.values.shape()), "id = %s", [key])
        case 3:
            s.run("DELETE FROM shapes WHERE id = %s", [key])


def change_tasks(s: Session) -> None:
    """Rows that transforms let pass at one time and not at another, under keys that change."""
    key, other = s.rng.sample(range(1, 300 if s.rng.random() < 0.5 else tables.TASKS), 2)
    match s.rng.randrange(8):
        case 0:
            s.insert("tasks", {"id": key, "code": s.values.task_code()} | s.values.task())
        case 1 | 2 | 3:
            s.update("tasks", s.some_of(s.values.task()), "id = %s", [key])
        case 4:
            s.run("DELETE FROM tasks WHERE id = %s", [key])
            if s.rng.random() < 0.5:
                s.insert("tasks", {"id": key, "code": s.values.task_code()} | s.values.task())
        case 5:
            s.run("UPDATE tasks SET id = %s WHERE id = %s "
                  "AND NOT EXISTS (SELECT FROM tasks WHERE id = %s)", [other, key, other])
        case 6:  # the key and what decides about the row, at once
            row = s.some_of(s.values.task())
            s.update("tasks", {"id": other} | row,
                     "id = %s AND NOT EXISTS (SELECT FROM tasks WHERE id = %s)", [key, other])
        case 7:
            s.update("tasks", s.some_of(s.values.task()), "id BETWEEN %s AND %s",
                     [key, key + s.rng.randint(1, 20)])


def transfer(s: Session) -> None:
    source, target = sorted(s.rng.sample(range(1, ACCOUNTS + 1), 2))
    amount = s.rng.randint(-100, 100)
    s.run("UPDATE accounts SET balance = balance - %s WHERE id = %s", [amount, source])
    s.run("UPDATE accounts SET balance = balance + %s WHERE id = %s", [amount, target])
    s.insert("transfers", {"source": source, "target": target, "amount": amount}, "")


def copy_rows(s: Session) -> None:
    """COPY writes many rows in one record."""
    first = s.rng.randint(1, tables.BULK)
    s.run("DELETE FROM bulk WHERE id BETWEEN %s AND %s", [first, first + 200])
    with s.connection.cursor().copy("COPY bulk (id, payload, number) FROM STDIN") as copy:
        for key in range(first, first + s.rng.randint(1, 200)):
            copy.write_row([key, s.values.text(), key / 7])


def write_elsewhere(s: Session) -> None:
    """Traffic that the pipeline must step over."""
    s.run("INSERT INTO unpublished (note) VALUES (%s)", [s.values.text()])
    s.run("SELECT pg_logical_emit_message(%s, 'noise', 'words')", [s.rng.random() < 0.5])


def empty_tables(s: Session) -> None:
    """TRUNCATE of one table or several, with rows before and after in the same transaction."""
    chosen = s.rng.sample(tables.EMPTIED, s.rng.choice([1, 1, 2, 3]))
    if s.rng.random() < 0.5:
        insert_readings(s)
        change_people(s)
    s.run("SET LOCAL lock_timeout = '300ms'")
    s.run(f"TRUNCATE {', '.join(chosen)}" + s.rng.choice(["", " RESTART IDENTITY"]))
    for name in chosen:
        if s.rng.random() < 0.7:
            s.run(tables.FILL[name])
    if s.rng.random() < 0.5:
        insert_readings(s)
        change_parts(s)


def change_columns(s: Session) -> None:
    """ADD COLUMN (nullable or with a constant default) or DROP COLUMN between rows."""
    table = s.rng.choice(tables.CHANGING)
    touch = {"public.orders": update_orders, "public.people": change_people,
             "public.pairs": change_pairs, "public.readings": insert_readings,
             "audit.events": change_events}[table]
    s.run("SET LOCAL lock_timeout = '300ms'")
    if s.rng.random() < 0.6:
        touch(s)
    extra = extra_columns(s, table)
    add = s.rng.random() < 0.6
    if extra and (not add or len(extra) >= EXTRA_COLUMNS_MAX):
        name, kind = s.rng.choice(extra)
        s.run(f"ALTER TABLE {table} DROP COLUMN {name}")
        if s.rng.random() < 0.5:
            touch(s)
    if add and attributes(s, table) < ATTRIBUTES_MAX:
        add_column(s, table)
    if s.rng.random() < 0.8:
        touch(s)


def add_column(s: Session, table: str) -> None:
    kind, (default, _) = s.rng.choice(list(EXTRA_TYPES.items()))
    clause = s.rng.choice(["", f" DEFAULT {default}", f" NOT NULL DEFAULT {default}"])
    s.run(f"ALTER TABLE {table} ADD COLUMN x{s.number}_{s.rng.randrange(10**9)} {kind}{clause}")


def remake_table(s: Session) -> None:
    """A change that the stream does not tell: the table must be read anew."""
    s.run("SET LOCAL lock_timeout = '300ms'")
    match s.rng.randrange(3):
        case 0:  # between two types of which none holds all values of the other
            table, column = s.rng.choice([("orders", "day"), ("people", "born")])
            kind = s.run("SELECT atttypid::regtype::text FROM pg_attribute WHERE attname = %s "
                         "AND attrelid = %s::regclass", [column, table]).fetchone()[0]
            other = "timestamp" if kind == "date" else "date"
            s.run(f"ALTER TABLE {table} ALTER {column} TYPE {other}")
        case 1:
            table = s.rng.choice(["pairs", "orders"])
            if attributes(s, table) < ATTRIBUTES_MAX:
                s.run(f"ALTER TABLE {table} ADD x{s.number}_{s.rng.randrange(10**9)} "
                      "double precision DEFAULT random()")
        case 2:
            s.run("CREATE TABLE people_new (LIKE people INCLUDING ALL)")
            s.run("INSERT INTO people_new SELECT * FROM people WHERE length(name) % 2 = 0")
            s.run("DROP TABLE people")
            s.run("ALTER TABLE people_new RENAME TO people")
    if s.rng.random() < 0.8:
        s.rng.choice([update_orders, change_people, change_pairs])(s)


def set_extra_column(s: Session) -> None:
    table = s.rng.choice(tables.CHANGING)
    if extra := extra_columns(s, table):
        name, kind = s.rng.choice(extra)
        value = s.rng.choice(EXTRA_TYPES[kind][1])
        s.run(f"UPDATE {table} SET {name} = coalesce(({value})::{kind}, {EXTRA_TYPES[kind][0]}) "
              f"WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} LIMIT %s))", [s.rng.randint(1, 5)])


def extra_columns(s: Session, table: str) -> list[tuple[str, str]]:
    return s.run("SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
                 "WHERE attrelid = %s::regclass AND NOT attisdropped AND attname ~ '^x[0-9]+_' "
                 "ORDER BY attname", [table]).fetchall()


def attributes(s: Session, table: str) -> int:
    return s.run("SELECT max(attnum) FROM pg_attribute WHERE attrelid = %s::regclass",
                 [table]).fetchone()[0]


def large_change(s: Session) -> None:
    """Tens of thousands of rows, which the server streams before it is known whether they stay."""
    first = s.rng.randint(1, tables.BULK)
    last = first + s.rng.choice([2_000, 10_000, 30_000])
    if s.rng.random() < 0.3:  # larger than many frames, in rows and in bytes
        s.run("INSERT INTO bulk SELECT i, repeat(md5(random()::text), 15), i "
              "FROM generate_series(%s::int, %s) i ON CONFLICT DO NOTHING", [first, first + 10_000])
    match s.rng.randrange(4):
        case 0 | 1:
            s.run("INSERT INTO bulk SELECT i, md5(i::text), i / 3.0 "
                  "FROM generate_series(%s::int, %s) i ON CONFLICT DO NOTHING", [first, last])
        case 2:
            s.run("UPDATE bulk SET payload = payload || 'u', number = 'NaN' "
                  "WHERE id BETWEEN %s AND %s", [first, last])
        case 3:
            s.run("DELETE FROM bulk WHERE id BETWEEN %s AND %s", [first, last])


Operation = typing.Callable[[Session], None]
SMALL: list[tuple[float, Operation]] = [
    (10, insert_orders), (3, upsert_order), (12, update_orders), (6, update_few_orders),
    (5, delete_orders), (6, delete_and_insert_again), (6, move_order), (6, swap_orders),
    (3, shift_orders), (10, change_people), (10, change_parts), (10, change_pairs),
    (3, rotate_pairs), (10, insert_readings), (10, delete_readings), (7, update_readings),
    (10, change_events), (10, change_shapes), (15, change_tasks), (25, transfer),
    (2, write_elsewhere), (1, copy_rows), (3, set_extra_column),
]
# Operations that may be left out by name, with their share of all transactions.
SPECIAL: dict[str, tuple[float, Operation]] = {
    "large": (0.006, large_change),
    "truncate": (0.004, empty_tables),
    "columns": (0.006, change_columns),
    "remake": (0.002, remake_table),
}
