#!/usr/bin/env python3
"""Private PostgreSQL servers for tests, demo and benchmarks.

A library (`PgServer`) and a command that prints JSON, for test programs in other languages:

    pg_server.py start --dir D [--bindir B] [--port P] [--set name=value ...]
    pg_server.py stop|restart --dir D [--mode fast|immediate|smart]

One folder holds one server: its data, log, socket and `server.json`. The server refuses to run as
root, so root starts it as the user postgres. It never outlives `stop`; nothing is killed by name.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PORTS = range(20000, 32000)  # above 32768 lies the ephemeral range: taken at random
SOCKET_PATH_MAX = 90  # bytes; the kernel's limit is 107, the server appends its own name
START_ATTEMPTS = 5
DEFAULTS = {
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    # A killed server loses nothing without it, for the operating system goes on; only a power
    # failure would tell the difference, and these servers live as long as one test.
    "fsync": "off",
}


class PgError(Exception):
    """A server that does not start or stop; the message ends with the server's own words."""


def find_bindir(bindir: str | None = None) -> pathlib.Path:
    """The folder with initdb and postgres: as given, else LEAT_POSTGRES, else the newest that Debian
    installed."""
    bindir = bindir or os.environ.get("LEAT_POSTGRES")
    if bindir is not None:
        candidates = [pathlib.Path(bindir), pathlib.Path(bindir) / "bin"]
    else:
        candidates = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists():
            return candidate.resolve()
    raise PgError(f"no PostgreSQL server found in {bindir or '/usr/lib/postgresql'}")


def free_port() -> int:
    """A port of PORTS that nobody listens on now; the caller retries if another takes it first."""
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise PgError(f"no free port between {PORTS.start} and {PORTS.stop}")


