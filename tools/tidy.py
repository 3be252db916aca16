#!/usr/bin/env python3
"""Checks of the code base itself: layers, banned calls, sizes, header comments, TODOs, the docs.

One line per finding, as FILE:LINE: message. Exits 1 if there is any. Reads each file once and
needs nothing but Python. With file names as arguments it reports about those files only.
Add a rule here when a review says the same thing twice.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

FILE_LINES_MAX = 600
LINE_COLUMNS_MAX = 100

# The pipeline joins them; they never include each other.
STAGES = {"ingest", "match", "store", "render", "deliver", "record"}

# Real clocks, sleeps, randomness, environment, files and threads exist only here.
OUTSIDE_WORLD = ("src/env/real/", "src/main/")
BANNED_INSIDE = [
    (r"\b(system_clock|steady_clock|high_resolution_clock)::now\b", "use env::Clock"),
    (r"\b(random_device|rand|srand|mt19937|mt19937_64)\b", "use base/random.h or env::Entropy"),
    (r"\bgetenv\b", "read the environment in main/ and pass the value in"),
    (r"\bstd::(thread|jthread|async)\b", "only env/real/ and main/ make threads"),
    (r"\b(fopen|ofstream|ifstream|fstream)\b", "use env::Directory"),
]
BANNED_EVERYWHERE = [
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", "use env::Timers; no test sleeps"),
    (r"\bstd::\w+_distribution\b", "differs between libraries: use base/random.h"),
    (r"(?<!static_)\bassert\s*\(", "use EILPOST_ASSERT: it stays on in release builds"),
    (r"\bthrow\b", "we report errors with Result; see docs/STYLE.md"),
]
# These are looked for in comments too.
BANNED_WORDS = [
    (r"\b(FIXME|XXX|DBG)\b", "leftover, remove before landing"),
    (r"\bTODO\b(?!\((soon|someday|perf|security|test)\): [A-Z])",
     "write TODO(soon|someday|perf|security|test): Sentence."),
    (r"\bNOLINT(NEXTLINE|BEGIN)?\b(?!\([\w.,-]+\))", "write NOLINT…(check-name): the reason"),
]
# Absolute paths that exist on one machine only.
MACHINE_PATH = re.compile(r"(?<![\w.$}/])/(home|root|work)/\w|/tmp/" + "eilpost")

RAW_STRING = re.compile(r'R"(\w*)\((.*?)\)\1"', re.DOTALL)
BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def blank(match: re.Match) -> str:
    return '""' + "\n" * match.group(0).count("\n")


def lines_without_strings(text: str) -> list[str]:
    text = BLOCK_COMMENT.sub(blank, RAW_STRING.sub(blank, text))
    return [re.sub(r'"(\\.|[^"\\])*"', '""', line) for line in text.splitlines()]


def layer_order() -> list[str]:
    text = (ROOT / "CMakeLists.txt").read_text()
    return re.search(r"set\(EILPOST_MODULES ([\w\s]+)\)", text).group(1).split()


def declared_layers() -> dict[str, set[str]]:
    layers = {}
    for path in sorted(SRC.glob("*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", path.read_text())
        for call in re.finditer(r"eilpost_module\(\s*NAME (\w+)(.*?)\)", text, re.DOTALL):
            deps = re.search(r"\bDEPS\s+([a-z_\s]+?)\s*(?:\b[A-Z]+\b|$)", call.group(2))
            layers[call.group(1)] = set(deps.group(1).split()) if deps else set()
    layers["main"] = set(layers)  # not a module but the program: it joins everything
    return layers


def check_layers(layers: dict[str, set[str]]) -> list[str]:
    order = layer_order()
    findings = []
    for module in sorted(path.parent.name for path in SRC.glob("*/CMakeLists.txt")):
        if module not in order:
            findings.append(f"CMakeLists.txt:1: {module} is missing in EILPOST_MODULES")
    for module, deps in layers.items():
        place = f"src/{module}/CMakeLists.txt:1"
        for dep in sorted(deps):
            if module in order and dep in order and order.index(dep) >= order.index(module):
                findings.append(f"{place}: {dep} is not below {module}: see EILPOST_MODULES")
            if module in STAGES and dep in STAGES:
                findings.append(f"{place}: {module} and {dep} are stages: only pipeline joins them")
    return findings


def check_docs() -> list[str]:
    page = ROOT / "docs" / "ARCHITECTURE.md"
    text = page.read_text() if page.exists() else ""
    folders = sorted(path.parent.name for path in SRC.glob("*/CMakeLists.txt"))
    return [f"docs/ARCHITECTURE.md:1: says nothing about src/{folder}/"
            for folder in folders if not re.search(rf"\b{folder}/", text)]


def check_includes(relative: str, lines: list[str], layers: dict[str, set[str]]) -> list[str]:
    module = relative.split("/")[1]
    is_test = relative.endswith(("_test.cpp", "_for_test.h", "_conformance.h"))
    allowed = layers.get(module, set()) | {module} | ({"env", "base", "support"} if is_test else set())
    findings = []
    for number, line in enumerate(lines, 1):
        include = re.match(r'#include "(\w+)/(\w+/)?', line)
        if include is None:
            continue
        target, inner = include.group(1), include.group(2)
        if target not in allowed:
            findings.append(f"{relative}:{number}: {module} may not include {target}: not in its DEPS")
        if target == "env" and inner == "sim/" and module != "env" and not is_test:
            findings.append(f"{relative}:{number}: only tests include env/sim/")
        if target == "env" and inner == "real/" and module != "main" and "env/real/" not in relative:
            findings.append(f"{relative}:{number}: only main includes env/real/")
    return findings


def check_code(relative: str, text: str, layers: dict[str, set[str]]) -> list[str]:
    lines = text.splitlines()
    findings = []

    def add(number: int, message: str) -> None:
        findings.append(f"{relative}:{number}: {message}")

    if len(lines) > FILE_LINES_MAX:
        add(1, f"{len(lines)} lines, at most {FILE_LINES_MAX}: split it by noun")
    if relative.endswith(".h") and (lines[:1] != ["#pragma once"] or not lines[1].startswith("// ")):
        add(1, "a header begins with '#pragma once' and a comment that says what it is")
    inside = relative.startswith("src/") and not relative.startswith(OUTSIDE_WORLD)
    bans = BANNED_EVERYWHERE + (BANNED_INSIDE if inside else [])
    for number, (line, words) in enumerate(zip(lines, lines_without_strings(text)), 1):
        code = words.split("//")[0]
        if len(line) > LINE_COLUMNS_MAX:
            add(number, f"longer than {LINE_COLUMNS_MAX} columns")
        for pattern, instead in bans:
            if re.search(pattern, code):
                add(number, f"banned: {instead}")
        for pattern, instead in BANNED_WORDS:
            if re.search(pattern, words):
                add(number, instead)
    if relative.startswith("src/"):
        findings += check_includes(relative, lines, layers)
    return findings


def tracked_files() -> list[str]:
    git = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, capture_output=True, text=True, check=False)
    return sorted(set(filter(None, listed.stdout.split("\0"))))


def check_file(relative: str, layers: dict[str, set[str]]) -> list[str]:
    path = ROOT / relative
    if relative.startswith("tests/fuzz/corpus/") or not path.is_file():
        return []
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return []
    findings = [f"{relative}:{number}: a path of one machine"
                for number, line in enumerate(text.splitlines(), 1) if MACHINE_PATH.search(line)]
    if path.suffix in (".h", ".cpp"):
        findings += check_code(relative, text, layers)
    return findings


def main() -> int:
    layers = declared_layers()
    findings = check_layers(layers) + check_docs()
    for relative in tracked_files():
        findings += check_file(relative, layers)
    only = {pathlib.Path(name).resolve().relative_to(ROOT).as_posix() for name in sys.argv[1:]}
    if only:
        findings = [finding for finding in findings if finding.split(":")[0] in only]
    print("\n".join(findings) if findings else f"tidy: {len(layers)} modules, nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
