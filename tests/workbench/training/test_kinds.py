# SPDX-License-Identifier: Apache-2.0
"""[network] kind: keys, defaults and shapes of each; in Keras each is converted and runs in the app."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError, UserErrors
from codegen.common.paths import ROOT
from tests.support.training import trainer
from workbench.training.kinds import CNN, KINDS, Network, check_shape, dilations
from workbench.training.recipe import FILE_NAME, load_recipe


def network(folder: Path, text: str) -> Network:
    (folder / FILE_NAME).write_text(f"[network]\n{text}\n")
    return load_recipe(folder).network


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_defaults_of_its_own(tmp_path: Path, kind: str) -> None:
    assert network(tmp_path, f'kind = "{kind}"') == KINDS[kind].defaults
    assert KINDS[kind].defaults.kind == kind
    assert network(tmp_path, f'kind = "{kind}"\ndropout = 0.5').dropout == 0.5


def test_without_a_kind_it_is_the_tutorials_network(tmp_path: Path) -> None:
    assert network(tmp_path, "") == CNN == KINDS["cnn"].defaults


def test_a_key_that_a_kind_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserErrors) as caught:
        network(tmp_path, 'kind = "mlp"\nkernel = 3\nconvolutions = [4]')
    assert [fault.place for fault in caught.value.errors] == [
        "line 3, [network] kernel",
        "line 4, [network] convolutions",
    ]
    assert caught.value.errors[0].what == 'a network of the kind "mlp" has no kernel; it has dense, dropout'
    with pytest.raises(UserError, match='found "rnn"; one of cnn, ds_cnn, tcn, mlp is allowed'):
        network(tmp_path, 'kind = "rnn"')
    with pytest.raises(UserError, match='"tcn" has at least one convolution'):
        network(tmp_path, 'kind = "tcn"\nconvolutions = []')


def test_the_page_tells_every_kind() -> None:
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `\"(\w+)\"` \|", page, re.MULTILINE) == list(KINDS)


@pytest.mark.parametrize(
    ("count", "kernel", "frames", "wanted"),
    [
        (4, 3, 15, (1, 1, 2, 3)),  # 15 -> 13 -> 11 -> 7 -> 1 row
        (4, 3, 40, (1, 1, 2, 4)),
        (1, 15, 15, (1,)),
        (3, 1, 2, (1, 1, 1)),  # one tap is nowhere further
    ],
)
def test_later_convolutions_reach_further(
    count: int, kernel: int, frames: int, wanted: tuple[int, ...]
) -> None:
    assert dilations(Network("tcn", (8,) * count, kernel), frames) == wanted


@given(st.integers(1, 8), st.integers(1, 15), st.integers(1, 200), st.integers(1, 80))
def test_a_network_is_refused_just_where_it_leaves_nothing(
    count: int, kernel: int, frames: int, size: int
) -> None:
    """Over time alone a tcn takes `taps * dilation` rows a layer; every layer has a tap distance of 1 or more
    as soon as one row a layer is there."""
    temporal = Network("tcn", (8,) * count, kernel)
    left = frames - sum((kernel - 1) * dilation for dilation in dilations(temporal, frames))
    fits = frames - count * (kernel - 1) >= 1
    if fits:
        check_shape(temporal, (frames, size), Path("training.toml"))
        assert left >= 1
        assert min(dilations(temporal, frames)) >= 1
    else:
        with pytest.raises(UserError, match=f"{count} convolutions of {kernel} leave nothing of {frames} x"):
            check_shape(temporal, (frames, size), Path("training.toml"))


def test_a_square_kernel_takes_of_both_sides() -> None:
    check_shape(Network(convolutions=(8, 8), kernel=3), (5, 20), Path("training.toml"))
    for shape in ((4, 20), (20, 4)):
        with pytest.raises(
            UserError, match=f"2 convolutions of 3 x 3 leave nothing of {shape[0]} x {shape[1]}"
        ):
            check_shape(Network(convolutions=(8, 8), kernel=3), shape, Path("training.toml"))


SCRIPT = """
import json
from pathlib import Path
from codegen.app.spec_file import load_spec
from workbench.training.convert import to_int8
from workbench.training.kinds import KINDS
from workbench.training.network import build_network
from workbench.training.on_board import any_features, on_board

spec = load_spec(Path("examples/smart_lock"))
found = {}
for name, kind in KINDS.items():
    model = build_network(kind.defaults, (15, 20), 4, 1)
    content = to_int8(model, 0, any_features((15, 20)), (15, 20), 0)
    board = on_board(spec, content, Path("training.toml"))
    found[name] = [model.count_params(), board.instructions, board.full, board.reason]
print(json.dumps(found))
"""


def test_each_kind_runs_in_the_app_and_slides() -> None:
    """Parameters are counted by hand: weights, biases, four values a channel of a normalisation."""
    done = subprocess.run(
        [trainer(), "-c", SCRIPT],
        cwd=ROOT,
        env={
            **os.environ,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    convolution = (9 + 1 + 4) * 24
    block = (9 + 1 + 4) * 24 + (24 + 1 + 4) * 24
    assert found["ds_cnn"][0] == convolution + 2 * block + (9 * 14 * 24 + 1) * 4
    first, second, dilated = (3 * 20 + 1 + 4) * 24, (3 * 24 + 1 + 4) * 24, (3 * 24 + 1) * 24
    assert found["tcn"][0] == first + second + 2 * dilated + (24 + 1) * 4
    assert found["mlp"][0] == (300 + 1) * 24 + (24 + 1) * 4
    assert found["cnn"][0] == 24_580
    for name in ("cnn", "ds_cnn", "tcn"):
        _, slid, full, reason = found[name]
        assert 5 * slid < full, name
        assert reason == "", name
