#!/usr/bin/env python3
"""Private MongoDB replica sets for tests, demo and benchmarks.

A library (`MongoServer`) and a command that prints JSON, for test programs in other languages:

    mongo_server.py start --dir D [--version 6|5] [--nodes 1|3] [--oplog MB] [--tls] [--auth]
                          [--set parameter=value ...]
    mongo_server.py stop|restart|kill|kill_all|step_down --dir D
    mongo_server.py check     # tries what this file offers

One folder holds one replica set: a folder per node, certificates, and `server.json`. It never
outlives `stop`, and a temporary one not the end of its program, unless a signal is that end;
nothing is killed by name.
"""

import argparse
import atexit
import contextlib
import dataclasses
import json
import os
import pathlib
import secrets
import shutil
import sys
import tempfile
import time
import urllib.parse

import pymongo
import pymongo.errors

from certificates import Authority
from mongo_node import MongoError, MongoNode, find_version

SET_NAME = "rs0"
ELECTION_SECONDS_MAX = 60
# Made through the localhost exception. The password has what a URI must escape.
ADMIN, PASSWORD = "admin", "hunter2/@:%"
PARAMETERS = {
    "diagnosticDataCollectionEnabled": "false",
    # Otherwise a member that is asked to end waits 15 s for its clients to look elsewhere.
    "shutdownTimeoutMillisForSignaledShutdown": "100",
}


@dataclasses.dataclass
class Options:
    version: str = "6"
    nodes: int = 1
    oplog_mb: int = 256  # the log rolls over in checkpoints: see arguments=["--syncdelay", "1"]
    tls: bool = False
    client_certificate: bool = False  # with tls: refuse clients that show none
    auth: bool = False
    parameters: dict[str, str] = dataclasses.field(default_factory=dict)  # enableTestCommands, …
    arguments: list[str] = dataclasses.field(default_factory=list)


