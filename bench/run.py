#!/usr/bin/env python3
"""make bench: every number with its reference, measured in turn in the same run.

    run.py [--only NAME ...] [--rounds N] [--scale F]

Writes bench/results/<name>.json, a list of {name, value, unit, reference, reference_value, ratio,
conditions}, and a table on the screen. Rates are counted at the sink by queries, contents are
compared by sums over all columns, CPU seconds and peak memory come from the kernel.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import duckdb

import mongodb
from workload import (BUILD, ROOT, Run, Source, counting_stream, cpu_of, query, recvlogical, timed,
                      wait_for_rows, write_pipeline)

RESULTS = ROOT / "bench" / "results"
SUMS = """SELECT count(*)::bigint::text || '/' || sum(id)::text || '/' || sum(kind)::bigint::text
    || '/' || sum(length(name))::bigint::text || '/' || sum(length(note))::bigint::text || '/'
    || sum(amount)::text || '/' || count(*) FILTER (WHERE good)::bigint::text FROM {table}"""


class Results:
    def __init__(self, name):
        self.name = name
        self.entries = []

    def add(self, name, values, unit, reference="", reference_values=(), ratio=None, **conditions):
        """Medians; the ratio is the median of the pairs unless it is given."""
        values = list(values)
        reference_values = list(reference_values)
        if ratio is None and reference_values:
            ratio = statistics.median(a / b for a, b in zip(values, reference_values))
        middle = lambda list_: round(statistics.median(list_), 3) if list_ else None
        entry = {"name": name, "value": middle(values), "unit": unit, "reference": reference,
                 "reference_value": middle(reference_values),
                 "ratio": round(ratio, 3) if ratio is not None else None,
                 "conditions": conditions | {"all": [round(v, 3) for v in values], "all_reference":
                                             [round(v, 3) for v in reference_values]}}
        self.entries.append(entry)
        shown = f"{entry['name']:<44} {entry['value']:>12,.3f} {unit:<10}"
        if entry["ratio"] is not None:
            shown += f" ratio {entry['ratio']:.2f} of {reference} {entry['reference_value']:,.3f}"
        print(shown, flush=True)

    def write(self):
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self.name}.json").write_text(json.dumps(self.entries, indent=1) + "\n")


def check_contents(source, name, table):
    here = source.sql(SUMS.format(table=table))[0][0]
    there = query(source, name, SUMS.format(table=table))
    if here != there:
        raise RuntimeError(f"contents differ: source {here}, warehouse {there}")


def prepare(source, name, tables):
    """A pipeline whose snapshot is done and which is stopped: what follows is its backlog."""
    pipeline, warehouse = write_pipeline(source, name, tables)
    Run(pipeline, "--until-caught-up").wait()
    return pipeline, warehouse


def drain(results, rounds, scale):
    rows = int(1_000_000 * scale)
    for per_transaction in (10_000, 100, 1):
        rates, references, cpu, counting, rss = [], [], [], [], []
        for number in range(rounds):
            with Source() as source:
                source.make_events()
                name = f"drain_{per_transaction}_{number}"
                pipeline, _ = prepare(source, name, ["public.events"])
                source.slot("c0", "events")
                source.slot("counting", "events")
                source.insert(rows - 1, per_transaction)
                end, end_number = source.mark_end()
                references.append(rows / recvlogical(source, "c0", end))
                run = Run(pipeline)
                seconds = wait_for_rows(source, name, "events", rows, run)
                check_contents(source, name, "events")
                run.stop()
                rates.append(rows / seconds)
                cpu.append(run.cpu_seconds / rows * 1e6)
                rss.append(run.peak_rss / 2**20)
                counting.append(counting_stream(source, "counting", end_number)["cpu_seconds"]
                                / rows * 1e6)
        results.add(f"drain of inserts, {per_transaction} rows a transaction", rates, "rows/s",
                    "C0 pg_recvlogical", references, rows=rows)
        results.add(f"  CPU, {per_transaction} rows a transaction", cpu, "CPU-s/M",
                    "counting client", counting, rows=rows, peak_rss_mib=max(rss))


def capture_cpu(results, rounds, scale):
    rows = int(1_000_000 * scale)
    cpu, counting = [], []
    for number in range(rounds):
        with Source() as source:
            source.make_events()
            name = f"capture_{number}"
            pipeline, _ = prepare(source, name, ["public.events"])
            source.slot("counting", "events")
            source.insert(rows - 1, 100)
            _, end_number = source.mark_end()
            counting.append(counting_stream(source, "counting", end_number)["cpu_seconds"]
                            / rows * 1e6)
            run = Run(pipeline, "--only", "capture", "--until-caught-up").wait()
            cpu.append(run.cpu_seconds / rows * 1e6)
    results.add("CPU of capture into the log", cpu, "CPU-s/M", "counting client", counting,
                rows=rows)


def mixed(results, rounds, scale):
    """40/35/15/10 insert, update, delete, key change; Zipf-like keys; a table of 4 M rows."""
    keys, transactions = int(4_000_000 * scale), int(5_000 * scale)
    rates, references, delivery = [], [], []
    for number in range(rounds):
        with Source() as source:
            source.make_events(keys)
            name = f"mixed_{number}"
            pipeline, _ = prepare(source, name, ["public.events"])
            source.slot("c0", "events")
            changes = source.simulate("--mix", "moving", "--events", transactions * 100,
                                      "--transaction", 100, "--seed", number + 1)["changes"]
            end, _ = source.mark_end()
            reference = recvlogical(source, "c0", end)
            captured = Run(pipeline, "--only", "capture", "--until-caught-up").wait()
            delivered = Run(pipeline, "--only", "deliver", "--until-caught-up").wait()
            rates.append(changes / max(captured.seconds, delivered.seconds))
            references.append(changes / reference)
            delivery.append(changes / delivered.seconds)
            run = Run(pipeline)
            wait_for_rows(source, name, "events", 1, run)
            check_contents(source, name, "events")
            run.stop()
    results.add("mixed changes, slower of capture and delivery", rates, "changes/s",
                "C0 pg_recvlogical", references, keys=keys, transactions=transactions)
    results.add("mixed changes, delivery from a filled log", delivery, "changes/s", keys=keys)


def append_alone(source, warehouse, rows):
    """The rows of a filled warehouse into a new file by DuckDB alone, one thread; rows a second."""
    with duckdb.connect(str(warehouse), read_only=True) as filled:
        held = filled.sql("FROM narrow").to_arrow_table()
    path = source.folder / "append_alone.duckdb"
    with duckdb.connect(str(path), config={"threads": 1}) as target:
        target.execute("CREATE TABLE narrow AS FROM held LIMIT 0")
        started = time.monotonic()
        target.execute("INSERT INTO narrow FROM held")
        target.execute("CHECKPOINT")
        seconds = time.monotonic() - started
    path.unlink()
    return rows / seconds


def snapshot(results, rounds, scale):
    """Reference: the slower of the server's COPY and of DuckDB's own appending."""
    rows = int(10_000_000 * scale)
    rates, copies, appends, cpu, rss = [], [], [], [], []
    copy = "COPY (SELECT * FROM narrow WHERE id % 2 = {}) TO STDOUT (FORMAT binary)"
    with Source() as source:
        source.sql("CREATE TABLE narrow (id bigint PRIMARY KEY, kind int, name text, at timestamptz,"
                   " good boolean)")
        source.sql(f"INSERT INTO narrow SELECT i, i % 17, 'c' || i % 50000, now(), i % 3 = 0 "
                   f"FROM generate_series(1, {rows}) i")
        source.sql("VACUUM FREEZE ANALYZE narrow")
        for number in range(rounds):
            started = time.monotonic()
            clients = [subprocess.Popen([BUILD / "bin" / "postgres_counting_client", "copy",
                                         source.server.uri(), copy.format(half)],
                                        stdout=subprocess.DEVNULL) for half in (0, 1)]
            if any(client.wait() for client in clients):
                raise RuntimeError("counting client failed")
            copied = rows / (time.monotonic() - started)
            name = f"snapshot_{number}"
            pipeline, warehouse = write_pipeline(source, name, ["public.narrow"])
            run = Run(pipeline)
            seconds = wait_for_rows(source, name, "narrow", rows, run, every=0.1)
            run.stop()
            rates.append(rows / seconds)
            cpu.append(run.cpu_seconds / rows * 1e6)
            rss.append(run.peak_rss / 2**20)
            copies.append(copied)
            appends.append(append_alone(source, warehouse, rows))
            timed([os.environ.get("LEAT_BINARY", BUILD / "bin" / "leat"), "drop", pipeline, "--yes"])
    for reference, values in (("COPY binary, 2 connections", copies), ("DuckDB alone", appends)):
        results.add("snapshot of narrow rows", rates, "rows/s", reference, values, rows=rows,
                    peak_rss_mib=max(rss))
    results.add("  CPU of the snapshot", cpu, "CPU-s/M", rows=rows)


def latency(results, rounds, scale):
    """Commit → visible to a query, at 1,000 transactions a second, half updates of 4 M rows."""
    keys, seconds = int(4_000_000 * scale), 20
    with Source() as source:
        source.make_events(keys)
        source.sql("CREATE TABLE clock (id int PRIMARY KEY, written double precision)")
        source.sql("INSERT INTO clock VALUES (1, 0)")
        pipeline, _ = prepare(source, "latency", ["public.events", "public.clock"])
        run = Run(pipeline)
        while query(source, "latency", "SELECT 1") is None:
            time.sleep(0.05)
        writer = subprocess.Popen([sys.executable, ROOT / "bench" / "paced_writer.py",
                                   source.server.uri(), str(keys), str(seconds)])
        delays, last = [], None
        while writer.poll() is None:
            seen = query(source, "latency", "SELECT written FROM clock")
            now = time.time()
            time.sleep(0.002)  # the machine has two cores, and the reader must not take one
            if seen != last and seen is not None:
                delays.append((now - float(seen)) * 1000)
                last = seen
        run.stop()
        lane = run.report["sinks"][0]
        delays = sorted(delays[len(delays) // 10:])
    for percentile in (50, 99):
        results.add(f"commit to visible, p{percentile}",
                    [delays[min(len(delays) - 1, len(delays) * percentile // 100)]], "ms",
                    samples=len(delays), keys=keys,
                    duty_cycle=round(lane["commit_seconds"] / run.report["seconds"], 3))


# A transaction of this size is the server's to write: the simulator keeps one in memory.
LARGE = """INSERT INTO events SELECT i, i % 17, 'customer-' || i % 50000, 'order number ' || i ||
    ' of the benchmark', (i % 1000000) / 100.0, timestamptz '2026-01-01 00:00:00+00' + i *
    interval '1 ms', i % 3 = 0 FROM generate_series(1, {}) i"""


def memory(results, rounds, scale):
    rows = int(10_000_000 * scale)
    with Source() as source:
        source.make_events()
        pipeline, _ = prepare(source, "backlog", ["public.events"])
        source.insert(rows, 10_000)
        run = Run(pipeline, "--until-caught-up").wait()
        results.add("peak RSS, backlog of inserts", [run.peak_rss / 2**20], "MiB", rows=rows)
    large = int(17_000_000 * scale)  # about 2 GB of row data
    with Source() as source:
        source.make_events()
        pipeline, _ = prepare(source, "large", ["public.events"])
        source.sql(LARGE.format(large))
        run = Run(pipeline, "--until-caught-up").wait()
        results.add("peak RSS, one transaction", [run.peak_rss / 2**20], "MiB", rows=large)


def recovery(results, rounds, scale):
    """kill -9 in the middle of delivering a backlog of about 1 GB, to the first new commit."""
    rows = int(9_000_000 * scale)
    times = []
    with Source() as source:
        source.make_events()
        pipeline, _ = prepare(source, "recovery", ["public.events"])
        source.insert(rows, 10_000)
        Run(pipeline, "--only", "capture", "--until-caught-up").wait()
        for _ in range(rounds):
            run = Run(pipeline)
            while int(query(source, "recovery", "SELECT count(*) FROM events") or 0) == 0:
                time.sleep(0.02)
            run.process.kill()
            run.wait()
            run = Run(pipeline)
            before = None
            while True:
                seen = query(source, "recovery", "SELECT count(*) FROM events")
                if seen is not None and before is not None and int(seen) > before:
                    break
                before = int(seen) if seen is not None and before is None else before
                time.sleep(0.02)
            times.append(time.monotonic() - run.started)
            run.process.kill()
            run.wait()
    results.add("kill -9 to first new commit", times, "s", rows_in_log=rows)


TRANSFORM = """transforms:
  - name: orders
    sql: SELECT id, kind::BIGINT AS kind, upper(name) AS name, note, amount * 1.19 AS gross,
      amount >= 500 AS high_value, "at", good FROM events WHERE kind <> 3 AND amount > 1