class PgServer:
    """One server in one folder. Use it as a context manager, or call stop() and remove()."""

    def __init__(self, folder: str | os.PathLike, bindir: str | None = None,
                 settings: dict[str, str] | None = None, port: int | None = None):
        self.folder = pathlib.Path(folder).resolve()
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.bindir = find_bindir(bindir)
        self.settings = DEFAULTS | (settings or {})
        self.port = port
        self.port_is_fixed = port is not None

    @classmethod
    def attach(cls, folder: str | os.PathLike) -> "PgServer":
        """The server that an earlier `start` left in the folder."""
        record = pathlib.Path(folder) / "server.json"
        if not record.exists():
            raise PgError(f"no server in {folder}: {record.name} is missing")
        known = json.loads(record.read_text())
        return cls(folder, known["bindir"], known["settings"], known["port"])

    @classmethod
    @contextlib.contextmanager
    def temporary(cls, **options):
        """A server in a temporary folder that is stopped and removed at the end."""
        server = cls(tempfile.mkdtemp(prefix="leat-pg-"), **options)
        try:
            server.start()
            yield server
        finally:
            server.remove()

    def uri(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, or None if it does not run."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            name, state = re.search(r"\((.*)\) (.)", pathlib.Path(
                f"/proc/{pid}/stat").read_text()).groups()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        # A file left by a crash may name a process that is dead or somebody else's by now.
        return pid if name == "postgres" and state != "Z" else None

    def start(self) -> "PgServer":
        """Creates the data folder if there is none, and starts the server."""
        if not (self.data / "PG_VERSION").exists():
            self._create()
        if self.pid is not None:
            raise PgError(f"a server runs already in {self.folder}")
        for attempt in range(START_ATTEMPTS):
            if self.port is None:
                self.port = free_port()
            self._configure()
            started = self._as_server("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "60",
                                      "start")
            if started.returncode == 0:
                self._record()
                return self
            taken = "could not bind" in self._log_tail() and not self.port_is_fixed
            if not taken or attempt + 1 == START_ATTEMPTS:
                break
            self.port = None
        raise PgError(f"PostgreSQL does not start in {self.folder}: {self._log_tail()}")

    def make_standby(self, settings: dict[str, str]) -> "PgServer":
        """A standby of this server, which is stopped for the copy and started again; not yet started
        itself. `settings` say at least primary_conninfo or what leads to this server."""
        self.stop()
        standby = PgServer(tempfile.mkdtemp(prefix="leat-pg-"), self.bindir, self.settings | settings)
        if os.geteuid() == 0:
            standby._open_to_server_user()
        copied = self._as_server("/bin/cp", "-a", self.data, standby.folder)
        if copied.returncode != 0:
            raise PgError(f"{self.folder} cannot be copied: {copied.stderr}")
        (standby.data / "standby.signal").touch()
        self.restart()
        return standby

    def stop(self, mode: str = "fast") -> None:
        """Stops the server; `immediate` is a crash, recovered at the next start."""
        pid = self.pid
        if pid is None:
            return
        if self._as_server("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "60",
                           "stop").returncode != 0 and self.pid is not None:
            raise PgError(f"PostgreSQL {pid} does not stop: {self._log_tail()}")

    def restart(self, mode: str = "fast") -> None:
        """Stops and starts again on the same port."""
        self.stop(mode)
        self.port_is_fixed = True
        self.start()

    def remove(self) -> None:
        """Ends the server whatever it does, and deletes its folder."""
        try:
            self.stop("immediate")
        except PgError:
            if (pid := self.pid) is not None:
                os.kill(pid, signal.SIGKILL)
                deadline = time.monotonic() + 10
                while self.pid is not None and time.monotonic() < deadline:
                    time.sleep(0.05)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "PgServer":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop("immediate")

    def _create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self._open_to_server_user()
        made = self._as_server("initdb", "-D", self.data, "-U", "postgres", "-A", "trust",
                               "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        if made.returncode != 0:
            raise PgError(f"initdb failed in {self.folder}: {made.stderr.strip()}")

    def _open_to_server_user(self) -> None:
        shutil.chown(self.folder, "postgres", "postgres")
        for path in (self.folder, self.bindir):
            reach = subprocess.run([*self._prefix(), "test", "-x", str(path)])
            if reach.returncode != 0:
                raise PgError(f"the user postgres cannot enter {path}: "
                              "use a folder below /tmp, or open its parents to others")

    def _configure(self) -> None:
        settings = dict(self.settings, port=str(self.port))
        fits = len(str(self.folder)) <= SOCKET_PATH_MAX
        settings.setdefault("unix_socket_directories", str(self.folder) if fits else "")
        lines = ["# written by tools/pg_server.py at each start"]
        lines += [f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'"
                  for name, value in settings.items()]
        own = self.data / "leat.conf"
        own.write_text("\n".join(lines) + "\n")
        main = self.data / "postgresql.conf"
        include = "include 'leat.conf'"
        if include not in main.read_text():
            with main.open("a") as out:
                out.write(f"\n{include}\n")
        if os.geteuid() == 0:
            shutil.chown(own, "postgres", "postgres")

    def _record(self) -> None:
        (self.folder / "server.json").write_text(json.dumps(
            {"port": self.port, "bindir": str(self.bindir), "settings": self.settings}))

    def describe(self) -> dict:
        return {"port": self.port, "pid": self.pid, "dir": str(self.folder), "uri": self.uri()}

    def _prefix(self) -> list[str]:
        clean = ["env", "-i", f"HOME={self.folder}", "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"]
        if os.geteuid() != 0:
            return clean
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *clean]

    def _as_server(self, program: str, *arguments) -> subprocess.CompletedProcess:
        command = [*self._prefix(), str(self.bindir / program), *map(str, arguments)]
        # The server inherits what it is given; a pipe that it held would never end.
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=out, text=True)
            out.seek(0)
            done.stderr = out.read()
            return done

    def _log_tail(self) -> str:
        if not self.log.exists():
            return "no log was written"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])


def main() -> int:
    parser = argparse.ArgumentParser(description="start and stop private PostgreSQL servers")
    parser.add_argument("action", choices=["start", "stop", "restart"])
    parser.add_argument("--dir", required=True, help="the server's own folder")
    parser.add_argument("--bindir", help="folder of initdb and postgres (default: Debian's newest)")
    parser.add_argument("--port", type=int, help="default: a free one below 32768")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="a line of postgresql.conf")
    parser.add_argument("--mode", default="fast", choices=["fast", "immediate", "smart"])
    options = parser.parse_args()
    try:
        if options.action == "start":
            settings = dict(item.split("=", 1) for item in options.set)
            server = PgServer(options.dir, options.bindir, settings, options.port).start()
        else:
            server = PgServer.attach(options.dir)
            server.stop(options.mode) if options.action == "stop" else server.restart(options.mode)
    except PgError as error:
        print(f"pg_server: {error}", file=sys.stderr)
        return 1
    print(json.dumps(server.describe()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
