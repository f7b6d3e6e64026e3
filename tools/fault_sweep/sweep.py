"""Lets every file system call of the log fail, one run each, and checks what is left.

    sweep.py                 every call x every fault, shared over --jobs processes
    sweep.py --sample 60     a sample of them by --seed
    sweep.py --only 'main fsync 7 EIO'   one of them again, kept for a look (its folder is named)

A first run without faults under strace lists the calls that each thread of the driver makes on the
log's folder. Then `strace -e inject` lets one of them fail, in one thread: the main one, or the
one that prepares segments. The driver's record says what it had proof for; the checker opens what
is left. Short writes and reads are real ones, made by the file interface.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

CALLS = ("openat,mkdir,read,pread64,preadv,write,pwrite64,pwritev,fsync,fdatasync,ftruncate,"
         "fallocate,close,rename,unlink,flock,getdents64,fstat,newfstatat,access,lseek")
FAULTS = ("EIO", "ENOSPC", "EINTR", "KILL")
WRITES = ("write", "pwrite64", "pwritev", "fallocate")
SYNCS = ("fsync", "fdatasync")
TIMEOUT_S = 60
ATTEMPTS = 5
LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")

Fault = collections.namedtuple("Fault", "thread call number fault")


class Driver:
    def __init__(self, binary: pathlib.Path, shelf: pathlib.Path) -> None:
        self.binary = binary
        self.shelf = shelf

    def lists(self) -> tuple[dict, int, int]:
        """Calls on the log's folder: {(thread, call): numbers}, and the counts of short faults."""
        folder = self.shelf / "plain"
        folder.mkdir()
        trace = folder / "trace"
        run = subprocess.run(["strace", "-f", "-y", "-o", trace, "-e", f"trace={CALLS}",
                              self.binary, "write", folder / "log"],
                             stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_S)
        assert run.returncode == 0 and run.stdout.endswith("done\n"), run.stdout[-300:]
        found = collections.defaultdict(list)
        counts = collections.Counter()
        threads = {}
        for line in trace.read_text(errors="replace").splitlines():
            match = LINE.match(line)
            if not match or "resumed>" in line:
                continue
            thread, call, rest = match.groups()
            # Every life has one thread more, which makes segments.
            name = threads.setdefault(thread, f"life{len(threads)}" if threads else "main")
            counts[name, call] += 1
            if str(folder / "log") in rest:
                found[name, call].append(counts[name, call])
        short = subprocess.run([self.binary, "write", folder / "short", "--short-write", "1000000"],
                               stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=True)
        writes, reads = re.search(r"^calls (\d+) (\d+)$", short.stdout, re.M).groups()
        assert found, "strace shows no call on the log's folder"
        return dict(found), int(writes), int(reads)

    def run(self, fault: Fault, folder: pathlib.Path) -> tuple[int, str, str]:
        """The driver with one fault: exit code, record, trace."""
        record = folder / "record"
        trace = folder / "trace"
        trace.touch()
        command = [self.binary, "write", folder / "log"]
        if fault.call == "file":
            command += [f"--{fault.fault}", str(fault.number)]
            with open(record, "wb") as out:
                code = subprocess.run(command, stdout=out, timeout=TIMEOUT_S).returncode
            return code, record.read_text(), ""
        what = "signal=KILL" if fault.fault == "KILL" else f"error={fault.fault}"
        strace = ["strace", "-y", "-o", trace, "-e", f"trace={CALLS}",
                  "-e", f"inject={fault.call}:{what}:when={fault.number}"]
        if fault.thread == "main":
            with open(record, "wb") as out:
                code = subprocess.run(strace + command, stdout=out, stderr=subprocess.DEVNULL,
                                      timeout=TIMEOUT_S).returncode
            return code, record.read_text(), trace.read_text(errors="replace")
        code = self.run_attached(strace, command + ["--attach-life", fault.thread[4:]], record)
        return code, record.read_text(), trace.read_text(errors="replace")

    @staticmethod
    def run_attached(strace: list, command: list, record: pathlib.Path) -> int:
        tracer = None
        with open(record, "w") as out:
            driver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            try:
                for line in driver.stdout:
                    out.write(line)
                    if line.startswith("preparer "):
                        tracer = subprocess.Popen(strace + ["-p", line.split()[1]],
                                                  stderr=subprocess.DEVNULL)
                return driver.wait(timeout=TIMEOUT_S)
            finally:
                driver.kill()
                driver.wait()
                if tracer:
                    tracer.wait(timeout=TIMEOUT_S)


