"""The house rules that a machine can check, as functions from files to findings.

`check(files)` takes {path: text} and returns sorted messages `path:line: what`. tidy_test.py runs
it on the tree and, so that no rule is silently dead, on small samples that break each rule.
"""

import pathlib
import re

LINES_MAX = 800
FUNCTION_LINES_MAX = 70
OPENING_LINES_MAX = 5
BASE_FILES_MAX = 20

CPP = {".cpp", ".hpp"}
SCRIPTS = {".py", ".sh", ".cmake"}

# Which folders of src/ may include which. An interface header (source/source.hpp) lies in the
# folder of its kind and is known as "source"; a connector is known as "source/postgres".
NOUNS = {"base", "change"}
CODECS = NOUNS | {"format", "wire", "config"}
MAY_INCLUDE = {
    "base": set(),
    "change": {"base"},
    "format": CODECS,
    "wire": CODECS,
    "config": CODECS,
    "observe": CODECS,
    "source": NOUNS,
    "queue": NOUNS,
    "sink": NOUNS,
    "transform": CODECS,
    "dead_letter": CODECS | {"observe"},
    "pipeline": CODECS | {"observe", "source", "queue", "sink", "transform", "dead_letter"},
    "reconcile": CODECS | {"observe", "source", "queue", "sink", "pipeline"},
    "insight": CODECS | {"observe", "pipeline"},
    "control": CODECS | {"observe", "source", "queue", "sink", "transform", "dead_letter",
                         "pipeline", "reconcile", "insight"},
    # Writes to the servers that sources read from, over the connections that sources have.
    "simulate": CODECS | {"observe", "source/postgres"},
}
CONNECTOR_KINDS = ("source", "queue", "sink", "transform")
# The command line and the registry put everything together; only the former knows the API.
COMPOSERS = {"main", "cli", "connectors"}
SOURCE_FOLDERS = set(MAY_INCLUDE) | {"cli"}
SOURCE_FILES = {"connectors.cpp", "connectors.hpp", "main.cpp", "CMakeLists.txt", "README.md"}
# A confirmed append is proved by a Durable: the one noun that lives with its maker.
INTERFACE_EXCEPTIONS = {("source", "queue/durable.hpp")}

TOP_FOLDERS = {"src", "test", "fuzz", "bench", "examples", "deploy", "tools", "docs", "python",
               "ui", "cmake", ".ci"}
TOP_FILES = {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE", "Makefile",
             "CMakeLists.txt", "CMakePresets.json", ".clang-format", ".clang-tidy", ".gitignore",
             ".gitattributes", ".editorconfig"}

BANNED_PARTS = {"util", "utils", "utility", "utilities", "helper", "helpers", "common", "misc"}
BANNED_STEMS = BANNED_PARTS | {"types"}

# A path of somebody's machine does not belong into a file that others read.
MACHINE_PATH = re.compile(r"(?<![\w.}/$~-])/(?:root|home|Users|work\w*|mnt|private)/[\w.]")


def check(files: dict[str, str]) -> list[str]:
    findings = []
    for path, text in files.items():
        findings += names(path) + machine_paths(path, text) + size(path, text)
        findings += opening(path, text)
        if pathlib.PurePath(path).suffix in CPP:
            findings += includes(path, text) + function_lengths(path, text)
            if path.endswith(".hpp") and not re.search(r"^#pragma once$", text, re.M):
                findings.append(f"{path}:1: header without #pragma once")
    findings += base_is_closed(files) + codes_are_carried(files)
    return sorted(findings)


def codes_are_carried(files: dict[str, str]) -> list[str]:
    """An error's code that no error carries is a page nobody can reach."""
    path = "src/base/error_code.hpp"
    carriers = "\n".join(text for name, text in files.items()
                         if name.startswith("src/") and not name.endswith("_test.cpp")
                         and not name.startswith("src/cli/explain/"))
    used = set(re.findall(r"\bCode::(\w+)", carriers))
    return [f"{path}:{number}: code {code} is on no error"
            for number, line in enumerate(files.get(path, "").splitlines(), 1)
            for code in re.findall(r"^    X\((\w+)\)", line) if code not in used]


def names(path: str) -> list[str]:
    parts = pathlib.PurePath(path).parts
    found = []
    if len(parts) == 1 and path not in TOP_FILES:
        found.append(f"{path}:1: file is not on the folder map")
    elif len(parts) > 1 and parts[0] not in TOP_FOLDERS:
        found.append(f"{path}:1: folder {parts[0]} is not on the folder map")
    elif parts[0] == "src" and len(parts) == 2 and parts[1] not in SOURCE_FILES:
        found.append(f"{path}:1: file is not on the folder map of src")
    elif parts[0] == "src" and len(parts) > 2 and parts[1] not in SOURCE_FOLDERS:
        found.append(f"{path}:1: folder src/{parts[1]} is not on the folder map")
    for part in parts:
        stem = part.split(".")[0].lower()
        if stem in BANNED_STEMS or BANNED_PARTS & set(re.split(r"[_-]", stem)):
            found.append(f"{path}:1: {part} says nothing: name what its content has in common")
    return found


