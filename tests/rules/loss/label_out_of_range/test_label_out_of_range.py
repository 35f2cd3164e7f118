"""WG204 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.loss.label_out_of_range import diagnose

IDS = """
    x: input f32[24,6]
    y: label i64[24] minimum=1 maximum=6 whole=1.0 distinct=6
    w: parameter f32[6,6]
    out: activation f32[24,6]
    out = linear x w @ "a.py":3
    = cross_entropy out y failed=true with={"target":1,"ignore_index":-100} @ "a.py":5
    ! exception with={"type":"IndexError","message":"Target 6 is out of bounds."}
    labels values=["y"] how="target"
"""

MASK = """
    x: input f32[8,3,9,9]
    m: input u8[8,1,9,9]
    y: label f32[8,1,9,9] minimum=0 maximum=255 whole=1.0 distinct=2
    w: parameter f32[1,3,3,3]
    out: activation f32[8,1,9,9]
    y = cast m @ "data.py":7
    out = conv x w @ "a.py":3
    loss = bce_with_logits out y with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

MARGIN = """
    x: input f32[50,6]
    y: label f32[50] minimum=0 maximum=1 whole=1.0 distinct=2 zeros=0.46
    w: parameter f32[1,6]
    out: activation f32[50]
    out = linear x w @ "a.py":3
    loss = hinge_loss out y native="torch.nn.functional.soft_margin_loss" with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

NOISY = """
    x: input f32[8,3]
    w: parameter f32[1,3]
    out: activation f32[8,1]
    hard: constant f32[8,1] minimum=0 maximum=1
    noise: constant f32[8,1] minimum=0 maximum=1
    y: label f32[8,1] minimum=0.01 maximum=1.048
    noise = random @ "a.py":2
    y = add hard noise @ "a.py":2
    out = linear x w @ "a.py":3
    loss = bce_with_logits out y with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

FIRES = {
    "far outside of 0 to 1, noise or not": (NOISY.replace("1.048", "255"), 2),
    "a little outside without noise": (NOISY.replace("= random", "= create"), 2),
    "ids that begin at 1": (IDS, 5),
    "a mark of -1": (IDS.replace("minimum=1 maximum=6", "minimum=-1 maximum=5").replace("Target 6", "Target -1"), 5),
    "a mark of 255": (IDS.replace("maximum=6", "maximum=255").replace("Target 6", "Target 255"), 5),
    "masks of 0 and 255": (MASK, 7),
    "amounts, one for each example": (MASK.replace("[8,1,9,9]", "[8,1]").replace("whole=1.0 distinct=2", "whole=0.01 distinct=8"), 5),
    "pixels with fractions": (MASK.replace("whole=1.0 distinct=2", "whole=0.01 distinct=600"), 7),
    "negative shares": (MASK.replace("minimum=0 maximum=255", "minimum=-1 maximum=1"), 7),
    "zeros and ones for a margin": (MARGIN, 5),
    "zeros and ones for pairs": (MARGIN.replace("soft_margin_loss", "hinge_embedding_loss"), 5),
}

