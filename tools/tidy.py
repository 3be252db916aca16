#!/usr/bin/env python3
"""Checks of the code base itself: layers, banned calls, sizes, header comments, TODOs.

One line per finding, as FILE:LINE: message. Exits 1 if there is any. Reads each file once and
needs nothing but Python. Add a rule here when a review says the same thing twice.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

FILE_LINES_MAX = 600
LINE_COLUMNS_MAX = 100

# Real clocks, sleeps, randomness, environment and threads exist only in env/real/ and main/.
OUTSIDE_WORLD = ("env/real/", "main/")
BANNED = [
    (r"\b(system_clock|steady_clock|high_resolution_clock)::now\b", "use env::Clock"),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", "use env::Timers"),
    (r"\b(random_device|rand|srand|mt19937)\b\s*[\(\{<]?", "use base/random.h or env::Entropy"),
    (r"\bgetenv\b", "read the environment in main/ and pass the value in"),
    (r"\bstd::(thread|jthread|async)\b", "only env/real/ and main/ make threads"),
    (r"\b(fopen|ofstream|ifstream)\b", "use env::Directory"),
]
EVERYWHERE_BANNED = [
    (r"\bassert\s*\(", "use EILPOST_ASSERT: it stays on in release builds"),
    (r"\bthrow\b", "we report errors with Result; see docs/STYLE.md"),
    (r"\bFIXME\b|\bXXX\b|\bDBG\b", "leftover, remove before landing"),
    (r"\bTODO\b(?!\((soon|someday|perf|security|test)\): [A-Z])", "write TODO(soon|someday|perf|security|test): Sentence."),
]


def code_only(line: str) -> str:
    return re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]


def declared_layers() -> dict[str, set[str]]:
    layers = {}
    for path in SRC.glob("*/CMakeLists.txt"):
        text = path.read_text()
        name = re.search(r"eilpost_module\(NAME (\w+)", text)
        if name is None:
            continue
        deps = re.search(r"DEPS ([\w\s]+?)\s+(?:HEADERS|SOURCES|TESTS)", text)
        layers[name.group(1)] = set(deps.group(1).split()) if deps else set()
    return layers


def cycles(layers: dict[str, set[str]]) -> list[str]:
    found, done = [], set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            found.append(" -> ".join(path[path.index(name):] + [name]))
            return
        if name in done:
            return
        for dep in sorted(layers.get(name, ())):
            visit(dep, path + [name])
        done.add(name)

    for name in sorted(layers):
        visit(name, [])
    return found


def check_file(path: pathlib.Path, layers: dict[str, set[str]]) -> list[str]:
    relative = path.relative_to(ROOT).as_posix()
    lines = path.read_text().splitlines()
    findings = []

    def add(number: int, message: str) -> None:
        findings.append(f"{relative}:{number}: {message}")

    if len(lines) > FILE_LINES_MAX and not relative.endswith("_test.cpp"):
        add(1, f"{len(lines)} lines, at most {FILE_LINES_MAX}: split it by noun")
    if path.suffix == ".h" and (len(lines) < 2 or lines[0] != "#pragma once" or not lines[1].startswith("// ")):
        add(1, "a header begins with '#pragma once' and a comment that says what it is")

    inside_src = path.is_relative_to(SRC)
    module = path.relative_to(SRC).parts[0] if inside_src else None
    is_test = relative.endswith("_test.cpp") or not inside_src
    allowed = layers.get(module, set()) | {module} | ({"env", "base"} if is_test else set())
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS_MAX:
            add(number, f"longer than {LINE_COLUMNS_MAX} columns")
        include = re.match(r'#include "(\w+)/', line)
        if inside_src and include and include.group(1) not in allowed:
            add(number, f"{module} may not include {include.group(1)}: not in its DEPS")
        if inside_src and not is_test and re.match(r'#include "env/sim/', line) and module != "env":
            add(number, "only tests include env/sim/")
        if inside_src and re.match(r'#include "env/real/', line) and module not in ("env", "main"):
            add(number, "only main includes env/real/")
        code = code_only(line)
        bans = list(EVERYWHERE_BANNED)
        if inside_src and not any(f"src/{place}" in relative for place in OUTSIDE_WORLD):
            bans += BANNED
        for pattern, instead in bans:
            text = line if "TODO" in pattern or "FIXME" in pattern else code
            if re.search(pattern, text) and "static_assert" not in code:
                add(number, f"banned: {instead}")
    return findings


def main() -> int:
    layers = declared_layers()
    findings = [f"src: modules depend on each other in a circle: {cycle}" for cycle in cycles(layers)]
    for folder in ("src", "tests", "bench"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".h", ".cpp"):
                findings += check_file(path, layers)
    print("\n".join(findings) if findings else f"tidy: {len(layers)} modules, nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