def machine_paths(path: str, text: str) -> list[str]:
    return [f"{path}:{number}: path of one machine: {match.group()}…"
            for number, line in enumerate(text.splitlines(), 1)
            for match in MACHINE_PATH.finditer(line)]


def size(path: str, text: str) -> list[str]:
    if pathlib.PurePath(path).suffix not in CPP | SCRIPTS:
        return []
    lines = text.count("\n")
    return [f"{path}:1: {lines} lines, at most {LINES_MAX}"] if lines > LINES_MAX else []


def opening(path: str, text: str) -> list[str]:
    suffix = pathlib.PurePath(path).suffix
    lines = text.splitlines()
    if lines and lines[0].startswith("#!"):
        lines = lines[1:]
    if suffix in CPP:
        # A first paragraph; an example or a format may follow it.
        count = next((i for i, line in enumerate(lines) if not line.startswith("// ")), len(lines))
        if not 1 <= count <= OPENING_LINES_MAX:
            return [f"{path}:1: opens with {count} comment lines, wanted 1 to {OPENING_LINES_MAX}: "
                    "what it is and its place"]
    elif suffix in SCRIPTS or path.endswith("CMakeLists.txt") and path.count("/") < 2:
        if not lines or not lines[0].startswith(("#", '"""')):
            return [f"{path}:1: opens without a comment on what it is"]
    return []


def includes(path: str, text: str) -> list[str]:
    """The dependency law. Tests beside the code may use what they need to test it."""
    if not path.startswith("src/") or path.endswith(("_test.cpp", "_bench.cpp")):
        return []
    here = owner(path.removeprefix("src/"))
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if match and not allowed(here, match.group(1)):
            found.append(f"{path}:{number}: {here} must not include {match.group(1)}")
    return found


def owner(path: str) -> str:
    parts = path.split("/")
    if len(parts) == 1:
        return parts[0].split(".")[0]
    if parts[0] in CONNECTOR_KINDS and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0]


def allowed(here: str, header: str) -> bool:
    there = owner(header)
    if there == here or (here, header) in INTERFACE_EXCEPTIONS:
        return True
    if here in COMPOSERS:
        return not (here == "connectors" and there in {"control", "cli", "main"})
    if "/" in here:
        return there in CODECS | {"observe", here.split("/")[0]}
    return there in MAY_INCLUDE.get(here, set())


def base_is_closed(files: dict[str, str]) -> list[str]:
    inside = [path for path in files
              if re.match(r"src/base/.*\.(cpp|hpp)$", path) and not path.endswith("_test.cpp")]
    if len(inside) > BASE_FILES_MAX:
        return [f"src/base:1: {len(inside)} files, at most {BASE_FILES_MAX}: base is a closed list"]
    return []


def function_lengths(path: str, text: str) -> list[str]:
    return [f"{path}:{begin}: function of {end - begin + 1} lines, at most {FUNCTION_LINES_MAX}"
            for begin, end in functions(text) if end - begin + 1 > FUNCTION_LINES_MAX]


TOKEN = re.compile(
    r'(?P<gone>//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'|^[ \t]*\#(?:\\\n|[^\n])*)'
    r"|(?P<code>[{};()])", re.S | re.M)


def functions(text: str) -> list[tuple[int, int]]:
    """First and last line of every outermost function: from its name to its closing brace."""
    found = []
    scopes = []  # per open brace: None, or the line where the function begins
    statement = ""  # code since the last ; { } outside parentheses
    parentheses = 0
    ended_function = False
    last = 0
    line = 1
    begin = 1  # line of the statement's first code
    for match in TOKEN.finditer(text):
        between = text[last:match.start()]
        if not statement.strip() and between.strip():
            begin = line + between[:len(between) - len(between.lstrip())].count("\n")
        statement += between
        line += between.count("\n")
        last = match.end()
        token = match.group("code")
        if token is None:
            line += match.group().count("\n")
            statement += " "
        elif token in "()":
            parentheses += 1 if token == "(" else -1
            statement += token
        elif parentheses > 0:
            statement += token
        elif token == "{":
            inside = any(scope is not None for scope in scopes)
            # `: a_{x}, b_{y} {` after a constructor: the initialiser looked like the body.
            goes_on = ended_function and statement.strip()[:1] in ("", ",")
            is_function = not inside and (goes_on or is_signature(statement))
            first = found.pop()[0] if is_function and goes_on and found else begin
            scopes.append(first if is_function else None)
            statement, ended_function = "", False
        elif token == "}":
            scope = scopes.pop() if scopes else None
            if scope is not None:
                found.append((scope, line))
            statement, ended_function = "", scope is not None
        else:
            statement, ended_function = "", False
    return found


def is_signature(statement: str) -> bool:
    """Whether what stands before a brace begins a function, not a type, scope or initialiser."""
    arguments = "\0"
    outside, replaced = statement, 1
    while replaced:
        outside, replaced = re.subn(r"\([^()]*\)", arguments, outside)
    if arguments not in outside or re.search(r"\b(namespace|enum|union|extern)\b", outside):
        return False
    if "operator" not in outside and re.search(r"(?<![=!<>])=(?!=)", outside):
        return False
    return not re.search(rf"\b(class|struct)\s+\w+[^{arguments}]*$", outside)
