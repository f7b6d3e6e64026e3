"""Runs ctest on a build folder and ends with its summary; called by `make test`.

A skipped test counts as a failure here: make test provides every server, so nothing may skip.
"""

import argparse
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as xml


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", help="run the tests whose name matches this expression")
    parser.add_argument("--without", action="append", default=[], help="leave out a label")
    parser.add_argument("--allow-skips", action="store_true")
    options = parser.parse_args()

    report = options.build.resolve() / "tests.xml"
    report.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", str(options.build), "--output-on-failure", "--no-tests=error",
               "--parallel", str(options.jobs), "--output-junit", str(report)]
    if options.only:
        command += ["-R", options.only]
    if options.without:
        command += ["-LE", "|".join(f"^{label}$" for label in options.without)]
    code = subprocess.run(command).returncode
    if not report.exists():
        return code or 1

    skipped = [case.get("name") for case in xml.parse(report).getroot().iter("testcase")
               if case.find("skipped") is not None]
    if skipped:
        print(f"skipped: {', '.join(skipped)}", file=sys.stderr)
        if not options.allow_skips:
            return code or 1
    return code


if __name__ == "__main__":
    sys.exit(main())
