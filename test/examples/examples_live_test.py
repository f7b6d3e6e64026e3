#!/usr/bin/env python3
"""Each example of examples/: the commands of its README, all of them and in their order, against a
real server. Only the URI is another one than the README's. At the end the warehouse equals the source.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "test" / "live"))

import cli_fixture  # noqa: E402
import compare  # noqa: E402
import mongo_judge  # noqa: E402
from leat_process import find_binary  # noqa: E402
from mongo_server import MongoServer  # noqa: E402
from pg_server import PgServer  # noqa: E402

SCRIPT_SECONDS_MAX = 240


def blocks(readme: pathlib.Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", readme.read_text(), re.S | re.M)


class Examples(cli_fixture.PipelineTest):
    def run_readme(self, name: str, uri: str) -> pathlib.Path:
        """The README's commands as one script in a copy of the folder; the folder."""
        folder = self.make_folder() / name
        shutil.copytree(TREE / "examples" / name, folder)
        script = "".join(blocks(folder / "README.md", "sh"))
        variable = re.search(r"\$\{env:(\w+)\}", (folder / "pipeline.yaml").read_text()).group(1)
        script, count = re.subn(rf"^export {variable}=.*$", lambda _: f"export {variable}='{uri}'",
                                script, flags=re.M)
        self.assertEqual(count, 1, f"the README must say once: export {variable}=…")
        path = f"{find_binary().parent}{os.pathsep}{os.environ['PATH']}"
        # A file, as what a script that failed leaves running would hold a pipe open.
        log = folder / "output.log"
        with log.open("w") as out:
            shell = subprocess.Popen(["bash", "-euo", "pipefail", "-c", script], cwd=folder,
                                     env=os.environ | {"PATH": path, "NO_COLOR": "1"},
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     start_new_session=True)
        try:
            shell.wait(SCRIPT_SECONDS_MAX)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
        output = log.read_text()
        self.assertEqual(shell.returncode, 0, output)
        self.assertNotIn("problem ", output)
        self.assertIn("healthy", output)
        self.assertTrue((folder / "warehouse.duckdb").exists(), output)
        self.assertEqual(list(folder.glob("data/*/log.json")), [], output)
        return folder

    def test_postgres_duckdb(self):
        name = "postgres-duckdb"
        server = self.enterContext(PgServer.temporary())
        for statements in blocks(TREE / "examples" / name / "README.md", "sql"):
            cli_fixture.run_sql(server.uri(), *statements.strip().splitlines())
        folder = self.run_readme(name, server.uri("shop"))
        results = compare.compare(server.uri("shop"), folder / "warehouse.duckdb",
                                  ["public.orders", "public.customers"])
        self.assertEqual(compare.differing(results), "")
        self.assertGreater(min(result.source_rows for result in results), 0)

    def test_mongodb_duckdb(self):
        # The shell's rs.initiate() is the server tool's work here.
        server = self.enterContext(MongoServer.temporary())
        folder = self.run_readme("mongodb-duckdb", server.uri("video"))
        client = self.enterContext(server.client())
        for name in ("videos", "views"):
            held = mongo_judge.Table(folder / "warehouse.duckdb", name)
            self.assertGreater(len(held.rows), 0)
            found = mongo_judge.differences(client.video[name], held, mongo_judge.Judging())
            self.assertEqual(found, "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