class MongoServer:
    """One replica set in one folder. Use it as a context manager, or call stop() and remove()."""

    def __init__(self, folder: str | os.PathLike, options: Options | None = None,
                 ports: list[int] | None = None):
        self.folder = pathlib.Path(folder).resolve()
        self.options = options or Options()
        self.authority = Authority(self.folder / "tls")
        root = find_version(self.options.version)
        ports = ports or [None] * self.options.nodes
        self.nodes = [MongoNode(self.folder / f"node{number}", root, self._arguments(), port)
                      for number, port in enumerate(ports)]

    @classmethod
    def attach(cls, folder: str | os.PathLike) -> "MongoServer":
        """The replica set that an earlier `start` left in the folder."""
        record = pathlib.Path(folder) / "server.json"
        if not record.exists():
            raise MongoError(f"no server in {folder}: {record.name} is missing")
        known = json.loads(record.read_text())
        return cls(folder, Options(**known["options"]), known["ports"])

    @classmethod
    @contextlib.contextmanager
    def temporary(cls, **options):
        """A replica set in a temporary folder that is ended and removed with the block, and with
        the program at the latest."""
        server = cls(tempfile.mkdtemp(prefix="leat-mongo-"), Options(**options))
        atexit.register(server.remove)
        try:
            yield server.start()
        finally:
            server.remove()
            atexit.unregister(server.remove)

    def start(self) -> "MongoServer":
        """Starts the nodes that do not run; returns when there is a primary and all follow it."""
        fresh = not (self.folder / "server.json").exists()
        self.folder.mkdir(parents=True, exist_ok=True)
        if fresh:
            self._prepare()
        for node in self.nodes:
            node.start()
        if fresh:
            self._initiate()
        self._await_members()
        (self.folder / "server.json").write_text(json.dumps(
            {"ports": [node.port for node in self.nodes],
             "options": dataclasses.asdict(self.options)}))
        return self

    def stop(self) -> None:
        """Ends every node in order, secondaries first: no election while they go."""
        for node in sorted(self.nodes, key=lambda node: node is self._primary()):
            node.stop()

    def kill(self, node: MongoNode | None = None) -> MongoNode:
        """Crashes one node, the primary if none is named; start() brings it back."""
        node = node or self.primary()
        node.kill()
        return node

    def restart(self) -> "MongoServer":
        self.stop()
        return self.start()

    def kill_all(self) -> None:
        """The quickest end."""
        for node in self.nodes:
            node.kill()

    def remove(self) -> None:
        """Ends the nodes whatever they do, and deletes the folder."""
        self.kill_all()
        shutil.rmtree(self.folder, ignore_errors=True)

    def step_down(self) -> MongoNode:
        """The primary gives up; returns the next. Alone in its set it comes back after a second."""
        old = self.primary()
        alone = len(self.nodes) == 1
        with self._client_of(old) as client:
            client.admin.command("replSetStepDown", 1 if alone else 20,
                                 secondaryCatchUpPeriodSecs=0 if alone else 10, force=alone)
        return self._await(lambda: self._primary(other_than=None if alone else old),
                           "a new primary")

    def primary(self) -> MongoNode:
        return self._await(self._primary, "a primary")

    def uri(self, database: str = "", user: str | None = None, password: str | None = None,
            **options: str) -> str:
        """With auth, and without a user, the first user's. `options` come behind the question
        mark, in place of ours where they share a name."""
        login = (user, password or "") if user else self._admin()
        return self._compose(self.nodes, database, login, {"replicaSet": SET_NAME} | options)

    def client(self, **options) -> pymongo.MongoClient:
        """A client of the whole set; close it."""
        return pymongo.MongoClient(self.uri(), **options)

    def describe(self) -> dict:
        return {"port": self.nodes[0].port, "ports": [node.port for node in self.nodes],
                "pids": [node.pid for node in self.nodes], "dir": str(self.folder),
                "uri": self.uri()}

    def __enter__(self) -> "MongoServer":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def _arguments(self) -> list[str]:
        given = self.options
        arguments = ["--replSet", SET_NAME, "--oplogSize", str(given.oplog_mb), *given.arguments]
        for name, value in (PARAMETERS | given.parameters).items():
            arguments += ["--setParameter", f"{name}={value}"]
        if given.auth:
            arguments += ["--auth", "--keyFile", str(self.folder / "key")]
        if given.tls:
            arguments += ["--tlsMode", "requireTLS", "--tlsCAFile",
                          str(self.authority.certificate), "--tlsCertificateKeyFile",
                          str(self.authority.folder / "server.pem")]
            if not given.client_certificate:
                arguments.append("--tlsAllowConnectionsWithoutCertificates")
        return arguments

    def _prepare(self) -> None:
        if self.options.auth:
            key = self.folder / "key"
            key.touch(mode=0o600)
            key.write_text(secrets.token_hex(32))
        if self.options.tls:
            self.authority.issue("server")
            self.authority.issue("client")

    def _initiate(self) -> None:
        members = [{"_id": number, "host": node.address} for number, node in enumerate(self.nodes)]
        config = {"_id": SET_NAME, "members": members,
                  # A failover within a second or two instead of ten and more.
                  "settings": {"heartbeatIntervalMillis": 200, "electionTimeoutMillis": 1000}}
        with self._client_of(self.nodes[0], login=False) as client:
            client.admin.command("replSetInitiate", config)
            # Not primary(): there is no user yet to ask as.
            self._await(lambda: client.admin.command("hello")["isWritablePrimary"], "a primary")
            if self.options.auth:
                client.admin.command("createUser", ADMIN, pwd=PASSWORD, roles=["root"])

    def _admin(self) -> tuple[str, str] | None:
        return (ADMIN, PASSWORD) if self.options.auth else None

    def _compose(self, nodes: list[MongoNode], database: str, login: tuple[str, str] | None,
                 options: dict[str, str]) -> str:
        query, account = {}, ""
        if login:
            account = ":".join(map(urllib.parse.quote_plus, login)) + "@"
            query["authSource"] = "admin"
        if self.options.tls:
            query |= {"tls": "true", "tlsCAFile": str(self.authority.certificate)}
            if self.options.client_certificate:
                query["tlsCertificateKeyFile"] = str(self.authority.issue("client"))
        hosts = ",".join(node.address for node in nodes)
        return f"mongodb://{account}{hosts}/{database}?{urllib.parse.urlencode(query | options)}"

    def _client_of(self, node: MongoNode, login: bool = True) -> pymongo.MongoClient:
        """A client of one node, whatever state that is in."""
        uri = self._compose([node], "", self._admin() if login else None,
                            {"directConnection": "true"})
        return pymongo.MongoClient(uri, serverSelectionTimeoutMS=5000)

    def _state(self, node: MongoNode) -> dict:
        if node.pid is None:
            return {}
        try:
            with self._client_of(node, login=False) as client:
                return client.admin.command("hello")
        except pymongo.errors.PyMongoError:
            return {}

    def _primary(self, other_than: MongoNode | None = None) -> MongoNode | None:
        return next((node for node in self.nodes if node is not other_than
                     and self._state(node).get("isWritablePrimary")), None)

    def _await_members(self) -> None:
        self._await(lambda: all(state.get("isWritablePrimary") or state.get("secondary")
                                for state in map(self._state, self.nodes)), "members that follow")
        self.primary()

    def _await(self, condition, what: str):
        deadline = time.monotonic() + ELECTION_SECONDS_MAX
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.02)
        raise MongoError(f"not within {ELECTION_SECONDS_MAX} s: {what}; "
                         f"{self.nodes[0].log_tail()}")


