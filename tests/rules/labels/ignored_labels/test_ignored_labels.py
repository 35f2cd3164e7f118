"""WG105 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.labels.ignored_labels import diagnose

TAGS = """
    words: input i64[16,6]
    y: label i64[16,6] minimum=0 maximum=5
    b: activation bool[16,6]
    k: activation f32[16,6] minimum=0 maximum=0 zeros=1.0
    w: parameter f32[6,9]
    s: activation f32[16,6,6] minimum=-1 maximum=1 zeros=0.0
    l: activation f32[16,6] minimum=1.4 maximum=2.4 zeros=0.0
    m: activation f32[16,6] zeros=1.0
    loss: loss f32[] minimum=0 maximum=0 zeros=1.0
    s = embedding words w @ "a.py":3
    b = compare words @ "a.py":4
    k = cast b @ "a.py":4
    l = cross_entropy s y with={"target":1,"reduction":"none","ignore_index":-100} @ "a.py":5
    m = mul l k @ "a.py":6
    loss = sum m @ "a.py":7
    labels values=["y"] how="target"
    measures loss=0.0 gradient_norm=0.0
"""

IGNORED = """
    words: input i64[16]
    y: label i64[16] minimum=-100 maximum=-100
    w: parameter f32[6,9]
    s: activation f32[16,6]
    s = embedding words w @ "a.py":3
    loss = cross_entropy s y with={"target":1,"ignore_index":-100} @ "a.py":5
    labels values=["y"] how="target"
    measures loss="nan"
"""

UNWEIGHED = (
    IGNORED.replace("minimum=-100 maximum=-100", "minimum=0 maximum=5")
    .replace("cross_entropy s y", "cross_entropy s y c")
    .replace("    s = embedding", '    c: activation f32[6] finite=1.0 zeros=1.0\n    c = enter @ "a.py":2\n    s = embedding')
)

PAIRS = """
    one: input f32[16,6]
    y: label f32[16] minimum=0 maximum=0 zeros=1.0
    w: parameter f32[6,9]
    s: activation f32[16] minimum=1.4 maximum=2.4 zeros=0.0
    n: activation f32[16] minimum=1.9 maximum=5.8 zeros=0.0
    q: activation f32[16] zeros=1.0
    c: activation f32[16] minimum=1 maximum=1 zeros=0.0
    f: activation f32[16] zeros=1.0
    g: activation f32[16] zeros=1.0
    h: activation f32[16] zeros=1.0
    loss: loss f32[] minimum=0 maximum=0 zeros=1.0
    s = linear one w @ "a.py":3
    n = square s @ "a.py":4
    q = mul y n @ "a.py":5
    c = sub y @ "a.py":6
    f = relu s @ "a.py":6
    g = mul c f @ "a.py":6
    h = add q g @ "a.py":7
    loss = mean h @ "a.py":7
    labels values=["y"] how="target"
    measures loss=0.0 gradient_norm=0.0
