# SPDX-License-Identifier: Apache-2.0
"""The table of models that others published: what `verify --table` prints, and docs/models.md has of it."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from codegen.common.paths import ROOT
from tests.codegen.ops.test_elu import Elu
from tests.models.builder import Builder
from tests.support.cli import refused
from tests.support.exact import Step
from tests.support.tflm import need_tflm
from workbench.cli import main
from workbench.verify import public_cost
from workbench.verify import public_table as public_table_module
from workbench.verify.public_cost import cost_table
from workbench.verify.public_table import HEADS, Source, content_hash, public_table, sources

PAGE = (ROOT / "docs/models.md").read_text(encoding="utf-8")


def test_rows_say_what_was_compared_and_what_was_refused(tmp_path: Path) -> None:
    """An operator that LiteRT's interpreter lacks is compared with TensorFlow Lite Micro's."""
    need_tflm()
    good, bad = tmp_path / "good.tflite", tmp_path / "bad.tflite"
    good.write_bytes(Elu(Step(0.1, 0), Step(0.1, 0)).build().bytes())
    model = Builder()
    x, y = (model.tensor((1, 4), "int8", 0.1, 0) for _ in range(2))
    model.operator("CUMSUM", [x, x], [y], {})
    model.write(bad, [x], [y])
    table, same = public_table([good, bad], 8, 0)
    assert same
    heads, _, *rows = table.split("\n")
    assert heads == f"| {' | '.join(HEADS)} |"
    refused, compared = ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)
    assert refused == ["bad", "", "", "the operator CUMSUM is not supported", "", "", ""]
    assert compared[:3] == ["good", "", "tflm"]
    assert all(re.fullmatch(r"[\d,]+ values, 0 differing", cell) for cell in compared[3:5])
    assert all(re.fullmatch(r"[\d,]+", cell) for cell in compared[5:])


def test_a_table_of_costs_counts_both_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small model's own counts, and what is refused in its row."""
    good, bad, alike = (tmp_path / name for name in ("good.tflite", "bad.tflite", "kws_ref_model.tflite"))
    good.write_bytes(Elu(Step(0.1, 0), Step(0.1, 0)).build().bytes())
    bad.write_bytes(b"nothing")
    alike.write_bytes(Elu(Step(0.2, 0), Step(0.1, 0)).build().bytes())
    known = Source("kws_ref_model", "somebody/models", "kws.tflite", content_hash(good), "9")
    monkeypatch.setattr(public_table_module, "sources", lambda: (known,))
    counted = []

    def count(app: Path, kernels: str) -> SimpleNamespace:
        counted.append((app.name.split("-")[0], kernels))
        full, flash = (2000, (100, 30)) if kernels == "small" else (1000, (150, 40))
        return SimpleNamespace(
            mac=1500,
            general_share=0.125,
            decisions=SimpleNamespace(full=full),
            cycles=SimpleNamespace(full=3 * full),
            flash=SimpleNamespace(total=sum(flash)),
            ram=SimpleNamespace(total=1234),
        )

    monkeypatch.setattr(public_cost, "profile", count)
    heads, _, row, left_out, other = cost_table([good, bad, alike]).split("\n")
    assert heads == f"| {' | '.join(public_cost.HEADS)} |"
    assert left_out.startswith("| bad | not a TFLite model")
    assert left_out.count("|") == heads.count("|")
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert counted[:2] == [("good", "small"), ("good", "fast")]
    assert cells == [
        *("kws_ref_model", "1,500", "2,000 / 1,000", "7,696,426", "0.750 / 1.500", "12.5%", "6,000", "9"),
        *("130 / 190", "1,234"),
    ]
    assert "7,696,426" not in other  # another model of that name


def test_each_source_is_another_file() -> None:
    assert len({source.sha256 for source in sources()}) == len(sources())
    assert all(re.fullmatch(r"[0-9a-f]{16}", source.sha256) for source in sources())


def test_the_page_has_every_one_and_names_what_differs() -> None:
    pattern = r"^\| (\w[\w.]*) \| (\S+): (\S+) \| (?:litert|tflm) \| (.*)$"
    rows = re.findall(pattern, PAGE, flags=re.MULTILINE)
    assert [(name, repository, path) for name, repository, path, _ in rows] == [
        (source.name, source.repository, source.path) for source in sources()
    ]
    differing = [name for name, *_, rest in rows if rest.count(" values, 0 differing |") != 2]
    assert all(f"`{name}` differs" in PAGE for name in differing)
    assert len(differing) < 2


def test_a_value_that_differs_is_told_by_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "good.tflite"
    model.write_bytes(Elu(Step(0.1, 0), Step(0.1, 0)).build().bytes())
    taken = SimpleNamespace(decisions=SimpleNamespace(full=1), ram=SimpleNamespace(total=2))
    monkeypatch.setattr(public_table_module, "profile", lambda _: taken)
    for differing in (0, 12):
        found = SimpleNamespace(results={"y": SimpleNamespace(compared=1200, differing=differing)})
        monkeypatch.setattr(public_table_module, "verify_model", lambda *_, found=found: found)
        assert main(["verify", str(model), "--table"]) == (1 if differing else 0)
        assert f"1,200 values, {differing} differing" in capsys.readouterr().out


def test_what_a_table_has_no_place_for_is_refused() -> None:
    for option in (("--json",), ("--layers",), ("--target", "qemu"), ("--engine", "tflm")):
        reported = refused("verify", "model.tflite", "--table", *option)
        assert f"{option[0]} does not go with --table" in reported


def test_a_table_of_costs_takes_no_other_option() -> None:
    for option in (("--json",), ("--check",), ("--kernels", "fast"), ("--engine", "tflm")):
        assert "--table has columns of its own" in refused("profile", "model.tflite", "--table", *option)
    assert "--table is of models" in refused("profile", "--app", "examples/smart_lock", "--table")


def test_instructions_are_those_of_the_page_on_performance() -> None:
    """One model stands on both pages by its file's name."""
    performance = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    row = r"^\| [^|]*`\w+/(\w+)`[^|]* \| [\d,]+ \| \S+ \| \S+ \| ([\d,]+) \|"
    known = dict(re.findall(row, performance, re.MULTILINE))
    row = r"^\| (\w[\w.]*) \| \S+: \S+ \| (?:litert|tflm) \| .* \| ([\d,]+) \| [\d,]+ \|$"
    here = dict(re.findall(row, PAGE, re.MULTILINE))
    both = known.keys() & here.keys()
    assert len(both) >= 2, sorted(known)
    assert {name: known[name] for name in both} == {name: here[name] for name in both}
