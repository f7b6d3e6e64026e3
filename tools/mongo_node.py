"""One mongod process in one folder: its data, log and pid file. mongo_server.py makes a replica set
of one or three of them."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from pg_server import free_port

START_ATTEMPTS = 5
EXIT_SECONDS_MAX = 30
ADDRESS_IN_USE = 48  # mongod's own exit code
ALWAYS = [
    "--bind_ip", "127.0.0.1", "--nounixsocket", "--fork", "--logappend",
    # A bound and not what it takes. With 0.25 an update of a document of 9 MB with its pre-image
    # conflicts with the eviction for 300 s, for all versions of so long are kept in the cache.
    "--wiredTigerCacheSizeGB", "1",
    # A change stream shows what is durable; by default that would be up to 100 ms late.
    "--journalCommitInterval", "2",
]


class MongoError(Exception):
    """A server that does not start, stop or elect; the message ends with the server's own words."""


def find_version(version: str) -> pathlib.Path:
    """The folder with bin/mongod of a major version: LEAT_MONGODB_<version>, else what make setup
    has put into its cache."""
    cache = os.environ.get("LEAT_CACHE") or pathlib.Path.home() / ".cache" / "leat"
    root = pathlib.Path(os.environ.get(f"LEAT_MONGODB_{version}") or
                        pathlib.Path(cache) / f"mongodb-{version}")
    if not (root / "bin" / "mongod").exists():
        raise MongoError(f"no MongoDB {version} in {root}: run make setup")
    return root.resolve()


class MongoNode:
    """Started and stopped by its pid; the port stays the same once it was found."""

    def __init__(self, folder: pathlib.Path, root: pathlib.Path, arguments: list[str],
                 port: int | None = None):
        self.folder = folder
        self.root = root
        self.arguments = arguments
        self.port = port
        self.log = folder / "server.log"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id, or None if it does not run."""
        try:
            pid = int((self.folder / "pid").read_text())
            name, state = re.search(r"\((.*)\) (.)", pathlib.Path(
                f"/proc/{pid}/stat").read_text()).groups()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        # A file left by a crash may name a process that is dead or somebody else's by now.
        return pid if name == "mongod" and state != "Z" else None

    def start(self) -> None:
        """Returns when it listens; does nothing if it runs already."""
        if self.pid is not None:
            return
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        fixed = self.port is not None
        for _ in range(START_ATTEMPTS):
            if not fixed:
                self.port = free_port()
            code = self._launch()
            if code == 0:
                return
            if code != ADDRESS_IN_USE:
                break
            time.sleep(0.1 if fixed else 0)  # a port of our own is ours again in a moment
        raise MongoError(f"mongod ended with {code} in {self.folder}: {self.log_tail()}")

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that does not help."""
        if not self._end(signal.SIGTERM) and not self._end(signal.SIGKILL):
            raise MongoError(f"mongod {self.pid} does not end: {self.log_tail()}")

    def kill(self) -> None:
        """A crash: SIGKILL, recovered at the next start."""
        if not self._end(signal.SIGKILL):
            raise MongoError(f"mongod {self.pid} survived SIGKILL")

    def log_tail(self) -> str:
        if not self.log.exists():
            return "no log was written"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])

    def _launch(self) -> int:
        command = [self.root / "bin" / "mongod", "--dbpath", self.folder / "data", "--port",
                   self.port, "--logpath", self.log, "--pidfilepath", self.folder / "pid",
                   *ALWAYS, *self.arguments]
        environment = os.environ | {"LD_LIBRARY_PATH": str(self.root / "lib")}
        # The server inherits what it is given; a pipe that it held would never end.
        with tempfile.TemporaryFile("w+") as out:
            return subprocess.run([str(part) for part in command], env=environment,
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=out).returncode

    def _end(self, number: signal.Signals) -> bool:
        if (pid := self.pid) is None:
            return True
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + EXIT_SECONDS_MAX
        while self.pid is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.pid is None
