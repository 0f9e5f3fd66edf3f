# SPDX-License-Identifier: Apache-2.0
"""A name means one thing: words that were given up for the field's own do not come back."""

from __future__ import annotations

import re
import subprocess

import pytest

from codegen.common.paths import ROOT

# word -> what is written instead
GIVEN_UP = {
    "every_layer": "layer_outputs",
    "port_room": "port_write_capacity",
    "port_alive": "watchdog_feed",
    "output_set_patient": "output_set_blocking",
    "ToldError": "ExitCode",
    "Oracle": "ReferenceInterpreter",
    "wilful": "scripted",
    "parting": "first_divergence",
    "afresh": "from scratch, again",
    "numbers of now": "current numbers",
    "portable twin": "portable version",
    "one behind the other": "one after the other",
    "before and behind": "before and after",
    "of the values -128": "lookup table over -128 .. 127",
}
KINDS = ("*.py", "*.c", "*.h", "*.cc", "*.in", "*.md", "*.toml", "*.robot", "SConstruct")
ITSELF = "tests/house/test_words.py"


def found(word: str) -> list[str]:
    """The lines that hold it, in files under version control or new; CHANGELOG.md may tell of old names."""
    words = ["git", "grep", "--untracked", "-nwF", word, "--", *KINDS, f":!{ITSELF}", ":!CHANGELOG.md"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("word", GIVEN_UP)
def test_a_word_that_was_given_up_does_not_come_back(word: str) -> None:
    assert not found(word), f'write "{GIVEN_UP[word]}"'


def test_words_are_found() -> None:
    """The search sees what is there: this very check would pass without it."""
    assert any(line.startswith("codegen/app/spec.py:") for line in found("layer_outputs"))
    assert all(re.match(r"[^:]+:\d+:", line) for line in found("layer_outputs"))
