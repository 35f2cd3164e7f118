"""WG108 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.labels.few_labels_used import diagnose

VITALS = """
    step {number}
    x: input f32[24,24,3]
    y: label f32[24,24] minimum=-1.2 maximum=4.5 zeros={share} distinct=500
    n: input i64[24]
    m: activation bool[24,24] minimum=0 maximum=1 zeros={rest} distinct=2
    w: parameter f32[1,3]
    s: activation f32[24,24]
    d: activation f32[24,24]
    q: activation f32[24,24]
    k: activation f32[71]
    m = compare n @ "pad.py":6
    s = linear x w @ "a.py":3
    d = sub s y @ "a.py":4
    q = square d @ "a.py":4
    k = index q m @ "a.py":4
    loss = mean k @ "a.py":4
    labels values=["y"] how="batch"
"""


def steps(text: str, *shares: float) -> str:
    return "".join(text.format(number=number, share=share, rest=1 - share) for number, share in enumerate(shares))


REVERSED = steps(VITALS, 0.125, 0.25)

LAND = """
    x: input f32[12,3,16,16]
    y: label i64[12,16,16] minimum=0 maximum=2 zeros=0.85
    w: parameter f32[3,3,1,1]
    s: activation f32[12,3,16,16]
    s = conv x w @ "a.py":3
    loss = cross_entropy s y with={"target":1,"ignore_index":0} @ "a.py":9 ^ "a.py":4
    labels values=["y"] how="target"
"""

TWO = """
    x: input f32[40,9]
    y: label i64[40] minimum=0 maximum=1 zeros=0.4
    w: parameter f32[2,9]
    s: activation f32[40,2]
    s = linear x w @ "a.py":3
    loss = cross_entropy s y with={"target":1,"ignore_index":0} @ "a.py":9 ^ "a.py":4
    labels values=["y"] how="target"
"""

RARE = """
    x: input f32[40,9]
    y: label i64[40] minimum=0 maximum=2
    counts: activation i64[3]
    q: activation i64[3]
    c: activation f32[3] finite=1.0 minimum=0 maximum=1 zeros=0.3333
    w: parameter f32[3,9]
    s: activation f32[40,3]
    q = round counts native="torch.Tensor.__floordiv__" @ "a.py":2
    c = cast q @ "a.py":2
    s = linear x w @ "a.py":3
    loss = cross_entropy s y c with={"target":1} @ "a.py":9
    labels values=["y"] how="target"
"""
"""Class weights that a whole division made 0."""
MOST = (
    RARE.replace('    q = round counts native="torch.Tensor.__floordiv__" @ "a.py":2\n', "")
    .replace("cast q", "enter")
    .replace("0.3333", "0.6667")
)

TEXT = """
    step {number}
    y: label i64[16,11] minimum=0 maximum=29 zeros={share} distinct=27
    m: activation bool[16,11] minimum=0 maximum=1 zeros={rest}
    f: activation f32[16,11] minimum=0 maximum=1 zeros={rest} whole=1.0
    w: parameter f32[30,30]
    x: input f32[16,11,30]
    s: activation f32[16,11,30]
    c: activation f32[16,11]
    k: activation f32[16,11]
    s = linear x w @ "a.py":3
    c = cross_entropy s y with={{"target":1,"ids":true}} @ "a.py":4
    m = compare y @ "a.py":5
    f = cast m @ "a.py":5
    k = mul c f @ "a.py":6
    loss = sum k @ "a.py":6
    labels values=["y"] how="target"