def check() -> None:
    """What was written with w:majority outlives a crash and a change of primary, on both versions,
    in the clear and behind TLS and a password."""
    for options in ({"version": "5"}, {"parameters": {"enableTestCommands": "1"}},
                    {"nodes": 3, "tls": True, "client_certificate": True, "auth": True}):
        begun = time.monotonic()
        with MongoServer.temporary(**options) as server:
            started = time.monotonic()
            with server.client(w="majority") as client:
                client.shop.orders.insert_one({"_id": 1})
                server.kill()
                server.start()
                server.step_down()
                client.shop.orders.insert_one({"_id": 2})
                server.restart()
                found = [order["_id"] for order in client.shop.orders.find(sort=[("_id", 1)])]
                if found != [1, 2]:
                    raise MongoError(f"orders 1 and 2 were written, {found} were found: {options}")
                version = client.server_info()["version"]
            pids = server.describe()["pids"]
        # Init takes a moment to bury what forked away.
        server._await(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "their end")
        print(f"{version} {options}: started in {started - begun:.1f} s, "
              f"all in {time.monotonic() - begun:.1f} s", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description="start and stop private MongoDB replica sets")
    parser.add_argument("action", choices=["start", "stop", "restart", "kill", "kill_all",
                                           "step_down", "check"])
    parser.add_argument("--dir", help="the set's own folder")
    parser.add_argument("--version", default="6", choices=["5", "6"])
    parser.add_argument("--nodes", type=int, default=1, choices=[1, 3])
    parser.add_argument("--oplog", type=int, default=Options.oplog_mb, metavar="MB")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--client-certificate", action="store_true")
    parser.add_argument("--auth", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="a server parameter")
    parser.add_argument("--argument", action="append", default=[], help="of mongod, as it is")
    given = parser.parse_args()
    if given.action == "check":
        check()
        return 0
    if given.dir is None:
        parser.error("--dir is missing")
    try:
        if given.action == "start":
            server = MongoServer(given.dir, Options(
                given.version, given.nodes, given.oplog, given.tls, given.client_certificate,
                given.auth, dict(item.split("=", 1) for item in given.set), given.argument)).start()
        else:
            server = MongoServer.attach(given.dir)
            getattr(server, given.action)()
    except MongoError as error:
        print(f"mongo_server: {error}", file=sys.stderr)
        return 1
    print(json.dumps(server.describe()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
