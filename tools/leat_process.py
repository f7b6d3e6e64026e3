"""Runs the program under test: one `Leat` per pipeline file, one `Running` per live process.

Used by the crash test and the demo. Processes die with the one that started them, so that an
interrupted test leaves nothing behind; how a process ended is told apart from how it should have.
"""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import time

STOP_SECONDS_MAX = 60  # to finish an epoch after SIGTERM


class LeatFailed(Exception):
    """The program ended in a way that nobody asked for."""


def find_binary(given: str | None = None) -> pathlib.Path:
    """The program: as given, as the build system says, else the release build of this tree."""
    tree = pathlib.Path(__file__).resolve().parent.parent
    candidates = [given] if given else [os.environ.get("LEAT_BINARY"),
                                        tree / "build/release/bin/leat"]
    for candidate in filter(None, candidates):
        if pathlib.Path(candidate).is_file():
            return pathlib.Path(candidate).resolve()
    raise LeatFailed(f"no leat program in {given or 'build/release'}: run make build, "
                     "or give its path with --leat")


@dataclasses.dataclass
class Running:
    """A live `leat run`; its stderr goes to a file."""
    process: subprocess.Popen
    log: pathlib.Path

    def wait(self, seconds: float) -> int | None:
        """The exit code (negative: the signal), or None if it still runs then."""
        try:
            return self.process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> int:
        """SIGKILL; the exit code tells whether it had already ended by itself."""
        self.process.kill()
        return self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the pipeline finishes its epoch."""
        self.process.send_signal(signal.SIGTERM)
        code = self.wait(STOP_SECONDS_MAX)
        if code is None:
            self.kill()
            raise LeatFailed(f"leat did not end within {STOP_SECONDS_MAX} s of SIGTERM\n"
                             f"{self.tail()}")
        return code

    def tail(self, lines: int = 25) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Simulation:
    """A live `leat simulate`: sample data and changes in a database."""

    def __init__(self, binary: pathlib.Path, uri: str, *arguments: str):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", str(binary), "simulate", uri, *arguments, "--json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True)

    def stop(self) -> dict:
        """SIGTERM; it finishes its transaction. What it did, as far as it is not over already; nothing
        if it had only just started and did not know of signals yet."""
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait() == -signal.SIGTERM:
            self.process.communicate()
            return {}
        return self.wait()

    def give_up(self) -> None:
        """Ends it, whatever it says: its server is gone, or its report is of no use."""
        self.process.terminate()
        try:
            self.process.communicate(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def wait(self) -> dict:
        """The report at its end."""
        output, errors = self.process.communicate()
        if self.process.returncode != 0:
            raise LeatFailed(f"leat simulate ended with {self.process.returncode}\n{errors}")
        return json.loads(output)


class Leat:
    """The program with one pipeline file, run in that file's folder."""

    def __init__(self, binary: pathlib.Path, pipeline: pathlib.Path,
                 environment: dict[str, str] | None = None):
        self.binary = binary
        self.pipeline = pipeline
        self.folder = pipeline.parent
        self.environment = os.environ | {"NO_COLOR": "1"} | (environment or {})

    def start(self, *arguments: str, failpoints: str = "", log: str = "leat.log") -> Running:
        """`leat run`; the log file is written anew."""
        environment = dict(self.environment)
        if failpoints:
            environment["LEAT_FAILPOINTS"] = failpoints
        path = self.folder / log
        with path.open("w") as out:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", str(self.binary), "run", str(self.pipeline),
                 *arguments],
                cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True)
        return Running(process, path)

    def run_until_caught_up(self, seconds_max: float) -> float:
        """`leat run --until-caught-up`, which must succeed; returns how long it took."""
        begun = time.monotonic()
        running = self.start("--until-caught-up", log="caught-up.log")
        try:
            code = running.wait(seconds_max)
            if code is None:
                raise LeatFailed(f"leat did not catch up within {seconds_max:.0f} s\n"
                                 f"{running.tail()}")
            if code != 0:
                raise LeatFailed(f"leat run --until-caught-up ended with {code}\n{running.tail()}")
        finally:
            if running.process.poll() is None:
                running.kill()
        return time.monotonic() - begun

    def command(self, *arguments: str) -> subprocess.CompletedProcess:
        """Any other command, with its output as text."""
        return subprocess.run([str(self.binary), *arguments], cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def drop(self) -> None:
        """`leat drop`: slot, publication and log go; the warehouse stays."""
        done = self.command("drop", str(self.pipeline), "--yes")
        if done.returncode != 0:
            raise LeatFailed(f"leat drop ended with {done.returncode}\n{done.stderr}")

    def query(self, statement: str, sink: str | None = None) -> list[list] | None:
        """Rows from the warehouse of the running process, as text; None if it gives no answer."""
        extra = ["--sink", sink] if sink else []
        done = self.command("query", str(self.pipeline), statement, "--json", *extra)
        return json.loads(done.stdout)["rows"] if done.returncode == 0 else None

    def failpoints(self) -> list[str]:
        done = self.command("version", "--json")
        if done.returncode != 0:
            raise LeatFailed(f"leat version ended with {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout)["failpoints"]
