"""Transforms link without sources, sinks or threads: hosts of other systems load them. What the
library leaves undefined may come from base, change and third parties only."""

import os
import pathlib
import re
import subprocess
import unittest

BUILD = pathlib.Path(os.environ["LEAT_BUILD_DIR"])
FOREIGN = re.compile(r"\bleat::(?:\w+::)*(?:Source|Sink|Queue|Lane|Capture|Pipeline|Snapshots)\b"
                     r"|\bpthread_create\b|\bstd::j?thread\b")


def undefined(library: pathlib.Path) -> list[str]:
    listing = subprocess.run(["nm", "--undefined-only", "--demangle", str(library)],
                             capture_output=True, text=True, check=True)
    return [line.split(" U ", 1)[1].strip() for line in listing.stdout.splitlines() if " U " in line]


class Link(unittest.TestCase):
    def test_needs_neither_connectors_nor_threads(self) -> None:
        symbols = undefined(BUILD / "src/transform/sql/libleat_transform_sql.a")
        self.assertTrue(any("duckdb_" in symbol for symbol in symbols))
        self.assertEqual([symbol for symbol in symbols if FOREIGN.search(symbol)], [])

    def test_the_check_can_fail(self) -> None:
        symbols = undefined(BUILD / "src/pipeline/libleat_pipeline.a")
        self.assertTrue([symbol for symbol in symbols if FOREIGN.search(symbol)])


if __name__ == "__main__":
    unittest.main()
