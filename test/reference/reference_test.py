#!/usr/bin/env python3
"""Each page of docs/reference is what `leat reference PAGE` writes. With --update it is made so."""

import os
import pathlib
import subprocess
import sys

PAGES = ("configuration", "metrics", "errors")
TREE = pathlib.Path(__file__).resolve().parents[2]
LEAT = os.environ.get("LEAT_BINARY", str(TREE / "build/release/bin/leat"))


def main() -> int:
    stale = []
    for page in PAGES:
        written = subprocess.run([LEAT, "reference", page], capture_output=True, text=True,
                                 check=True).stdout
        file = TREE / "docs" / "reference" / f"{page}.md"
        if "--update" in sys.argv:
            file.parent.mkdir(exist_ok=True)
            file.write_text(written)
        elif not file.exists() or file.read_text() != written:
            stale.append(page)
    for page in stale:
        print(f"docs/reference/{page}.md is not what `leat reference {page}` writes; "
              "run test/reference/reference_test.py --update")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