"""

FIRES = {
    "marks whose complement weighs nothing": (PAIRS.replace("    g = mul c f", "    g = add f"), 5),
    "every class has the weight 0": (UNWEIGHED, 2),
    "a mask of zeros": (TAGS, 4),
    "the mask first": (TAGS.replace("mul l k", "mul k l"), 4),
    "a condition that leaves zeros": (TAGS.replace("m = mul l k", "m = where b l"), 4),
    "a mask that picks nothing": (
        TAGS.replace("m = mul l k", "m = index l b").replace("m: activation f32[16,6]", "m: activation f32[0]"),
        4,
    ),
    "every label is ignored": (IGNORED, 5),
    "every label is the class that is ignored": (IGNORED.replace("-100", "0"), 5),
}

SILENT = {
    "pairs none of which belong together, where the others count as well": PAIRS,
    "the other way round: pairs that all belong together": PAIRS.replace(
        "minimum=0 maximum=0 zeros=1.0\n    w", "minimum=1 maximum=1 zeros=0.0\n    w", 1
    )
    .replace("c: activation f32[16] minimum=1 maximum=1 zeros=0.0", "c: activation f32[16] minimum=0 maximum=0 zeros=1.0")
    .replace("f: activation f32[16] zeros=1.0", "f: activation f32[16] minimum=0.2 maximum=1 zeros=0.0"),
    "one class has a weight": UNWEIGHED.replace("zeros=1.0", "zeros=0.8333"),
    "a mask that keeps some": TAGS.replace("maximum=0 zeros=1.0\n    w", "maximum=1 zeros=0.5\n    w").replace(
        "m: activation f32[16,6] zeros=1.0", "m: activation f32[16,6] zeros=0.5"
    ),
    "some labels are ignored": IGNORED.replace("maximum=-100", "maximum=4"),
    "a factor of zero (WG102)": TAGS.replace("k: activation f32[16,6]", "k: activation f32[]").replace(
        "b: activation bool[16,6]", "b: activation bool[]"
    ),
    "another loss has labels": TAGS.replace("loss = sum m", 'o = cross_entropy s y with={"target":1}\n    t = sum m\n    loss = add o t'),
    "a constant class that counts (WG103)": IGNORED.replace('"ignore_index":-100', '"ignore_index":-1'),
    "the loss itself is zero": TAGS.replace("minimum=1.4 maximum=2.4 zeros=0.0", "zeros=1.0"),
    "only one of two steps": """
    step 0
    """
    + IGNORED
    + """
    step 1
    """
    + IGNORED.replace("maximum=-100", "maximum=4"),
    "no figures": IGNORED.replace(" minimum=-100 maximum=-100", ""),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_no_label_left(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


ALIGNED = """
    x: input f32[32,4,48]
    y: label i32[32,6] minimum=1 maximum=5 zeros=0.0
    n: constant i32[32] minimum=6 maximum=6
    m: constant i32[32] minimum=4 maximum=4
    w: parameter f32[48,6]
    s: activation f32[32,4,6]
    l: activation f32[32]
    s = linear x w @ "net.py":3
    l = opaque s y n m native="compute_ctc_loss" @ "train.py":9
    loss = mean l
    labels values=["y"] how="batch"
    measures loss=707.0 label_sensitivity=0.04
"""
KERAS = (
    ALIGNED.replace('opaque s y n m native="compute_ctc_loss"', 'ctc_loss s y native="keras.losses.CTC" with={"target":1}')
    .replace("    n: constant i32[32] minimum=6 maximum=6\n", "")
    .replace("    m: constant i32[32] minimum=4 maximum=4\n", "")
)
TOLD = ALIGNED.replace(
    'opaque s y n m native="compute_ctc_loss"', 'ctc_loss s y m n native="torch.nn.functional.ctc_loss" with={"target":1}'
).replace("f32[32,4,6]", "f32[20,32,6]")
"""PyTorch's loss is told of fewer frames than the model gives."""
PLAIN = (
    TOLD.replace("s y m n native", "s y native")
    .replace('with={"target":1}', 'with={"target":1,"frames":4,"letters":6}')
    .replace("    n: constant i32[32] minimum=6 maximum=6\n", "")
    .replace("    m: constant i32[32] minimum=4 maximum=4\n", "")
)
"""The same, with lengths as plain numbers."""
MIXED = TOLD.replace("s y m n native", "s y n native").replace('with={"target":1}', 'with={"target":1,"frames":4}')