"""


def transform(results, rounds, scale):
    """Inserts through row-wise SQL: two filters, a cast, decimal arithmetic, eight columns; the sink
    takes what the SQL makes."""
    rows = int(1_000_000 * scale)
    rates, references, cpu, plain = [], [], [], []
    for number in range(rounds):
        with Source() as source:
            source.make_events()
            name = f"transform_{number}"
            pipeline, _ = write_pipeline(source, name, ["public.events"], ", tables: [orders]",
                                         TRANSFORM)
            Run(pipeline, "--until-caught-up").wait()
            without, _ = prepare(source, f"without_{number}", ["public.events"])
            source.slot("c0", "events")
            source.insert(rows - 1, 1_000)
            end, _ = source.mark_end()
            passed = source.sql("SELECT count(*) FROM events WHERE kind <> 3 AND "
                                "amount > 1")[0][0]
            references.append(rows / recvlogical(source, "c0", end))
            run = Run(pipeline)
            rates.append(rows / wait_for_rows(source, name, "orders", passed, run))
            run.stop()
            cpu.append(run.cpu_seconds / rows * 1e6)
            plain.append(Run(without, "--until-caught-up").wait().cpu_seconds / rows * 1e6)
    results.add("drain of inserts through a transform", rates, "rows/s", "C0 pg_recvlogical",
                references, rows=rows)
    results.add("  CPU with a transform", cpu, "CPU-s/M", "without it", plain, rows=rows)


def idle(results, rounds, scale):
    """A pipeline of 500 tables in which nothing happens, once it is up to date."""
    tables, seconds = 500, 60
    shares = []
    for number in range(rounds):
        with Source() as source:
            names = [f"t{i}" for i in range(tables)]
            for table in names:
                source.sql(f"CREATE TABLE {table} (id bigint PRIMARY KEY, v text)")
            name = f"idle_{number}"
            pipeline, _ = write_pipeline(source, name, [f"public.{table}" for table in names])
            Run(pipeline, "--until-caught-up").wait()
            run = Run(pipeline)
            while query(source, name, "SELECT 1") is None:
                time.sleep(0.1)
            time.sleep(5)
            before = cpu_of(run.process.pid)
            time.sleep(seconds)
            shares.append((cpu_of(run.process.pid) - before) / seconds * 100)
            run.stop()
    results.add("idle pipeline", shares, "% of a core", tables=tables, seconds=seconds)


def google_benchmark(program, rounds, *arguments):
    """The medians of a component benchmark, by name."""
    _, _, output = timed([program, "--benchmark_format=json", f"--benchmark_repetitions={rounds}",
                          "--benchmark_report_aggregates_only=true", *arguments])
    return {entry["run_name"]: entry for entry in json.loads(output)["benchmarks"]
            if entry.get("aggregate_name", "median") == "median"}


def append(results, rounds, scale):
    """Durable appends of 500-byte events against the same bytes by pwrite and fdatasync: once into
    files of zeros that were there before, once with the making of those files, as the log does."""
    medians = google_benchmark(BUILD / "bin" / "log_append_bench", rounds)
    for events in (2, 20, 200, 2_000, 8_000):
        mine = medians[f"log_append/{events}/real_time"]
        for zeros, reference in ((0, "raw into ready files"), (1, "raw, files made meanwhile")):
            raw = medians[f"raw_write/events:{events}/zeros:{zeros}/real_time"]
            results.add(f"durable append, {events} events a frame", [mine["items_per_second"]],
                        "events/s", reference, [raw["items_per_second"]], event_bytes=500)


def delivery(results, rounds, scale):
    """The sink alone against a minimal client of DuckDB that applies the same epochs."""
    _, _, output = timed([BUILD / "bin" / "duckdb_apply_bench", int(1_000 * scale), rounds])
    for line in output.splitlines():
        entry = json.loads(line)
        conditions = ", " + entry["conditions"] if "conditions" in entry else ""
        results.add(entry["name"] + conditions, [entry["value"]], entry["unit"],
                    entry.get("reference", ""),
                    [entry["reference_value"]] if "reference_value" in entry else ())


def components(results, rounds, scale):
    """The other benchmarks beside the code, as they print themselves."""
    with_reference = {"log_append_bench", "duckdb_apply_bench"}
    for program in sorted((BUILD / "bin").glob("*_bench")):
        if program.name in with_reference:
            continue
        for name, entry in google_benchmark(program, rounds).items():
            counters = {key: value for key, value in entry.items()
                        if isinstance(value, (int, float)) and key not in
                        ("family_index", "per_family_instance_index", "threads", "iterations",
                         "repetitions")}
            results.add(f"{program.name}: {name}", [entry["real_time"]], entry["time_unit"],
                        **counters)


MEASUREMENTS = {function.__name__: function for function in
                (drain, capture_cpu, mixed, snapshot, latency, memory, recovery, append, delivery,
                 transform, idle, components, *mongodb.MEASUREMENTS)}


def main():
    parser = argparse.ArgumentParser(description="measure leat against its references")
    parser.add_argument("--only", nargs="+", choices=sorted(MEASUREMENTS), default=MEASUREMENTS)
    parser.add_argument("--rounds", type=int, default=5, help="three where one takes minutes")
    parser.add_argument("--scale", type=float, default=1.0, help="of the row counts")
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
          f"{options.rounds} rounds, scale {options.scale}")
    for name in options.only:
        print(f"{name}:", flush=True)
        results = Results(name)
        MEASUREMENTS[name](results, options.rounds, options.scale)
        results.write()
    print(f"written to {pathlib.Path(RESULTS).relative_to(ROOT)}/")


if __name__ == "__main__":
    main()
