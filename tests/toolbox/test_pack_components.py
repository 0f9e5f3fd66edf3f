# SPDX-License-Identifier: Apache-2.0
"""Pack descriptions: which components and files a target gets, by conditions as specified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from codegen.common.errors import UserError
from tests.support.toy_tflm import pdsc
from toolbox.packs.description import Description, read_description
from toolbox.packs.select import select

M4 = {"Dcore": "Cortex-M4", "Dfpu": "SP_FPU", "Tcompiler": "GCC"}
WANTED = {"Cclass": "A", "Cgroup": "G"}
WHOLE = """<component Cclass="A" Cgroup="G" condition="c"><files><file category="sourceC" name="a.c"/></files>
</component>"""


def pack(folder: Path, name: str, components: str, conditions: str = "") -> Description:
    inside = folder / name
    inside.mkdir()
    (inside / f"{name}.pdsc").write_text(pdsc(name, components, conditions))
    return read_description(inside)


@pytest.mark.parametrize(
    ("lines", "holds"),
    [
        ("", True),
        ('<require Dcore="Cortex-M4"/>', True),
        ('<require Dcore="Cortex-M33"/>', False),
        ('<require Dcore="Cortex-M*" Tcompiler="GCC"/>', True),
        ('<require Dcore="Cortex-M*" Tcompiler="AC6"/>', False),
        ('<require Dmve="MVE"/>', False),  # not known of the target
        ('<accept Dcore="Cortex-M0"/><accept Dcore="Cortex-M4"/>', True),
        ('<accept Dcore="Cortex-M0"/><accept Dcore="Cortex-M3"/>', False),
        ('<accept Dcore="Cortex-M4"/><require Tcompiler="AC6"/>', False),
        ('<deny Dfpu="NO_FPU"/>', True),
        ('<deny Dfpu="SP_FPU"/>', False),
        ('<accept Dcore="Cortex-M4"/><deny Tcompiler="GCC"/>', False),
        ('<require condition="yes"/>', True),
        ('<require condition="no"/>', False),
        ('<deny condition="no"/>', True),
        ('<accept condition="no"/><accept condition="yes"/>', True),
    ],
)
def test_conditions(tmp_path: Path, lines: str, holds: bool) -> None:
    conditions = f"""<condition id="c"><description>words</description>{lines}</condition>
    <condition id="yes"><accept Dcore="Cortex-M4"/></condition>
    <condition id="no"><require Dcore="Cortex-M4"/><require Tcompiler="IAR"/></condition>"""
    found = pack(tmp_path, "v.p", WHOLE, conditions)
    if holds:
        (chosen,) = select([found], [WANTED], M4)
        assert [file.name for file in chosen.files] == ["a.c"]
    else:
        with pytest.raises(UserError, match=r"component A:G is not for this core: v.p 1.0.0"):
            select([found], [WANTED], M4)


def test_files_have_conditions_too(tmp_path: Path) -> None:
    components = """<component Cclass="A" Cgroup="G"><files>
      <file category="sourceC" name="all.c"/>
      <file category="sourceC" name="m4.c" condition="m4"/>
      <file category="sourceC" name="m33.c" condition="m33"/>
      <file category="sourceC" name="example.c" attr="template"/>
      <file category="sourceC" name="config.c" attr="config"/>
      <file category="include" name="inc\\deep/"/></files></component>"""
    conditions = """<condition id="m4"><require Dcore="Cortex-M4"/></condition>
    <condition id="m33"><require Dcore="Cortex-M33"/></condition>"""
    (chosen,) = select([pack(tmp_path, "v.p", components, conditions)], [WANTED], M4)
    assert [file.name for file in chosen.files] == ["all.c", "m4.c", "config.c", "inc/deep/"]


def test_what_is_required_comes_along_from_other_packs(tmp_path: Path) -> None:
    first = pack(
        tmp_path,
        "v.first",
        '<component Cclass="A" Cgroup="G" condition="needs"/>',
        '<condition id="needs"><require condition="more"/></condition>'
        '<condition id="more"><require Cclass="B" Cgroup="H" Cvariant="two"/></condition>',
    )
    second = pack(
        tmp_path,
        "v.second",
        '<bundle Cbundle="set" Cclass="B"><component Cgroup="H" Cvariant="one"/>'
        '<component Cgroup="H" Cvariant="two" condition="back"/></bundle>',
        '<condition id="back"><require Cclass="A" Cgroup="G"/></condition>',  # each other: once is enough
    )
    names = [each.component.name for each in select([first, second], [WANTED], M4)]
    assert names == ["A:G", "B:H&two"]
    with pytest.raises(UserError, match=r"component B:H&two, which v.first 1.0.0 requires, is in none"):
        select([first], [WANTED], M4)


def test_of_namesakes_the_one_for_the_target(tmp_path: Path) -> None:
    components = """<component Cclass="A" Cgroup="G" condition="a5"/><component Cclass="A" Cgroup="G" Csub="M"
      condition="m4"/>"""
    conditions = """<condition id="a5"><require Dcore="Cortex-A5"/></condition>
    <condition id="m4"><require Dcore="Cortex-M4"/></condition>"""
    (chosen,) = select([pack(tmp_path, "v.p", components, conditions)], [WANTED], M4)
    assert chosen.component.name == "A:G:M"


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        ("", 'names a condition "c" that it does not have'),
        ('<condition id="c"><require condition="c"/></condition>', 'condition "c" leads to itself'),
    ],
)
def test_broken_conditions(tmp_path: Path, conditions: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        select([pack(tmp_path, "v.p", WHOLE, conditions)], [WANTED], M4)


FAULTS: Mapping[str, tuple[str | None, str]] = {
    "none": (None, "0 descriptions"),
    "not XML": ("<package", "not the description of a pack"),
    "no release": ("<package><vendor>v</vendor><name>p</name></package>", "no vendor, name and release"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_descriptions(tmp_path: Path, fault: str) -> None:
    text, why = FAULTS[fault]
    if text is not None:
        (tmp_path / "v.p.pdsc").write_text(text)
    with pytest.raises(UserError, match=why):
        read_description(tmp_path)
