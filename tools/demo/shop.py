"""The demo's source: a small shop in PostgreSQL and the people who shop there all the time."""

import random
import threading

import psycopg

CUSTOMERS = 5_000
ORDERS = 100_000
SHOPPERS = 2
PAUSE_SECONDS = 0.004  # between a shopper's transactions

SCHEMA = f"""
CREATE TABLE customers (
    id int PRIMARY KEY, name text NOT NULL, city text, since date NOT NULL, notes text);
CREATE TABLE orders (
    id bigserial PRIMARY KEY, customer int NOT NULL REFERENCES customers,
    amount numeric(12,2) NOT NULL, status text NOT NULL DEFAULT 'new', tags text[],
    changed timestamptz NOT NULL DEFAULT clock_timestamp());
INSERT INTO customers
    SELECT i, 'customer ' || i, (ARRAY['Exeter', 'Tavistock', 'Plymouth', NULL])[1 + i % 4],
        date '2015-01-01' + i % 3000, repeat(md5(i::text), i % 90)
    FROM generate_series(1, {CUSTOMERS}) i;
INSERT INTO orders (customer, amount, status, tags)
    SELECT 1 + i % {CUSTOMERS}, (i % 9973) * 0.37, 'paid', ARRAY['web', i::text]
    FROM generate_series(1, {ORDERS}) i;
"""


class Shoppers:
    """Threads that order, pay, cancel and move house until stopped."""

    def __init__(self, uri: str):
        self.uri = uri
        self.transactions = 0
        self.failure: Exception | None = None
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._shop, args=(number,), daemon=True)
                         for number in range(SHOPPERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _shop(self, number: int) -> None:
        rng = random.Random(number)
        try:
            with psycopg.connect(self.uri) as connection:
                while not self._stopping.wait(PAUSE_SECONDS):
                    rng.choices(ACTS, WEIGHTS)[0](connection, rng)
                    connection.commit()
                    self.transactions += 1
        except psycopg.Error as error:
            self.failure = error


def order(connection: psycopg.Connection, rng: random.Random) -> None:
    amount = rng.randrange(1, 10**6) / 100
    connection.execute("INSERT INTO orders (customer, amount, tags) "
                       "SELECT %s, %s, ARRAY['live'] FROM generate_series(1, %s)",
                       [rng.randint(1, CUSTOMERS), amount, rng.randint(1, 3)])


def pay(connection: psycopg.Connection, rng: random.Random) -> None:
    connection.execute("UPDATE orders SET status = 'paid', changed = clock_timestamp() "
                       "WHERE id = (SELECT max(id) FROM orders) - %s", [rng.randrange(200)])


def cancel(connection: psycopg.Connection, rng: random.Random) -> None:
    connection.execute("DELETE FROM orders WHERE id = %s", [rng.randint(1, ORDERS)])


def move_house(connection: psycopg.Connection, rng: random.Random) -> None:
    """The long notes do not travel with such a change; the warehouse must keep its own."""
    connection.execute("UPDATE customers SET city = %s WHERE id = %s",
                       [rng.choice(["Exeter", "Totnes", None]), rng.randint(1, CUSTOMERS)])


def renumber(connection: psycopg.Connection, rng: random.Random) -> None:
    connection.execute("UPDATE orders SET id = nextval('orders_id_seq'), "
                       "changed = clock_timestamp() WHERE id = %s", [rng.randint(1, ORDERS)])


ACTS = [order, pay, cancel, move_house, renumber]
WEIGHTS = [50, 30, 8, 8, 4]