SILENT = {
    "zeros and ones with random noise": NOISY,
    "ids from 0": IDS.replace("minimum=1 maximum=6", "minimum=0 maximum=5")
    .replace("failed=true ", "")
    .replace("Target 6 is out of bounds.", ""),
    "more ids than outputs (WG220)": IDS.replace("minimum=1 maximum=6", "minimum=0 maximum=7").replace("Target 6", "Target 7"),
    "the mark is ignored": IDS.replace("maximum=6", "maximum=255")
    .replace("-100", "255")
    .replace("failed=true ", "")
    .replace("Target 6 is out of bounds.", ""),
    "masks of 0 and 1": MASK.replace("255", "1"),
    "a rounding error": MASK.replace("maximum=255", "maximum=1.0004"),
    "NaN among the targets (WG501)": MASK.replace("minimum=0 maximum=255", 'finite=0.9 minimum=0 maximum="nan"'),
    "logarithms for a divergence": MASK.replace("bce_with_logits", "kl_div")
    .replace('"target":1', '"target":1,"log_target":true')
    .replace("minimum=0", "minimum=-9"),
    "signs": MARGIN.replace("minimum=0", "minimum=-1"),
    "ones alone": MARGIN.replace("zeros=0.46", "zeros=0.0"),
    "several labels at once": MARGIN.replace("soft_margin_loss", "multilabel_soft_margin"),
    "no figures": MARGIN.replace("minimum=0 maximum=1 whole=1.0 distinct=2 zeros=0.46", ""),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_labels_out_of_range(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


HINGE = """
    x: input f32[40,6]
    y: label f32[40] minimum=0 maximum=1 whole=1.0 distinct=2 zeros=0.55
    w: parameter f32[6]
    s: activation f32[40]
    s = matmul x w @ "svm.py":12
    p = mul y s @ "svm.py":21
    r = sub p native="torch.Tensor.__rsub__" @ "svm.py":21
    c = clamp r with={"min":0} @ "svm.py":21
    loss = mean c
    labels values=["y"] how="batch"
"""


@pytest.mark.parametrize(
    "text",
    [
        HINGE,
        HINGE.replace('clamp r with={"min":0}', "relu r"),
        HINGE.replace("mul y s", "mul s y"),
        HINGE.replace("sub p native", "sub one p native").replace("    x: input", "    one: constant f32[]\n    x: input", 1),
    ],
    ids=["clamp", "relu", "turned round", "one as a tensor"],
)
def test_zeros_and_ones_for_a_hinge_that_is_written_out(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("svm.py", 21)
    assert diagnosis.message == "a hinge loss needs labels -1 and 1, and `y` holds 0 and 1"


@pytest.mark.parametrize(
    "text",
    [
        HINGE.replace("minimum=0", "minimum=-1"),
        HINGE.replace("zeros=0.55", "zeros=0.0"),
        HINGE.replace("minimum=0 maximum=1 whole=1.0 distinct=2 zeros=0.55", ""),
        HINGE.replace("loss = mean c", "q = square s\n    t = add c q\n    loss = mean t"),
        HINGE.replace("loss = mean c", 'n = sub y native="torch.Tensor.__rsub__"\n    t = add c n\n    loss = mean t'),
        HINGE.replace("s = matmul x w", "a = matmul x w\n    b = square a\n    s = sub a b"),
        HINGE.replace('with={"min":0}', 'with={"min":0,"max":1}'),
        HINGE.replace('sub p native="torch.Tensor.__rsub__"', "sub p"),
    ],
    ids=[
        "signs",
        "ones alone",
        "no figures",
        "scores read elsewhere",
        "labels read elsewhere",
        "pairs",
        "cut on both sides",
        "a number taken away",
    ],
)
def test_products_with_labels_that_are_no_hinge_on_signs(text: str) -> None:
    assert not said(diagnose, text)


ONE_OUTPUT = """
    x: input f32[32,6]
    d: input i64[32] called="y" minimum=0 maximum=2 whole=1.0 distinct=3
    y: activation f32[32,1] minimum=0 maximum=2 whole=1.0
    w: parameter f32[1,6]
    out: activation f32[32,1]
    y = reshape d
    out = linear x w @ "a.py":3
    loss = binary_cross_entropy out y with={"target":1} @ "a.py":5
    labels values=["d"] how="framework"
"""


def test_ids_of_several_classes_for_one_output_are_not_divided() -> None:
    (diagnosis,) = said(diagnose, ONE_OUTPUT)

    assert "`y` goes up to 2" in diagnosis.message
    assert "as ids of 3 classes are: give the last layer 3 outputs" in diagnosis.help
    assert diagnosis.remedy is None


@pytest.mark.parametrize(
    "now", ["minimum=0 maximum=4 whole=1.0 distinct=3", "minimum=1 maximum=3 whole=1.0 distinct=3"], ids=["gaps", "from 1"]
)
def test_other_whole_numbers_for_one_output_are_shares(now: str) -> None:
    (diagnosis,) = said(
        diagnose, ONE_OUTPUT.replace("minimum=0 maximum=2 whole=1.0 distinct=3", now).replace("minimum=0 maximum=2", now[:19])
    )

    assert "divide" in diagnosis.help


def test_a_fix_of_the_labels_of_a_fit_says_what_becomes_of_those_for_validation() -> None:
    text = ONE_OUTPUT.replace("minimum=0 maximum=2 whole=1.0", "minimum=-1 maximum=1 whole=1.0 distinct=2").replace(
        "distinct=2 distinct=3", "distinct=2"
    )
    text += '    ! backward loss @ "a.py":9 text="model.fit(X, y, validation_data=(X_test, y_test))"\n'

    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    assert "`validation_data` stay as they are" in diagnosis.remedy.changes
    assert not diagnosis.remedy.safe


GOING_OFF = """
    step 0
    x: input f32[32,6]
    y: label f32[32] minimum=1 maximum=2 whole=1.0 distinct=2
    w: parameter f32[1,6]
    out: activation f32[32]
    out = linear x w @ "a.py":3
    loss = {loss} out y with={{"target":1}} @ "a.py":5
    labels values=["y"] how="target"
    course steps=40 start=0.7 first=0.7 last=-9.0 non_finite={at} @ "a.py":6
"""


@pytest.mark.parametrize(
    ("loss", "at", "explained"),
    [
        ("binary_cross_entropy", 8, True),
        ("bce_with_logits", 30, True),
        ("binary_cross_entropy", 0, False),
    ],
    ids=["a loss without an end", "on scores", "it never was a number"],
)
def test_a_loss_without_an_end_explains_numbers_that_are_no_longer_finite(loss: str, at: int, *, explained: bool) -> None:
    (diagnosis,) = said(diagnose, GOING_OFF.format(loss=loss, at=at))

    assert (Fact("non-finite", "loss") in diagnosis.explains) is explained


@pytest.mark.parametrize(
    ("last", "explained"),
    [(-9.0, {Fact("diverges", "0"), Fact("odd-input", "loss")}), (0.3, set())],
    ids=["that it runs down for ever is explained (WG215)", "it stays above 0"],
)
def test_a_loss_that_stays_finite(last: float, explained: set[Fact]) -> None:
    text = GOING_OFF.format(loss="binary_cross_entropy", at=8).replace(" non_finite=8", "").replace("last=-9.0", f"last={last}")
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.explains == explained


MASKS = """
    x: input f32[8,3]
    w: parameter f32[1,3]
    y: label f32[8,1] minimum=0 maximum=255 whole=1.0 distinct=2
    out: activation f32[8,1]
    out = linear x w @ "a.py":3
    loss = binary_cross_entropy out y with={"target":1} @ "a.py":5
    labels values=["y"] how="framework"
    ! backward loss @ "a.py":9 text="{line}"
"""


@pytest.mark.parametrize(
    ("line", "actions"),
    [
        ("model.fit(train, epochs=3)", []),
        ("model.fit(x, y, epochs=3)", ["wrap"]),
        ("model.fit(x=x, y=y)", ["wrap"]),
        ("model.fit(", ["wrap"]),
    ],
)
def test_what_a_data_set_hands_out_is_not_changed_at_the_line_of_the_training(line: str, actions: list[str]) -> None:
    (diagnosis,) = said(diagnose, MASKS.replace("{line}", line))

    assert [edit.action for edit in (diagnosis.remedy.edits if diagnosis.remedy else ())] == actions