@pytest.mark.parametrize("text", [ALIGNED, KERAS, ALIGNED.replace("minimum=6 maximum=6", "minimum=5 maximum=6"), TOLD, PLAIN, MIXED])
def test_labels_with_more_letters_than_frames_have_no_alignment(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert "no label can be aligned" in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.line == 9


@pytest.mark.parametrize(
    "text",
    [
        ALIGNED.replace("minimum=4 maximum=4", "minimum=6 maximum=12"),
        ALIGNED.replace("minimum=6 maximum=6", "minimum=2 maximum=6"),
        ALIGNED.replace("minimum=6 maximum=6", ""),
        KERAS.replace("zeros=0.0", "zeros=0.4"),
        KERAS.replace("f32[32,4,6]", "f32[32,12,6]"),
        TOLD.replace("minimum=4 maximum=4", "minimum=4 maximum=20"),
        TOLD.replace("s y m n native", "s y n m native"),
        PLAIN.replace('"frames":4', '"frames":20'),
    ],
    ids=[
        "frames enough",
        "short labels among them",
        "lengths unknown",
        "rows filled up",
        "frames enough in Keras' loss",
        "frames enough told",
        "in the order of PyTorch's lengths",
        "frames enough in plain numbers",
    ],
)
def test_labels_some_of_which_can_be_aligned_are_fine(text: str) -> None:
    assert not said(diagnose, text)


def test_frames_that_the_loss_is_not_told_of_are_counted() -> None:
    (diagnosis,) = said(diagnose, TOLD)

    assert "told of 4 of the model's 20 frames" in diagnosis.message
    assert diagnosis.help is not None
    assert "input_lengths" in diagnosis.help


CENTRED = """
    words: input i64[1,50]
    y: label f32[1,50] minimum=-0.2 maximum=0.8 called="rewards"
    w: parameter f32[6,9]
    s: activation f32[1,50] minimum=-2 maximum=-1 zeros=0.0
    a: activation f32[50] minimum=-0.2 maximum=0.8
    d: activation f32[1,50] minimum=0 maximum=0 zeros=1.0
    n: activation f32[1,50] minimum=0 maximum=0 zeros=1.0
    m: activation f32[1,50] zeros=1.0
    loss: loss f32[] minimum=0 maximum=0 zeros=1.0
    s = embedding words w @ "a.py":3
    a = mean y with={"axis":0} @ "a.py":4
    d = sub y a @ "a.py":5
    q = std y @ "a.py":5
    n = div d q @ "a.py":6
    m = mul s n @ "a.py":7
    loss = mean m @ "a.py":8
    labels values=["y"] how="target"
    measures loss=0.0 gradient_norm=0.0
"""


def test_what_is_centred_along_an_axis_of_one_entry_is_told_so() -> None:
    (found,) = said(diagnose, CENTRED)

    assert "`rewards` less its mean along an axis of one entry is 0" in found.message
    assert "axis that has several" in found.help


def test_zeros_that_are_centred_along_many_entries_are_a_mask_like_others() -> None:
    (found,) = said(diagnose, CENTRED.replace("a: activation f32[50]", "a: activation f32[1]"))

    assert "every entry of the mask is 0" in found.message


def test_a_sum_of_nothing_divided_by_the_number_of_nothing_is_explained():
    summed = IGNORED.replace(
        "loss = cross_entropy", "total: activation f32[] minimum=0 maximum=0 zeros=1.0\n    total = cross_entropy"
    ).replace(
        '@ "a.py":5',
        '@ "a.py":5\n    count: activation i64[] minimum=0 maximum=0\n    mean: activation f32[] finite=0.0\n    mean = div total count\n    loss = mul mean one',
    )

    (diagnosis,) = said(diagnose, summed)

    assert {Fact("non-finite", "mean"), Fact("non-finite", "loss")} <= diagnosis.explains


ALL_LEFT_OUT = TAGS.replace("y: label i64[16,6] minimum=0 maximum=5", "y: label i64[16,6] minimum=-100 maximum=-100").replace(
    "b = compare words", "b = compare y"
)


def test_labels_that_a_right_mask_leaves_out_are_spoken_of_themselves() -> None:
    (found,) = said(diagnose, ALL_LEFT_OUT)

    assert "all of them are -100" in found.message
    assert found.remedy is None
    assert Fact("constant", "y") in found.explains


def test_a_mask_of_labels_that_differ_may_be_the_wrong_way_round() -> None:
    (found,) = said(diagnose, ALL_LEFT_OUT.replace("maximum=-100", "maximum=5"))

    assert "every entry of the mask is 0" in found.message
    assert found.remedy is not None


CUT = """
    ids: input i64[18] minimum=1 maximum=12
    drawn: activation i64[18]
    over: activation i64[18]
    row: activation i64[12]
    y: label i64[4,12] minimum=-100 maximum=-100
    p: activation f32[4,12,5]
    w: parameter f32[5,8]
    drawn = copy ids @ "data.py":3
    over = write drawn native="torch.Tensor.__setitem__" @ "data.py":4
    row = index over with={"part":[0,1]} @ "data.py":5
    y = concat row row row row native="torch.stack" @ "train.py":2
    p = linear x w @ "net.py":3
    loss = cross_entropy p y with={"target":1,"ignore_index":-100} @ "train.py":9
    labels values=["y"] how="batch"
    measures loss=nan
"""
"""Rows whose first part is written over, and which are then cut to their first 12."""


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (CUT, [5, 4, 9]),
        (CUT.replace("i64[12]", "i64[18]").replace('"data.py":5', '"data.py":6'), [4, 9]),
        (CUT.replace('"part":[0,1]', '"part":[6,1]'), [4, 9]),
    ],
    ids=["cut to the start", "whole", "shifted"],
)
def test_labels_that_are_written_over_are_named_where_that_or_the_cut_behind_it_is(text: str, lines: list[int]) -> None:
    (diagnosis,) = said(diagnose, text)

    assert [site.line for site in (diagnosis.site, *(place.site for place in diagnosis.related)) if site is not None] == lines
