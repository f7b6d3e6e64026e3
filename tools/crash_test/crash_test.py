#!/usr/bin/env python3
"""Kills the pipeline thousands of ways under a nasty workload and proves that nothing is lost.

    crash_test.py --cycles 300 --seed 1          kills at random and at every failpoint
    crash_test.py --source mongodb --cycles 300  the same over MongoDB
    crash_test.py --bank --cycles 20             totals stay constant in every epoch one can see

One seed gives one plan of kills and one sequence of changes per writer (`leat simulate --mix
nasty`); how they interleave is the machine's. Prints a line per cycle and a report as JSON. Exit
code 0: every row was where it belongs; 1: not, with the folder kept and the command that repeats the
run; 2: wrong arguments.
"""

import argparse
import json
import os
import pathlib
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "compare")]

from harness import FAILURES, CrashTest, Report  # noqa: E402
from leat_process import find_binary  # noqa: E402
from mongodb.database import MongoDatabase  # noqa: E402
from postgres.bank import BankTest  # noqa: E402
from postgres.database import PostgresDatabase  # noqa: E402

DATABASES = {"postgres": PostgresDatabase, "mongodb": MongoDatabase}
FEATURES = ["server_crash", "restore", "upheaval", "knobs", "forget"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="crash test of leat on a real server")
    parser.add_argument("--source", choices=DATABASES, default="postgres")
    parser.add_argument("--cycles", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--rate", type=float, help="changes per second (postgres 800, mongodb 3000;"
                        " bank: 1000 transfers)")
    parser.add_argument("--lanes", type=int, default=2, help="DuckDB sinks")
    parser.add_argument("--duration-per-cycle", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument("--minutes", type=float, default=24 * 60, help="end after so long")
    parser.add_argument("--verify-every", type=int, default=6, metavar="CYCLES")
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--without", type=lambda text: text.split(","), default=[],
                        help="leave out, separated by commas; of either source: "
                        + ", ".join(FEATURES))
    parser.add_argument("--bank", action="store_true", help="the bank-transfer test instead (postgres)")
    parser.add_argument("--leat", help="the program (default: build/release)")
    parser.add_argument("--bindir", help="PostgreSQL's programs (default: Debian's newest)")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a good run, too")
    parser.add_argument("--report", type=pathlib.Path, help="write the JSON report here as well")
    options = parser.parse_args()
    known = FEATURES + DATABASES[options.source].features
    if set(options.without) - set(known):
        parser.error(f"--without: choose from {', '.join(known)}")
    if options.bank and options.source != "postgres":
        parser.error("--bank is for postgres")
    default = 1000 if options.bank else DATABASES[options.source].rate
    options.rate = options.rate or default
    return options


def repeat_command(options: argparse.Namespace) -> str:
    words = [sys.executable, os.path.relpath(__file__)] + sys.argv[1:]
    if "--seed" not in " ".join(sys.argv):
        words += ["--seed", str(options.seed)]
    return shlex.join(words)


def main() -> int:
    options = arguments()
    # A terminated test must stop its server, too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"leat-crash-{options.seed}-"))
    folder.chmod(0o755)  # the server's user must pass
    report = Report(seed=options.seed, lanes=options.lanes, without=options.without)
    print(f"seed {options.seed}, folder {folder}", flush=True)
    begun = time.monotonic()
    try:
        database = DATABASES[options.source](folder, options)
        test = BankTest if options.bank else CrashTest
        test(options, database, find_binary(options.leat), folder, report).run()
        report.result = "ok"
    except FAILURES as failure:
        report.result, report.failure = "failed", str(failure)
        print(f"\nFAILED after {report.cycles} whole cycles: {failure}\n\n"
              f"repeat: {repeat_command(options)}\nkept:   {folder}", file=sys.stderr, flush=True)
    finally:
        report.seconds = round(time.monotonic() - begun, 1)
        text = json.dumps(vars(report), indent=2)
        print(text)
        if options.report:
            options.report.write_text(text + "\n")
    if report.result == "ok" and not options.keep:
        shutil.rmtree(folder)
    return 0 if report.result == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
