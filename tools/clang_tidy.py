#!/usr/bin/env python3
"""Runs clang-tidy on the sources of src/ and remembers which passed.

A file is checked again only when something changed that its result hangs on: itself, a header of
ours that it includes (over however many steps), its compile command, .clang-tidy, or the packages of
the compiler and the libraries. What passed is remembered below ~/.cache/eilpost/tidy, so a clean
clone profits as well. Test sources are left out unless --tests is given: the macros of GoogleTest
cost minutes and their expansion breaks rules that are meant for us.

usage: clang_tidy.py BUILD_FOLDER [--tests] [--checks=LIST] [FILE...]
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
CLANG_TIDY = "clang-tidy-19"
INCLUDE = re.compile(rb'^#include "([^"]+)"', re.MULTILINE)


def package_versions() -> bytes:
    query = ["dpkg-query", "-W", "clang-tidy-19", "lib*-dev", "nlohmann-json3-dev"]
    return subprocess.run(query, capture_output=True, check=False).stdout


class Keys:
    """Hashes of everything that one file's result hangs on."""

    def __init__(self, common: bytes):
        self.common = common
        self.texts: dict[pathlib.Path, bytes] = {}

    def text(self, path: pathlib.Path) -> bytes:
        if path not in self.texts:
            self.texts[path] = path.read_bytes() if path.is_file() else b""
        return self.texts[path]

    def closure(self, path: pathlib.Path) -> set[pathlib.Path]:
        seen, waiting = {path}, [path]
        while waiting:
            for name in INCLUDE.findall(self.text(waiting.pop())):
                header = SRC / name.decode()
                if header not in seen:
                    seen.add(header)
                    waiting.append(header)
        return seen

    def of(self, path: pathlib.Path, command: str) -> str:
        digest = hashlib.sha256(self.common + command.replace(str(ROOT), "").encode())
        for part in sorted(self.closure(path)):
            digest.update(str(part.relative_to(ROOT)).encode() + b"\0" + self.text(part) + b"\0")
        return digest.hexdigest()


def run(path: pathlib.Path, build: str, options: list[str]) -> tuple[pathlib.Path, bool, str]:
    command = [CLANG_TIDY, "-p", build, "--quiet", *options, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return path, done.returncode == 0 and not done.stdout.strip(), done.stdout or done.stderr


def wanted_commands(arguments: argparse.Namespace) -> dict[pathlib.Path, str]:
    database = json.loads((pathlib.Path(arguments.build) / "compile_commands.json").read_text())
    only = {pathlib.Path(name).resolve() for name in arguments.files}
    commands = {}
    for entry in database:
        path = pathlib.Path(entry["file"])
        if not path.is_relative_to(SRC) or (only and path not in only):
            continue
        if path.name.endswith("_test.cpp") and not (arguments.tests or only):
            continue
        commands[path] = entry["command"]
    return commands


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--checks")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    options = [f"--checks={arguments.checks}"] if arguments.checks else []

    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    cache = cache / "eilpost" / "tidy"
    cache.mkdir(parents=True, exist_ok=True)
    keys = Keys((ROOT / ".clang-tidy").read_bytes() + package_versions() + repr(options).encode())
    todo = {}
    commands = wanted_commands(arguments)
    for path, command in sorted(commands.items()):
        key = keys.of(path, command)
        if not (cache / key).exists():
            todo[path] = key
    print(f"clang-tidy: {len(commands)} files, {len(todo)} to check", flush=True)

    failed = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(run, path, arguments.build, options) for path in todo]
        for count, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            path, passed, said = job.result()
            print(f"[{count}/{len(todo)}] {path.relative_to(ROOT)}", flush=True)
            if passed:
                (cache / todo[path]).touch()
            else:
                failed.append(path)
                print(said, flush=True)
    if failed:
        print(f"clang-tidy: findings in {len(failed)} files")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
