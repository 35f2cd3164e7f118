"""WG502 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.non_finite_forward import diagnose

LOG = """
    x: input f32[8,4]
    w: parameter f32[2,4]
    a = softmax x w @ "train.py":8
    b = log a native="torch.log" @ "train.py":9
    loss = mean b @ "train.py":10
    ! backward loss @ "train.py":11
    ! optimizer_step opt
    measures loss="-inf"
    birth stage="forward" op="b" count=2 entries={"[3,0]":[0.0],"[5,1]":[0.0]} loss="-inf"
"""
FIGURES = """
    x: input f32[8,4] finite=1.0 minimum=0.0 maximum=1.0
    w: parameter f32[2,4] finite=1.0 minimum=0.0 maximum=1.0
    a: activation f32[8,2] finite=1.0 minimum=0.0 maximum=1.0
    b: activation f32[8,2] finite=0.9
    loss: loss f32[] finite=0.0
    a = softmax x w
    b = log a @ "train.py":9
    loss = mean b @ "train.py":10
"""
BIRTH = '    birth stage="forward" op="b" count=2 entries={"[3,0]":[0.0],"[5,1]":[0.0]} loss="-inf"\n'

FIRES = {
    "a logarithm of zero": (LOG, 9, "error"),
    "a batch of classes without weight": (
        LOG.replace("loss = mean b", "loss = cross_entropy b y c").replace('op="b"', 'op="loss"')
        + "    y: label i64[8]\n    b: activation f32[8,2]\n    c: input f32[2] finite=1.0 zeros=0.5\n",
        10,
        "error",
    ),
    "at a later step": (LOG.replace('op="b"', 'op="b" step=300'), 9, "error"),
    "from the figures, where nothing could be run again": (FIGURES, 9, "error"),
    "NaN figures": (FIGURES.replace("finite=0.9", 'finite="nan"'), 9, "error"),
    "a step that was neither recorded nor run again": (
        LOG.replace(BIRTH, "") + '    course steps=400 start=1.0 first=1.0 last=0.5 non_finite=300 @ "train.py":11\n',
        11,
        "error",
    ),
    "the first of several": (LOG + '    birth stage="given" value="w" step=1\n', 9, "error"),
}

SILENT = {
    "finite": LOG.replace(BIRTH, ""),
    "a finite course": LOG.replace(BIRTH, "") + "    course steps=400 start=1.0 first=1.0 last=0.5\n",
    "infinities that end in a finite loss": FIGURES.replace("loss: loss f32[] finite=0.0", "loss: loss f32[] finite=1.0"),
    "a mask before a softmax": FIGURES.replace("b = log a", "b = where a")
    .replace("mean b", "softmax b")
    .replace("finite=0.0", "finite=1.0"),
    "empty": "x: input f32[0,4] count=0\nw: parameter f32[2,4]\na = linear x w\nloss = mean a",
}

FIRES["inside of what the record shows as one op"] = LOG.replace('op="b"', 'op="t99"'), 11, "error"

LATER = LOG.replace(BIRTH, '    birth stage="given" value="w" step=25 loss="nan"\n')
COURSE = '    course steps=400 start=1.0 first=1.0 last=0.5 non_finite={} @ "train.py":11\n'
FIRES["a step of another shape, and the parameters that it spoilt"] = LATER + COURSE.format(24), 11, "error"
FIRES["parameters that the step before it spoilt, which could not be run again"] = LATER + COURSE.format(25), 11, "error"

OTHERS = {
    "what the update before it made of the parameters (WG504)": LATER.replace('stage="given"', 'stage="update"') + COURSE.format(25),
    "it came with the input (WG501)": LOG.replace('stage="forward" op="b"', 'stage="given" value="x"'),
    "the derivative (WG503)": LOG.replace('stage="forward"', 'stage="backward"'),
    "no class has a weight (WG105)": LOG.replace("loss = mean b", "loss = cross_entropy b y c").replace('op="b"', 'op="loss"')
    + "    y: label i64[8]\n    b: activation f32[8,2]\n    c: input f32[2] finite=1.0 zeros=1.0\n",
    "every label ignored (WG105)": LOG.replace("loss = mean b", "loss = cross_entropy b").replace('op="b"', 'op="loss"'),
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG502"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


RAW = """
    x: input f32[8,4] called="x" finite=1.0 minimum=0.0 maximum=900.0 mean=450.0 std=250.0
    y: label f32[8,2]
    w: parameter f32[2,4]
    a = linear x w @ "train.py":8 text="a = net(x)"
    b = exp a @ "train.py":9
    loss = mse_loss b y with={"target":1} @ "train.py":10
    ! backward loss @ "train.py":11
    birth stage="forward" op="b" count=2 entries={"[3,0]":[200.0]} loss="inf"
    labels values=["y"] how="target"
"""


@pytest.mark.parametrize(
    ("text", "large"),
    [
        (RAW, True),
        (RAW.replace("900.0", "1.0").replace("450.0", "0.5").replace("250.0", "0.5"), False),
        (RAW.replace("exp a", "sin a"), False),
    ],
    ids=["raw counts", "inputs of ordinary size", "an op that large numbers do not spoil"],
)
def test_large_inputs_are_standardised_where_an_op_makes_too_much_of_them(text: str, large: bool) -> None:
    (diagnosis,) = said(diagnose, text)

    assert (diagnosis.remedy is not None and "standardise" in diagnosis.remedy.summary) is large


def test_a_table_that_ids_point_beyond_is_made_longer() -> None:
    text = """
        ids: input i32[8] minimum=0.0 maximum=7.0 finite=1.0
        table: parameter f32[5,4]
        w: parameter f32[2,4]
        a = embedding ids table @ "train.py":7
        b = linear a w @ "train.py":8
        loss = mean b @ "train.py":10
        ! backward loss @ "train.py":11
        parameter table value=table @ "train.py":3
        parameter w value=w @ "train.py":4
        birth stage="forward" op="a" count=2 entries={"[3,0]":[0.0]} loss="nan"
    """
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    assert [(edit.text, edit.site.line) for edit in diagnosis.remedy.edits] == [("8", 3)]


@pytest.mark.parametrize(("lowest", "edits"), [("0.0", 2), ("-1.0", 1)], ids=["a share", "no share"])
def test_both_logarithms_of_a_line_are_kept_above_zero(lowest: str, edits: int) -> None:
    text = "t * log(p) + (1 - t) * log(1 - p)"
    both = FIGURES.replace(
        "    b = log a",
        f'    c: activation f32[8,2] minimum={lowest} maximum=1.0\n    d = log c native="log" @ "train.py":9:5-11 text="{text}"\n    b = log a',
    )
    both = both.replace('b = log a @ "train.py":9', f'b = log a native="log" @ "train.py":9:24-34 text="{text}"')
    (diagnosis,) = said(diagnose, both + BIRTH)

    assert diagnosis.remedy is not None
    assert len(diagnosis.remedy.edits) == edits