class Checker:
    """One process that checks folder after folder."""

    def __init__(self, binary: pathlib.Path) -> None:
        self.process = subprocess.Popen([binary, "check"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def check(self, folder: pathlib.Path) -> str:
        self.process.stdin.write(f"{folder / 'log'} {folder / 'record'}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip() or "bad checker died"

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def judge(fault: Fault, code: int, record: str, trace: str) -> list[str]:
    """What the driver itself must not have done."""
    bad = []
    if fault.fault == "KILL":
        return bad
    if code not in (0, 3):
        bad.append(f"ended with {code}")
    error = re.search(r"^error (\w+) (.*)$", record, re.M)
    if (code == 3) != bool(error):
        bad.append(f"exit {code}, error {error}")
    if error and error[1] not in ("fatal", "config"):
        bad.append(f"stopped with {error[1]}: {error[2]}")
    if fault.call == "file" and code != 0:
        bad.append("short read or write was noticed")
    if fault.fault == "EINTR" and code != 0 and fault.call not in SYNCS + ("close",):
        bad.append(f"interruption was noticed: {error[2] if error else ''}")
    if fault.fault == "ENOSPC" and code != 0 and fault.call in WRITES:
        bad.append(f"a full disk ended it: {error[2] if error else ''}")
    if fault.call in SYNCS:
        bad += syncs_again(fault, code, trace)
    return bad


def reached(fault: Fault, code: int, trace: str) -> bool:
    if fault.fault == "KILL":
        return code not in (0, 3)
    return fault.call == "file" or any("(INJECTED)" in line and "/log" in line
                                       for line in trace.splitlines())


def syncs_again(fault: Fault, code: int, trace: str) -> list[str]:
    """A sync that failed ends the log: it is not tried again, nothing is written behind it."""
    lines = trace.splitlines()
    at = next(i for i, line in enumerate(lines) if "(INJECTED)" in line)
    name = re.search(r"\(\d+<([^>]*)>", lines[at])[1]
    said = next((line for line in lines[at + 1:] if "write(1<" in line), "")
    if code == 0 and fault.thread == "main" and re.search(r'"(life|done)', said):
        return []  # hints of a log that is being closed: nothing hangs on them
    after = [line for line in lines[at + 1:] if "/log" in line and not line.startswith("close(")]
    if fault.thread != "main" and not after:
        return []  # the log ended, at the latest by being closed: the preparer did nothing more
    bad = [] if code == 3 else [f"went on after a failed {fault.call} of {name}"]
    for line in lines[at + 1:]:
        if re.match(r"(fsync|fdatasync|pwritev|pwrite64)\(", line) and f"<{name}>" in line:
            bad.append(f"after a failed {fault.call}: {line.strip()}")
    return bad


class Sweep:
    def __init__(self, driver: Driver, jobs: int, keep: bool) -> None:
        self.driver = driver
        self.keep = keep
        self.checkers = queue.Queue()
        for _ in range(jobs):
            self.checkers.put(Checker(driver.binary))
        self.outcomes = collections.Counter()

    def one(self, fault: Fault) -> list[str]:
        """The violations. How far the preparer comes before a log is closed differs a little."""
        for _ in range(ATTEMPTS):
            bad = self.attempt(fault)
            if bad is not None:
                return bad
        self.outcomes["missed"] += 1
        return [] if fault.thread != "main" else ["call was not reached"]

    def attempt(self, fault: Fault) -> list[str] | None:
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.driver.shelf))
        checker = self.checkers.get()
        try:
            code, record, trace = self.driver.run(fault, folder)
            if not reached(fault, code, trace):
                return None
            bad = judge(fault, code, record, trace)
            answer = checker.check(folder)
        except subprocess.TimeoutExpired:
            return ["hangs"]
        finally:
            self.checkers.put(checker)
            if not self.keep:
                shutil.rmtree(folder, ignore_errors=True)
        if not answer.startswith("ok"):
            bad.append(answer)
        outcome = {0: "went on", 3: "stopped"}.get(code, "killed")
        if answer.startswith("ok") and answer != "ok torn 0, unfinished 0":
            self.outcomes[outcome, "cut"] += 1
        self.outcomes[outcome] += 1
        if self.keep:
            print(f"{folder}: exit {code}, {answer}\n{record[-400:]}")
        return bad

    def end(self) -> None:
        while not self.checkers.empty():
            self.checkers.get().end()


def all_faults(found: dict, writes: int, reads: int) -> list[Fault]:
    faults = [Fault(thread, call, number, fault) for (thread, call), numbers in found.items()
              for number in numbers for fault in FAULTS]
    faults += [Fault("any", "file", n + 1, "short-write") for n in range(writes)]
    faults += [Fault("any", "file", n + 1, "short-read") for n in range(reads)]
    return faults


def choose(options: argparse.Namespace, faults: list[Fault]) -> list[Fault]:
    if options.only:
        thread, call, number, fault = options.only.split()
        return [Fault(thread, call, int(number), fault)]
    if options.kind:
        thread, call = options.kind.split()
        faults = [fault for fault in faults if (fault.thread, fault.call) == (thread, call)]
    if not options.sample:
        return faults
    # Some of every kind, so that a small sample meets every call.
    kinds = collections.defaultdict(list)
    for fault in faults:
        kinds[fault.thread[:4], fault.call, fault.fault].append(fault)
    source = random.Random(options.seed)
    chosen = [source.choice(kind) for kind in kinds.values()]
    if len(chosen) < options.sample:
        chosen += source.sample(faults, min(len(faults), options.sample - len(chosen)))
    return source.sample(chosen, min(len(chosen), options.sample))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one fault: THREAD CALL NUMBER FAULT")
    parser.add_argument("--kind", help="the faults of one call: THREAD CALL")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    binary = pathlib.Path(os.environ["LEAT_BINARY"]).parent / "fault_driver"
    memory = pathlib.Path("/dev/shm")
    shelf = pathlib.Path(tempfile.mkdtemp(prefix="leat_faults_", dir=memory if memory.is_dir()
                                          else None))
    if subprocess.run(["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode:
        print("strace cannot trace here", file=sys.stderr)
        return 77
    started = time.monotonic()
    sweep = None
    try:
        driver = Driver(binary, shelf)
        found, writes, reads = driver.lists()
        faults = all_faults(found, writes, reads)
        chosen = choose(options, faults)
        sweep = Sweep(driver, options.jobs, bool(options.only))
        violations = 0
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for fault, bad in zip(chosen, pool.map(sweep.one, chosen)):
                violations += bool(bad)
                for line in bad:
                    print(f"'{' '.join(map(str, fault))}': {line}", flush=True)
    finally:
        if sweep:
            sweep.end()
        if not options.only:
            shutil.rmtree(shelf, ignore_errors=True)
    calls = sum(len(numbers) for numbers in found.values())
    print(f"{calls} calls of the log on its files, {len(faults)} faults, {len(chosen)} run with "
          f"seed {options.seed} in {time.monotonic() - started:.0f} s: "
          f"{sweep.outcomes['went on']} went on, {sweep.outcomes['stopped']} stopped, "
          f"{sweep.outcomes['killed']} killed; "
          f"{sum(n for what, n in sweep.outcomes.items() if 'cut' in what)} were cut at the next "
          f"start; {sweep.outcomes['missed']} were not reached; {violations} violations")
    for (thread, call), numbers in sorted(found.items()):
        print(f"  {thread} {call}: {len(numbers)}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
