"""Proves that a new connector takes edits in two existing files.

Copies the tree, adds the made-up sink of memory_example/ with its line in src/connectors.cpp and
in CMakeLists.txt, compiles the sink and the registry, and asks git what was changed.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = pathlib.Path("test/tidy/memory_example")
SINK = pathlib.Path("src/sink/memory_example")


def run(*command: str | pathlib.Path, cwd: pathlib.Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout[-6000:]}")
    return done.stdout


def copy_tree(target: pathlib.Path) -> None:
    for folder in ("src", "cmake", "test/tidy"):
        shutil.copytree(ROOT / folder, target / folder,
                        ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CMakeLists.txt", ".gitignore"):
        shutil.copy(ROOT / name, target / name)
    run("git", "init", "--quiet", cwd=target)
    run("git", "add", "--all", cwd=target)
    run("git", "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet",
        "--message=before", cwd=target)


def insert_after(path: pathlib.Path, pattern: str, line: str) -> None:
    text = path.read_text()
    matches = list(re.finditer(pattern, text, re.M))
    if not matches:
        raise AssertionError(f"{path.name} has no line like {pattern}")
    end = matches[-1].end()
    path.write_text(text[:end] + "\n" + line + text[end:])


def add_sink(tree: pathlib.Path) -> None:
    shutil.copytree(tree / SAMPLE, tree / SINK)
    insert_after(tree / "CMakeLists.txt", r"^ +src/sink/duckdb$", f"    {SINK}")
    registry = tree / "src/connectors.cpp"
    insert_after(registry, r'^#include "sink/duckdb/\w+\.hpp"$',
                 '#include "sink/memory_example/memory_example_sink.hpp"')
    insert_after(registry, r'^ +sink<.*>\("duckdb"\),$',
                 "        sink<memory_example::MemoryExampleConfig, "
                 'memory_example::MemoryExampleSink>("memory_example"),')


class NewSink(unittest.TestCase):
    def test_edits_two_files_and_compiles(self) -> None:
        with tempfile.TemporaryDirectory(prefix="leat_new_sink_") as folder:
            tree = pathlib.Path(folder) / "tree"
            tree.mkdir()
            copy_tree(tree)
            add_sink(tree)

            edited = run("git", "diff", "--name-only", cwd=tree).split()
            self.assertEqual(["CMakeLists.txt", "src/connectors.cpp"], edited)
            added = run("git", "ls-files", "--others", "--exclude-standard", cwd=tree).split()
            self.assertTrue(added)
            self.assertTrue(all(path.startswith(f"{SINK}/") for path in added), added)

            # Compiled without optimisation, linked not at all: the question is whether it fits.
            cache = os.environ.get("LEAT_CACHE", str(pathlib.Path.home() / ".cache/leat"))
            run("cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DLEAT_OPTIMIZE=-O0",
                f"-DLEAT_CACHE={cache}", cwd=tree)
            sink = f"{SINK}/CMakeFiles/leat_sink_memory_example.dir/memory_example_sink.cpp.o"
            registry = "CMakeFiles/leat_connectors.dir/src/connectors.cpp.o"
            run("ninja", "-C", "build", sink, registry, cwd=tree)
            self.assertTrue((tree / "build" / sink).exists())


if __name__ == "__main__":
    unittest.main()
