"""WG503 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.non_finite_gradient import diagnose

ROOT = """
    x: input f32[8,4]
    w: parameter f32[2,4]
    a = linear x w @ "train.py":8
    b = sqrt a native="torch.Tensor.sqrt" @ "train.py":9
    loss = mean b @ "train.py":10
    ! backward loss @ "train.py":11
    ! optimizer_step opt
    measures loss=1.5 gradient_norm="nan"
    birth stage="backward" op="b" count=1 entries={"[2]":[0.0]} loss=1.5
"""
BIRTH = '    birth stage="backward" op="b" count=1 entries={"[2]":[0.0]} loss=1.5\n'
UNSEEN = ROOT.replace(BIRTH, '    parameter w reached=true gradient="non-finite" gradient_norm="nan"\n')

HIDDEN = """
    ids: input i32[8] minimum=0.0 maximum=7.0 finite=1.0
    table: parameter f32[5,4]
    w: parameter f32[2,4]
    a = embedding ids table @ "train.py":7
    b = linear a w @ "train.py":8
    c = where b @ "train.py":9
    loss = mean c @ "train.py":10
    ! backward loss @ "train.py":11
    ! optimizer_step opt
    measures loss=1.5 gradient_norm="nan"
    birth stage="backward" op="a" reader="b" count=12 loss=1.5
"""

FIRES = {
    "numbers that a mask keeps from the loss, where they are made": (HIDDEN, 7, "error"),
    "the root of zero": (ROOT, 9, "error"),
    "at a later step": (ROOT.replace('op="b"', 'op="b" step=72'), 9, "error"),
    "a branch that is not taken": (ROOT.replace("loss = mean b", 'c = where a b @ "train.py":12\n    loss = mean c'), 9, "error"),
    "beside another optimizer, whose scale declines updates": (
        '    optimizer opt steps=3\n    group parameters=["w"]\n    optimizer other steps=3 skipped=2\n    group parameters=["v"]\n' + ROOT,
        9,
        "error",
    ),
    "where the step could not be run again, at the backward": (UNSEEN, 11, "error"),
}

DECLINED = (
    "    ending w changed=true gradient_seen=true\n"
    + ROOT
    + '    parameter w reached=true gradient="non-finite" gradient_norm="nan" moved=0.0\n'
)

SILENT = {
    "an update that the program declines by itself": DECLINED,
    "finite": ROOT.replace(BIRTH, "").replace('gradient_norm="nan"', "gradient_norm=1.0"),
    "a gradient scaler at work": ROOT.replace("! optimizer_step", "! unscale opt\n    ! optimizer_step"),
    "a scaled loss that could not be run again": UNSEEN.replace("! optimizer_step", "! unscale opt\n    ! optimizer_step"),
    "a scale that declines updates": '    optimizer opt steps=3 skipped=2\n    group parameters=["w"]\n' + ROOT,
    "no gradient": ROOT.replace(BIRTH, '    parameter w reached=true gradient="none"\n'),
}

OTHERS = {
    "the forward (WG502)": ROOT.replace('stage="backward"', 'stage="forward"'),
    "the loss is NaN already (WG502)": UNSEEN.replace("loss=1.5", 'loss="nan"'),
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG503"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(
    ("loss", "text"),
    [("loss = mean b", "{x} + 1e-12"), ('c = where a b @ "train.py":12\n    loss = mean c', "{x}.clamp(min=1e-12)")],
    ids=["the root of what may be zero", "a branch that is not taken, below zero too"],
)
def test_what_goes_in_is_kept_where_there_is_a_slope(loss: str, text: str) -> None:
    (diagnosis,) = said(diagnose, ROOT.replace("loss = mean b", loss))

    assert diagnosis.remedy is not None
    assert [edit.text for edit in diagnosis.remedy.edits] == [text]


@pytest.mark.parametrize(("name", "kept"), [("arccos", True), ("asin", True), ("tan", False)])
def test_what_an_arc_is_given_is_kept_off_both_ends(name: str, kept: bool) -> None:
    (diagnosis,) = said(diagnose, ROOT.replace("sqrt a", "sin a").replace("torch.Tensor.sqrt", f"torch.{name}"))

    assert (diagnosis.remedy is not None and [edit.text for edit in diagnosis.remedy.edits] == ["{x} * (1 - 1e-6)"]) is kept


def test_ids_beyond_the_table_are_shown() -> None:
    (diagnosis,) = said(diagnose, HIDDEN)

    assert any("goes up to 7, and the table has the rows 0 to 4" in one.statement for one in diagnosis.evidence)
    assert "before the look-up" in diagnosis.help
