# SPDX-License-Identifier: Apache-2.0
"""Which lines the tests reach: Python by coverage.py, the handwritten C of this computer's builds by gcov."""

from __future__ import annotations

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from toolbox.scons import scons_environment

FOLDER = ROOT / "build" / "coverage"
ENOUGH = 95.0  # percent of a room's lines
C_ROOMS = ("firmware/dsp", "firmware/pipeline", "firmware/nn", "firmware/device")
PYTHON_ROOMS = ("codegen", "toolbox", "workbench")
# Every gcc of the run is this one: it adds the counters. What gcov needs of a compilation is put
# where the counters will lie (GCOV_PREFIX): many tests build in folders that are gone at their end.
SHIM = """\
#!/bin/sh
{gcc} "$@" --coverage -fprofile-abs-path -fprofile-update=atomic
code=$?
folder=. before=
for word; do
    [ "$before" = -o ] && folder=$(dirname "$word")
    before=$word
done
for from in . "$folder"; do
    to={data}$(cd "$from" && pwd -P)
    for note in "$from"/*.gcno; do
        [ -f "$note" ] && mkdir -p "$to" && cp -u "$note" "$to"
    done
done
exit $code
"""
CONFIG = """\
[run]
branch = false
parallel = true
patch = subprocess
sigterm = true
data_file = {folder}/python
source = codegen,toolbox,workbench
"""

Lines = Mapping[str, Mapping[int, int]]  # file, from the clone's root on -> line -> how often it ran


def run(words: Sequence[str]) -> int:
    """pytest with counters, then the tables; pytest's exit code, or 1 where a room has too few lines reached.

    words: for pytest. What is missing lies in build/coverage/missing.txt, Python's pages in html/.
    """
    gcc = shutil.which("gcc")
    if gcc is None or shutil.which("gcov") is None:
        raise UserError("gcc and gcov are not on PATH", remedy="Install gcc; gcov comes with it.")
    shutil.rmtree(FOLDER, ignore_errors=True)
    programs = FOLDER / "bin"
    programs.mkdir(parents=True)
    shim = programs / "gcc"
    data = FOLDER / "counters"
    shim.write_text(SHIM.format(gcc=gcc, data=data))
    shim.chmod(0o755)
    config = FOLDER / "coveragerc"
    config.write_text(CONFIG.format(folder=FOLDER))
    environment = {**scons_environment(), "COVERAGE_RCFILE": str(config)}
    environment["GCOV_PREFIX"] = str(data)
    environment["GCOV_ERROR_FILE"] = str(FOLDER / "gcov.log")  # not among what a program prints
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    with tempfile.TemporaryDirectory(prefix="earshot-coverage-") as room:  # outside of the clone, as always
        command = [
            sys.executable,
            "-m",
            "coverage",
            "run",
            "-m",
            "pytest",
            f"--basetemp={room}/tests",
            *words,
        ]
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    print("\ncounting the lines that ran", file=sys.stderr, flush=True)
    found = {**_python(environment), **c_lines(data)}
    text, enough = report(found)
    (FOLDER / "missing.txt").write_text(missing(found))
    print(text)
    print(f"lines that no test reaches: {FOLDER / 'missing.txt'}; Python as pages: {FOLDER / 'html'}")
    return code or (0 if enough else 1)


def _python(environment: Mapping[str, str]) -> dict[str, dict[int, int]]:
    """Of all processes of the run together."""
    for words in (["combine", "-q"], ["html", "-q", "-d", str(FOLDER / "html")], ["json", "-q", "-o", "-"]):
        done = subprocess.run(
            [sys.executable, "-m", "coverage", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise UserError(f"coverage.py has nothing to report: {(done.stderr or done.stdout).strip()}")
    files = json.loads(done.stdout)["files"]
    return {
        name: {**dict.fromkeys(file["executed_lines"], 1), **dict.fromkeys(file["missing_lines"], 0)}
        for name, file in files.items()
    }


def c_lines(folder: Path) -> dict[str, dict[int, int]]:
    """Of every program and library that left its counters below `folder`, summed over all of them."""
    counters = sorted(folder.rglob("*.gcda"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return merged(part for parts in pool.map(_gcov, counters) for part in parts)


def _gcov(counters: Path) -> list[dict[str, dict[int, int]]]:
    words = ["gcov", "--json-format", "--stdout", counters.name]
    done = subprocess.run(words, cwd=counters.parent, capture_output=True, text=True, check=False)
    parts = []
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            found: dict[str, dict[int, int]] = {}
            for file in json.loads(line)["files"]:
                path = Path(file["file"])
                name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
                lines = found.setdefault(name.as_posix(), {})
                for one in file["lines"]:
                    number = int(one["line_number"])
                    lines[number] = max(lines.get(number, 0), int(one["count"]))
            parts.append(found)
    return parts


def merged(parts: Iterable[Lines]) -> dict[str, dict[int, int]]:
    """The counts of a file's lines in all parts, added; files of C_ROOMS alone."""
    total: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for part in parts:
        for name, lines in part.items():
            if name.startswith(tuple(f"{room}/" for room in C_ROOMS)):
                for number, count in lines.items():
                    total[name][number] += count
    return {name: dict(lines) for name, lines in total.items()}


def report(found: Lines) -> tuple[str, bool]:
    """A table of the rooms, those with the fewest lines reached first; and whether each C room has enough."""
    rows = []
    for room in (*C_ROOMS, *PYTHON_ROOMS):
        files = [lines for name, lines in found.items() if name.startswith(f"{room}/")]
        count = sum(len(lines) for lines in files)
        ran = sum(sum(times > 0 for times in lines.values()) for lines in files)
        rows.append((100 * ran / count if count else 0.0, room, ran, count))
    lines = [f"{'room':<20} {'lines':>7} {'reached':>8} {'share':>8}"]
    lines += [f"{room:<20} {count:>7,} {ran:>8,} {share:>6.1f} %" for share, room, ran, count in sorted(rows)]
    return "\n".join(lines), all(share >= ENOUGH for share, room, _, _ in rows if room in C_ROOMS)


def missing(found: Lines) -> str:
    """file:lines for what never ran, the files with the most first."""
    rows = []
    for name, lines in found.items():
        never = sorted(number for number, count in lines.items() if count == 0)
        if never:
            rows.append((len(never), f"{name}: {', '.join(ranges(never))}"))
    return "".join(f"{text}\n" for _, text in sorted(rows, key=lambda row: (-row[0], row[1])))


def ranges(numbers: Sequence[int]) -> list[str]:
    """3, 5-7: sorted numbers with those in a row together."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [str(first) if first == last else f"{first}-{last}" for first, last in found]
