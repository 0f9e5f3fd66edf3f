# SPDX-License-Identifier: Apache-2.0
"""Numbers on the command line: what is allowed, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workbench.arguments import Parser, real, whole


@pytest.mark.parametrize(
    ("kind", "good", "bad", "allowed"),
    [
        (int, {"7": 7, "-3": -3}, ["x", "", "1.5", "9" * 5000], "a whole number is allowed"),
        (float, {"1e3": 1000.0}, ["x", "nan", "inf"], "a number is allowed"),
        (whole(1), {"1": 1}, ["0", "-1"], "a whole number from 1 on is allowed"),
        (whole(2, 20), {"2": 2, "20": 20}, ["1", "21"], "a whole number, 2..20, is allowed"),
        (real(0, 9.5), {"0": 0.0, "9.5": 9.5}, ["-0.1", "9.6", "nan"], "a number, 0..9.5, is allowed"),
        (real(0, above=True), {"1e-9": 1e-9}, ["0", "-1", "inf"], "a number above 0 is allowed"),
        (real(0, 1e9), {"1e9": 1e9}, ["1e10"], "a number, 0..1000000000, is allowed"),
        (real(0, 5, above=True), {"5": 5.0}, ["0", "5.1"], "a number above 0, 5 at most, is allowed"),
    ],
)
def test_a_number_that_is_not_allowed_is_told_in_words(
    kind: Callable[[str], float],
    good: dict[str, float],
    bad: list[str],
    allowed: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = Parser(prog="earshot")
    parser.add_argument("--n", type=kind)
    for text, number in good.items():
        assert parser.parse_args([f"--n={text}"]).n == number
    for text in bad:
        with pytest.raises(SystemExit) as end:
            parser.parse_args([f"--n={text}"])
        assert end.value.code == 2
        assert f"error: argument --n: found {text!r}; {allowed}" in capsys.readouterr().err
