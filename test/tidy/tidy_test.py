"""Checks the tree against the house rules (rules.py), and each rule against a sample it must catch."""

import os
import pathlib
import subprocess
import unittest

import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tree() -> dict[str, str]:
    listing = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co",
                              "--exclude-standard", "-z"], cwd=ROOT, capture_output=True)
    if listing.returncode == 0:
        paths = listing.stdout.decode().rstrip("\0").split("\0")
    else:  # an unpacked archive
        paths = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
        paths = [path for path in paths if not path.startswith((".git/", "build/"))]
    files = {}
    for path in paths:
        try:
            files[path] = (ROOT / path).read_text()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # binary corpus cases; files deleted but still listed
    return files


class TheTree(unittest.TestCase):
    def test_obeys_the_house_rules(self) -> None:
        files = tree()
        self.assertGreater(len(files), 10)
        findings = rules.check(files)
        self.assertEqual([], findings, "\n" + "\n".join(findings))

    def test_front_door_is_executable(self) -> None:
        for path in (".ci/run", "tools/setup/setup.sh", "fuzz/run.sh"):
            self.assertTrue(os.access(ROOT / path, os.X_OK), path)


class EachRule(unittest.TestCase):
    def catches(self, path: str, text: str, expected: str) -> None:
        findings = rules.check({path: text})
        self.assertTrue(any(expected in finding for finding in findings), findings)

    def accepts(self, path: str, text: str) -> None:
        self.assertEqual([], rules.check({path: text}))

    def test_dependency_law(self) -> None:
        for path, header in (
            ("src/base/a.cpp", "change/schema.hpp"),
            ("src/change/a.cpp", "config/fields.hpp"),
            ("src/format/a.cpp", "sink/sink.hpp"),
            ("src/source/postgres/a.cpp", "queue/log/log_queue.hpp"),
            ("src/source/postgres/a.cpp", "sink/sink.hpp"),
            ("src/sink/duckdb/a.cpp", "sink/parquet/parquet_sink.hpp"),
            ("src/sink/duckdb/a.cpp", "pipeline/lane.hpp"),
            ("src/sink/sink.hpp", "queue/durable.hpp"),
            ("src/pipeline/a.cpp", "sink/duckdb/duckdb_sink.hpp"),
            ("src/pipeline/a.cpp", "control/server.hpp"),
            ("src/connectors.cpp", "control/server.hpp"),
        ):
            self.catches(path, f'// a\n#pragma once\n#include "{header}"\n', "must not include")
        for path, header in (
            ("src/source/source.hpp", "queue/durable.hpp"),
            ("src/source/postgres/a.cpp", "source/source.hpp"),
            ("src/source/postgres/a.cpp", "format/pgoutput.hpp"),
            ("src/pipeline/a.cpp", "sink/sink.hpp"),
            ("src/sink/duckdb/a_test.cpp", "pipeline/lane.hpp"),
            ("src/main.cpp", "control/server.hpp"),
            ("src/connectors.cpp", "sink/duckdb/duckdb_sink.hpp"),
        ):
            self.accepts(path, f'// a\n#pragma once\n#include "{header}"\n')

    def test_names_and_places(self) -> None:
        self.catches("src/base/string_utils.cpp", "// a\n", "says nothing")
        self.catches("src/format/types.hpp", "// a\n#pragma once\n", "says nothing")
        self.catches("src/helpers/a.cpp", "// a\n", "not on the folder map")
        self.catches("src/loose.cpp", "// a\n", "not on the folder map")
        self.catches("notes.txt", "a\n", "not on the folder map")
        self.catches("scratch/a.py", "# a\n", "not on the folder map")
        self.accepts("src/format/pgoutput_types.cpp", "// a\n")

    def test_base_is_closed(self) -> None:
        findings = rules.check({f"src/base/a{i}.cpp": "// a\n" for i in range(21)})
        self.assertIn("src/base:1: 21 files, at most 20: base is a closed list", findings)

    def test_codes_are_carried(self) -> None:
        listed = {"src/base/error_code.hpp": "// a\n#pragma once\n    X(pg_uri)  \\\n    X(pg_gone)\n"}
        carried = "// a\nreturn Error{Fault::config, what, hint, \"\", Code::pg_uri};\n"
        unused = "src/base/error_code.hpp:4: code pg_gone is on no error"
        self.assertEqual([unused], rules.check(listed | {"src/sink/a.cpp": carried}))
        for page in ("src/cli/explain/pages.hpp", "src/cli/a_test.cpp"):
            findings = rules.check(listed | {page: "// a\n#pragma once\nCode::pg_uri Code::pg_gone\n"})
            self.assertEqual(2, len(findings), findings)

    def test_size(self) -> None:
        self.catches("src/base/a.cpp", "// a\n" + "int a;\n" * 800, "801 lines")

    def test_opening(self) -> None:
        self.catches("src/base/a.cpp", "int a;\n", "opens with 0")
        self.catches("src/base/a.cpp", "// a\n" * 6, "opens with 6")
        self.catches("src/base/a.hpp", "// a\n", "#pragma once")
        self.catches("tools/a.py", "import os\n", "opens without")

    def test_machine_paths(self) -> None:
        self.catches("docs/a.md", "see /" + "home/me/a\n", "path of one machine")
        self.accepts("docs/a.md", "see /usr/lib and ~/" + "home/a, and build/work/x\n")

    def test_function_length(self) -> None:
        body = "    f();\n" * 70
        for head in ("auto f(int a = 3) -> int {\n", "Foo::Foo(int a) : a_{a}, b_(1) {\n",
                     "TEST(A, b) {\n", "Foo::Foo(int a) : a_{a} {\n",
                     "auto operator==(const A& a, const A& b) -> bool {\n",
                     "template <class T>\nauto f(T a) -> std::vector<T> {\n"):
            with self.subTest(head):
                self.catches("src/base/a.cpp", f"// a\nnamespace leat {{\n{head}{body}}}\n}}\n",
                             "function of")
        for text in ("namespace leat {\n" + "int f();\n" * 100 + "}\n",
                     "struct A {\n" + "int f() { return 1; }\n" * 100 + "};\n",
                     "const char* a = R\"(" + "{\n" * 100 + ")\";\n",
                     "const int a[] = {\n" + "f(1),\n" * 100 + "};\n",
                     "auto f() -> int {\n" + "// }\n" * 60 + "return '{';\n}\n"
                     "auto g() -> int {\n" + "a = 1'000 + \"}\";\n" * 60 + "}\n"):
            self.accepts("src/change/a.cpp", "// a\n" + text)


if __name__ == "__main__":
    unittest.main()