"""
PADDING = steps(TEXT, 0.25, 0.375)

FIRES = {
    "a mask of the padding, made from the ids": (PADDING, 5),
    "a weight that a whole division made 0": (RARE, 2),
    "most weights are 0": (MOST, 2),
    "most weights are 0 over pixels": (
        MOST.replace("i64[40]", "i64[40,5]").replace("s: activation f32[40,3]", "s: activation f32[40,3,5]"),
        2,
    ),
    "a mask that keeps the padding": (REVERSED, 6),
    "as a product": (REVERSED.replace("k = index q m", "k = mul q m").replace("k: activation f32[71]", "k: activation f32[24,24]"), 6),
    "cast to numbers on another line": (
        REVERSED.replace("m = compare n", "c = compare n")
        .replace("    s: activation", "    c: activation bool[24,24]\n    s: activation")
        .replace("    s = linear", '    m = cast c @ "pad.py":8\n    s = linear'),
        6,
    ),
    "a mask from the loader": (REVERSED.replace('    m = compare n @ "pad.py":6\n', ""), 4),
    "the background is a class": (LAND, 4),
    "one of two classes": (TWO, 4),
    "the other of two": (TWO.replace('"ignore_index":0', '"ignore_index":1'), 4),
    "where the loss is called": (LAND.replace(' ^ "a.py":4', ""), 9),
}

SILENT = {
    "one class left out on purpose": MOST.replace("0.6667", "0.3333"),
    "no weight is 0": RARE.replace("0.3333", "0.0"),
    "all weights are 0 (WG105)": RARE.replace("0.3333", "1.0"),
    "weights that are not finite": RARE.replace("finite=1.0", 'finite="nan"'),
    "weights of another length": RARE.replace("c: activation f32[3]", "c: activation f32[40]"),
    "a mask that keeps what counts": REVERSED.replace("zeros=0.875", "zeros=0.125").replace("zeros=0.75", "zeros=0.25"),
    "one step alone agrees": REVERSED.replace("zeros=0.75", "zeros=0.7"),
    "a single recorded step": steps(VITALS, 0.125),
    "a mask of the zeros of yes and no": REVERSED.replace("distinct=500", "distinct=2"),
    "a mask made from the targets": REVERSED.replace("m = compare n", "m = compare y"),
    "the others count by another factor": PADDING.replace("loss = sum k", "r = mul c\n    t = add r k\n    loss = sum t"),
    "a class alone, of labels in one row": PADDING.replace("[16,11]", "[176]"),
    "half of everything": steps(VITALS, 0.5, 0.5),
    "padding of words": LAND.replace("[12,16,16]", "[12,16]").replace("[12,3,16,16]", "[12,3,16]").replace("f32[3,3,1,1]", "f32[3,3,1]"),
    "a few unknown pixels": LAND.replace("zeros=0.85", "zeros=0.05"),
    "pixels of 255 are ignored": LAND.replace('"ignore_index":0', '"ignore_index":255'),
    "the model has no output for it": LAND.replace("maximum=2", "maximum=3"),
    "two classes, and another id ignored": TWO.replace('"ignore_index":0', '"ignore_index":-100'),
    "of more classes one that may be padding": TWO.replace("f32[2,9]", "f32[3,9]")
    .replace("f32[40,2]", "f32[40,3]")
    .replace("maximum=1", "maximum=2"),
    "two outputs, and labels of one class": TWO.replace("minimum=0", "minimum=1").replace("zeros=0.4", "zeros=0.0"),
    "two classes, no figures": TWO.replace(" minimum=0 maximum=1 zeros=0.4", ""),
    "shares that are not numbers": TWO.replace("zeros=0.4", 'zeros="nan"'),
    "no figures": LAND.replace(" minimum=0 maximum=2 zeros=0.85", ""),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_the_wrong_labels(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


def test_a_batch_of_classes_without_weight_explains_a_loss_that_is_not_finite() -> None:
    (diagnosis,) = said(diagnose, RARE)

    assert Fact("non-finite", "loss") in diagnosis.explains


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(("record", "text"), [(REVERSED, "~{x}"), (LAND, "")], ids=["the mask turned round", "no id ignored"])
def test_what_was_left_out_can_be_made_to_count(record: str, text: str) -> None:
    remedy = said(diagnose, record)[0].remedy

    assert remedy is not None
    assert [edit.text for edit in remedy.edits] == [text]
    assert not remedy.safe


def test_of_two_classes_it_is_proved_and_the_share_is_of_the_one_that_is_ignored() -> None:
    first, other = said(diagnose, TWO)[0], said(diagnose, TWO.replace('"ignore_index":0', '"ignore_index":1'))[0]

    assert first.confidence == other.confidence == "proved"
    assert "leaves out 40 % of `y`, and class 0" in first.message
    assert "leaves out 60 % of `y`, and class 1" in other.message
    assert other.evidence[1].statement == "every label that counts is 0"


TAGS = """
    step {number}
    ids: input i64[16,12] minimum=0 maximum=90 zeros={padding} distinct=60
    y: label i64[16,12] minimum=0 maximum=4 zeros={share} distinct=5
    flat: activation i64[192] minimum=0 maximum=4 zeros={share} distinct=5
    table: parameter f32[91,8]
    w: parameter f32[5,8]
    e: activation f32[16,12,8]
    s: activation f32[192,5]
    e = embedding ids table with={{"padding_idx":0}} @ "a.py":2
    s = linear e w @ "a.py":3
    flat = reshape y @ "a.py":4
    loss = cross_entropy s flat with={{"target":1,"ignore_index":0}} @ "a.py":4
    ! batch ids y @ "a.py":1
    labels values=["y"] how="target"
"""


def tags(padding: float, share: float, text: str = TAGS) -> str:
    return "".join(text.format(number=number, padding=padding + number / 100, share=share + number / 100) for number in range(2))


def test_the_tag_for_outside_that_shares_the_number_of_the_padding() -> None:
    (diagnosis,) = said(diagnose, tags(0.3, 0.85))

    assert diagnosis.site is not None
    assert diagnosis.site.line == 4
    assert "78.6 % are left out" in diagnosis.evidence[1].statement


@pytest.mark.parametrize(
    "text",
    [
        tags(0.3, 0.3),
        tags(0.3, 0.5),
        tags(0.1, 0.85, TAGS.replace("table: parameter f32[91,8]", "table: parameter f32[5,8]")),
        tags(0.3, 0.85, TAGS.replace('"ignore_index":0', '"ignore_index":-100')),
        tags(0.3, 0.85, TAGS.replace('"padding_idx":0', '"padding_idx":1')),
        tags(0.25, 0.85, TAGS.replace(' with={{"padding_idx":0}}', "").replace("{padding}", "0.25")),
        tags(0.3, 0.85, TAGS.replace("zeros={padding}", "")),
        tags(0.3, 0.85, TAGS.replace("ids: input i64[16,12]", "ids: input i64[16,7]")),
        tags(0.0, 0.0).replace("minimum=0 maximum=4", "minimum=1 maximum=4"),
    ],
    ids=[
        "padding alone",
        "parts of words",
        "words told from words",
        "another id",
        "another padding",
        "a mark in each row",
        "no figures",
        "other rows",
        "no class 0",
    ],
)
def test_padding_and_marks_are_ignored_on_purpose(text: str) -> None:
    assert not said(diagnose, text)


def test_of_words_of_two_classes_it_is_said_once_and_in_words_of_their_own() -> None:
    both = TWO.replace("[40,9]", "[40,7,9]").replace("i64[40]", "i64[40,7]").replace("f32[40,2]", "f32[40,2,7]")
    told = said(diagnose, both)

    assert [found.confidence for found in told] == ["proved"]
    assert "pixels" not in (told[0].help or "")
    assert "unknown pixels" in (said(diagnose, LAND)[0].help or "")
