#!/usr/bin/env python3
"""1,000 small transactions a second: half inserts, half updates of existing rows, and in every
tenth the wall clock written to a row of its own, for measuring how old what one sees is.

    paced_writer.py URI KEYS SECONDS
"""

import random
import sys
import time

import psycopg

RATE = 1000


def main():
    uri, keys, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(1)
    with psycopg.connect(uri) as connection, connection.cursor() as cursor:
        # A commit must be on disk to be sent; the walsender waits for it.
        cursor.execute("SET synchronous_commit = on")
        started = time.monotonic()
        for number in range(RATE * seconds):
            if number % 2:
                cursor.execute("UPDATE events SET kind = kind + 1 WHERE id = %s",
                               (chance.randint(1, keys),))
            else:
                cursor.execute("INSERT INTO events VALUES (%s, 1, 'name', 'note', 1.5, now(), true)",
                               (keys * 20 + number,))
            if number % 10 == 0:
                cursor.execute("UPDATE clock SET written = %s", (time.time(),))
            connection.commit()
            ahead = started + (number + 1) / RATE - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)


if __name__ == "__main__":
    main()
