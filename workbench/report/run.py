# SPDX-License-Identifier: Apache-2.0
"""Makes a report, writes it, prints it, and stores it where it is accepted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from codegen.app.spec_file import load_spec
from codegen.common.paths import ROOT
from workbench.own_folder import own_folder
from workbench.profiling import budgets
from workbench.report import decisions
from workbench.report.page import page
from workbench.report.report import as_object, make
from workbench.report.text import advice, as_text, verdict


def report(
    app: Path,
    board: str,
    build_dir: Path | None = None,
    *,
    accept: bool = False,
    as_json: bool = False,
    option: str = "--accept",
) -> int:
    """0: within the budgets and decided as accepted, or accepted now; 1: not. report.html and report.json lie
    in build/<board>/<app>/report/.

    option: how the caller's command line asks for `accept`.
    """
    found = make(app, board, build_dir)
    folder = own_folder((build_dir or ROOT / "build") / board, load_spec(app).file.parent) / "report"
    folder.mkdir(exist_ok=True)
    reported = json.dumps(as_object(found))
    (folder / "report.json").write_text(reported + "\n", encoding="utf-8")
    html = folder / "report.html"
    html.write_text(page(found), encoding="utf-8")
    print(reported if as_json else as_text(found))
    remarks = sys.stderr if as_json else sys.stdout
    if accept:
        where = load_spec(app).file.parent
        files = budgets.accept(where, found.profile), decisions.write(where, found.now)
        print(f"\naccepted: stored in {files[0]} and {files[1]}\n{html}", file=remarks)
        return 0
    print(f"\n{verdict(found)}\n{advice(found, option)}{html}", file=remarks)
    return 0 if found.passed else 1
