"""WG211 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.wrong_axis import diagnose

BATCH = """
    x: input f32[40,9]
    y: label i64[40] minimum=0 maximum=4
    w: parameter f32[5,9]
    s: activation f32[40,5]
    p: activation f32[40,5]
    s = linear x w @ "a.py":3
    p = log_softmax s with={"axis":0} @ "a.py":4
    loss = nll_loss p y with={"target":1} @ "a.py":5
    ! batch x y
    ! backward loss
    labels values=["y"] how="target"
"""

TAGS = """
    x: input f32[16,7,9]
    y: label i64[16,7] minimum=0 maximum=4
    w: parameter f32[5,9]
    s: activation f32[16,7,5]
    s = linear x w @ "a.py":3
    = cross_entropy s y failed=true with={"target":1} @ "a.py":5
    ! exception with={"type":"RuntimeError","message":"Expected target size [16, 5], got [16, 7]"}
    labels values=["y"] how="target"
"""

RECURRENT = """
    x: input f32[20,30,3]
    y: label i64[20] minimum=0 maximum=3
    w: parameter f32[4,8]
    o: activation f32[20,30,8]
    last: activation f32[20,8]
    s: activation f32[20,4]
    o = rnn x with={"sequence_axis":0} @ "a.py":3 ^ "net.py":7
    last = index o @ "a.py":4
    s = linear last w @ "a.py":5
    loss = cross_entropy s y with={"target":1} @ "a.py":6
    ! batch x y
    ! backward loss
    labels values=["y"] how="target"
"""

LOOP = RECURRENT.replace("o = rnn x with={", 'h, o = opaque w x native="jax.numpy.scan" with={"sequence":1,').replace(
    "    last: activation", "    h: activation f32[30,8]\n    last: activation"
)
TURNS = """
    x: input f32[3,5,2]
    y: label i64[3] minimum=0 maximum=3
    w: parameter f32[2,8]
    v: parameter f32[8,4]
    a: activation f32[5,8]
    b: activation f32[5,8]
    c: activation f32[5,8]
    o: activation f32[3,5,8]
    last: activation f32[3,8]
    s: activation f32[3,4]
    x0 = index x
    a = linear x0 w
    x1 = index x
    i1 = linear x1 w
    b = add i1 a
    x2 = index x
    i2 = linear x2 w
    c = add i2 b
    o = concat a b c native="jax.lax.stack" @ "a.py":3
    last = index o @ "a.py":4
    s = linear last v @ "a.py":5
    loss = cross_entropy s y with={"target":1} @ "a.py":6
    ! batch x y
    ! backward loss
    labels values=["y"] how="target"
"""

MAPS = """
    x: input f32[16,3,7]
    y: label i64[16,7] minimum=0 maximum=4
    flat: activation i64[112] minimum=0 maximum=4
    w: parameter f32[5,3,1]
    s: activation f32[16,5,7]
    rows: activation f32[112,5]
    s = conv x w native="torch.conv1d" @ "a.py":3
    rows = reshape s @ "a.py":4
    flat = reshape y @ "a.py":5
    loss = cross_entropy rows flat with={"target":1} @ "a.py":5
    ! batch x y
    ! backward loss
    labels values=["flat"] how="target"
"""
"""Scores (N, C, T) of a convolution, made rows by a reshaping alone."""

TURNED = """
    x: input f32[16,7,9]
    y: label i64[16] minimum=0 maximum=4
    v: activation f32[7,16,9]
    w: parameter f32[5,9]
    s: activation f32[7,16,5]
    last: activation f32[16,5]
    v = reshape x @ "a.py":2
    s = linear v w @ "a.py":3
    last = index s @ "a.py":4
    loss = cross_entropy last y with={"target":1} @ "a.py":5
    ! batch x y
    ! backward loss
    labels values=["y"] how="target"
"""
"""A batch (N, T, F) that a view makes (T, N, F)."""

SCANNED = """
    x: input f32[16,7,9]
    y: label i64[16,7] minimum=0 maximum=4
    v: activation f32[7,16,9]
    u: parameter f32[6,9]
    o: activation f32[7,16,6]
    b: activation f32[16,7,6]
    w: parameter f32[5,6]
    s: activation f32[16,7,5]
    v = transpose x @ "a.py":2
    o = linear v u @ "a.py":3
    b = reshape o @ "a.py":4
    s = linear b w @ "a.py":5
    loss = cross_entropy s y with={"target":1,"axis":-1,"ids":true} @ "a.py":6
    ! batch x y
    ! backward loss
    labels values=["y"] how="target"
"""
"""A batch (N, T, F) that is transposed for a scan over time, and whose outputs (T, N, H) a reshaping makes (N, T, H)."""

STATE = """
    x: input f32[16,7,9]
    y: label i64[16] minimum=0 maximum=4
    u: parameter f32[12,9]
    o: activation f32[16,7,8]
    h: activation f32[2,16,4]
    both: activation f32[16,8]
    w: parameter f32[5,8]
    s: activation f32[16,5]
    o, h = rnn x u @ "a.py":2
    both = reshape h @ "a.py":3
    s = linear both w @ "a.py":4
    loss = cross_entropy s y with={"target":1} @ "a.py":5
    ! batch x y
    ! backward loss
    labels values=["y"] how="target"
"""
"""Both directions' last state, as rows."""

ALIGNED = """
    x: input f32[14,32,9]
    y: label i64[32,4] minimum=1 maximum=5
    w: parameter f32[6,8]
    o: activation f32[14,32,8]
    s: activation f32[14,32,6]
    p: activation f32[14,32,6]
    o = rnn x with={"sequence_axis":1} @ "a.py":3 ^ "net.py":7
    s = linear o w @ "a.py":5
    p = log_softmax s with={"axis":2} @ "a.py":6
    loss = ctc_loss p y native="torch.nn.functional.ctc_loss" with={"target":1} @ "a.py":6
    ! batch x y
    ! backward loss
    labels values=["y"] how="target"
"""
"""Scores (T, N, C) of a recurrent layer that is told that the batch comes first."""

FIRES = {
    "a recurrent layer that runs along the batch, before an alignment": (ALIGNED, 7),
    "a recurrent layer that runs along the batch": (RECURRENT, 7),
    "a loop of the program's that runs along the batch": (LOOP, 7),
    "turns of such a loop, written out": (TURNS, 3),
    "an attention that does, and whose positions are averaged": (RECURRENT.replace("= rnn", "= attention").replace("= index", "= mean"), 7),
    "labels in a column": (
        RECURRENT.replace("i64[20]", "f32[20,1]").replace("f32[20,4]", "f32[20,1]").replace("cross_entropy", "mse_loss"),
        7,
    ),
    "over the batch": (BATCH, 4),
    "probabilities for a loss of Keras'": (
        BATCH.replace("log_softmax s", "softmax s").replace(
            'nll_loss p y with={"target":1}', 'categorical_cross_entropy p y with={"target":1,"axis":-1,"ids":true}'
        ),
        4,
    ),
    "Keras went back to the scores, and the predictions stay wrong": (
        BATCH.replace("log_softmax s", "softmax s").replace(
            'nll_loss p y with={"target":1}', 'cross_entropy s y with={"target":1,"axis":-1,"ids":true,"given":"p"}'
        ),
        4,
    ),
    "over the batch, counted from the end": (BATCH.replace('"axis":0', '"axis":-2'), 4),
    "the logarithm apart": (
        BATCH.replace("log_softmax s", "softmax s")
        .replace("loss = nll_loss p", "l = log p\n    loss = nll_loss l")
        .replace("    s = linear", "    l: activation f32[40,5]\n    s = linear"),
        4,
    ),
    "where the layer was made": (BATCH.replace('@ "a.py":4', '@ "a.py":9 ^ "net.py":18'), 18),
    "classes on the last axis of a sequence": (TAGS, 5),
    "as many positions as classes": (
        TAGS.replace("16,7", "16,5").replace("= cross_entropy s y failed=true", "loss = cross_entropy s y"),
        5,
    ),
}

FIRES |= {
    "rows cut across the positions": (MAPS, 4),
    "rows cut across the positions, with a log-softmax behind": (
        MAPS.replace("loss = cross_entropy rows", 'p = log_softmax rows with={"axis":1}\n    loss = nll_loss p').replace(
            "    s = conv", "    p: activation f32[112,5]\n    s = conv"
        ),
        4,
    ),
    "classes that a view brings in front": (
        TAGS.replace("= cross_entropy s y failed=true", 't = reshape s @ "a.py":4\n    loss = cross_entropy t y').replace(
            "    s = linear", "    t: activation f32[16,5,7]\n    s = linear"
        ),
        4,
    ),
    "a view that puts time first": (TURNED, 2),
    "a reshaping back from time first": (SCANNED, 4),
    "a reshaping back from time first, of which one step is picked": (
        SCANNED.replace("i64[16,7]", "i64[16]")
        .replace("loss = cross_entropy s", "last = index s\n    loss = cross_entropy last")
        .replace("    v = trans", "    last: activation f32[16,5]\n    v = trans"),
        4,
    ),
    "the state of two directions as rows": (STATE, 3),
}

POOLED = """
    h: input f32[64,24,8]
    y: label i64[64]
    q: parameter f32[8,1]
    v: parameter f32[8,5]
    s: activation f32[64,24,1]
    p: activation f32[64,24,1]
    m: activation f32[64,24,8]
    a: activation f32[64,8]
    o: activation f32[64,5]
    s = matmul h q @ "a.py":3
    p = softmax s with={"axis":0} @ "a.py":4
    m = mul p h @ "a.py":5
    a = sum m with={"axis":1} @ "a.py":5
    o = matmul a v @ "a.py":5
    loss = cross_entropy o y with={"target":1,"axis":-1} @ "a.py":6
    labels values=["y"] how="target"
"""

SPOKEN = """
    x: input f32[32,12,9]
    y: label i64[32,12] minimum=0 maximum=4
    w: parameter f32[5,9]
    s: activation f32[32,12,5]
    p: activation f32[32,12,5]
    r: activation f32[384,5]
    t: activation i64[384] minimum=0 maximum=4
    s = linear x w @ "a.py":3
    p = log_softmax s with={"axis":1} @ "a.py":4
    r = reshape p @ "a.py":5
    t = reshape y @ "a.py":5
    loss = nll_loss r t with={"target":1} @ "a.py":5
    ! batch x y
    ! backward loss
    labels values=["t"] how="target"
"""
"""Scores of positions, made rows after the softmax."""
PICKED = SPOKEN.replace("i64[32,12]", "i64[32]").replace("384", "32").replace("r = reshape", "r = index")
MOVED = (
    SPOKEN.replace("r: activation f32[384,5]", "r: activation f32[32,5,12]")
    .replace("r = reshape p", 'r = transpose p with={"order":[0,2,1]}')
    .replace("i64[384]", "i64[32,12]")
)

FIRES |= {
    "over the positions, made rows afterwards": (SPOKEN, 4),
    "over the positions, of which one is picked afterwards": (PICKED, 4),
    "over the positions, with the classes moved in front of them afterwards": (MOVED, 4),
    "weights of words, shared out over the batch": (POOLED, 4),
    "axes counted from the end": (POOLED.replace('"axis":0', '"axis":-3').replace('sum m with={"axis":1}', 'sum m with={"axis":-2}'), 4),
}

SILENT = {
    "a recurrent layer along the frames": ALIGNED.replace('"sequence_axis":1', '"sequence_axis":0'),
    "a recurrent layer along the frames, its result turned afterwards": ALIGNED.replace("x: input f32[14,32,9]", "x: input f32[32,14,9]")
    .replace("o: activation f32[14,32,8]", "o: activation f32[32,14,8]\n    t: activation f32[14,32,8]")
    .replace("    s = linear o", "    t = transpose o\n    s = linear t"),
    "as many frames as examples": ALIGNED.replace("14,32", "32,32"),
    "over the classes, made rows afterwards": SPOKEN.replace('"axis":1', '"axis":-1'),
    "over the classes, of which one position is picked": PICKED.replace('"axis":1', '"axis":2'),
    "as many positions as classes, of which something is picked": PICKED.replace("32,12,5", "32,5,5"),
    "over the classes, moved in front afterwards": MOVED.replace('"axis":1', '"axis":2'),
    "over positions and classes at once": SPOKEN.replace("p: activation f32[32,12,5]", "p: activation f32[32,60]").replace(
        "s: activation f32[32,12,5]", "s: activation f32[32,60]"
    ),
    "weights of words, added up along them": POOLED.replace('"axis":0', '"axis":1'),
    "weights over the first axis, added up along it": POOLED.replace('sum m with={"axis":1}', 'sum m with={"axis":0}'),
    "slots of attention, which share out what they add up along another axis": POOLED.replace('"axis":0', '"axis":2'),
    "another axis in front than that of the labels": POOLED.replace("[64,24,", "[24,64,"),
    "weights that nothing adds up": POOLED.replace("a = sum m", "a = max m"),
    "Keras went back to the scores behind a softmax over the classes": BATCH.replace(
        'log_softmax s with={"axis":0}', 'softmax s with={"axis":1}'
    ).replace('nll_loss p y with={"target":1}', 'cross_entropy s y with={"target":1,"axis":-1,"ids":true,"given":"p"}'),
    "a loop along the positions": LOOP.replace('"sequence_axis":0', '"sequence_axis":1'),
    "a loop over moments whose places are pooled": LOOP.replace("index o", "mean o"),
    "turns that hand nothing on": TURNS.replace("add i1 a", "add i1").replace("add i2 b", "add i2"),
    "turns along the positions": TURNS.replace("input f32[3,5,2]", "input f32[5,3,2]"),
    "a recurrent layer that was told": RECURRENT.replace('"sequence_axis":0', '"sequence_axis":1'),
    "positions first on purpose": RECURRENT.replace("f32[20,30,3]", "f32[30,20,3]").replace("f32[20,30,8]", "f32[30,20,8]"),
    "one sequence, and a label for each position": RECURRENT.replace("f32[20,30,", "f32[20,1,"),
    "a label for each position of each example": RECURRENT.replace("i64[20]", "i64[20,30]")
    .replace("f32[20,8]", "f32[600,8]")
    .replace("f32[20,4]", "f32[600,4]"),
    "as many positions as examples": RECURRENT.replace("f32[20,30,", "f32[20,20,"),
    "over the classes, which the loss was told are the last": BATCH.replace("log_softmax s", "softmax s")
    .replace('"axis":0', '"axis":1')
    .replace('nll_loss p y with={"target":1}', 'categorical_cross_entropy p y with={"target":1,"axis":-1,"ids":true}'),
    "moved before it is made rows": MAPS.replace(
        "rows = reshape s", 't = transpose s with={"order":[0,2,1]}\n    rows = reshape t'
    ).replace("    s = conv", "    t: activation f32[16,7,5]\n    s = conv"),
    "moved, by sizes alone": MAPS.replace("rows = reshape s", "t = transpose s\n    rows = reshape t").replace(
        "    s = conv", "    t: activation f32[16,7,5]\n    s = conv"
    ),
    "one position alone": MAPS.replace("[16,3,7]", "[16,3,1]")
    .replace("[16,5,7]", "[16,5,1]")
    .replace("[16,7]", "[16,1]")
    .replace("112", "16"),
    "a layer with the scores of all positions": MAPS.replace("s = conv", "s = linear")
    .replace("f32[5,3,1]", "f32[35,3]")
    .replace("[16,3,7]", "[16,3]")
    .replace("[16,5,7]", "[16,35]"),
    "time in front by a transposition, and back by another": SCANNED.replace("b = reshape", "b = transpose"),
    "time in front, as long as the batch": SCANNED.replace("16,7", "16,16").replace("7,16", "16,16"),
    "rows that were never turned": SCANNED.replace("v = transpose x", "v = linear z q").replace(
        "    v = linear", "    z: input f32[7,16,3]\n    q: parameter f32[9,3]\n    v = linear"
    ),
    "time in front of the labels too": SCANNED.replace("i64[16,7]", "i64[7,16]")
    .replace("b: activation f32[16,7", "b: activation f32[7,16")
    .replace("s: activation f32[16,7", "s: activation f32[7,16"),
    "time in front by a transposition": TURNED.replace("v = reshape", "v = transpose"),
    "a view that could put either first": TURNED.replace("16,7,9", "16,16,9").replace("[7,16", "[16,16"),
    "a shift of relative positions": TURNED.replace("i64[16]", "i64[4]"),
    "the state of two directions, transposed": STATE.replace("both = reshape h", "t = transpose h\n    both = reshape t").replace(
        "    s: activation", "    t: activation f32[16,2,4]\n    s: activation"
    ),
    "the state of one layer": STATE.replace("f32[2,16,4]", "f32[1,16,8]"),
    "over the classes": BATCH.replace('"axis":0', '"axis":1'),
    "over the last axis": BATCH.replace('"axis":0', '"axis":-1'),
    "a table of pairs": BATCH.replace("[40,5]", "[40,40]"),
    "as many positions as classes, and a loss that was told the last axis": (
        TAGS.replace("16,7", "16,5").replace("= cross_entropy s y failed=true", "loss = cross_entropy s y")
    ).replace('with={"target":1', 'with={"axis":-1,"target":1'),
    "classes on axis 1": TAGS.replace("linear x w", "conv x w")
    .replace("[16,7,5]", "[16,5,7]")
    .replace("= cross_entropy s y failed=true", "loss = cross_entropy s y"),
    "flattened": TAGS.replace("[16,7,5]", "[112,5]")
    .replace("i64[16,7]", "i64[112]")
    .replace("= cross_entropy s y failed=true", "loss = cross_entropy s y"),
    "attention weights": BATCH.replace("loss = nll_loss p y", "q = mul p s\n    loss = nll_loss q y").replace(
        "    s = linear", "    q: activation f32[40,5]\n    s = linear"
    ),
    "the axis is unknown": BATCH.replace('with={"axis":0} ', ""),
    "transposed on purpose": TAGS.replace("= cross_entropy s y failed=true", "t = transpose s\n    loss = cross_entropy t y").replace(
        "    s = linear", "    t: activation f32[16,5,7]\n    s = linear"
    ),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_another_axis_than_the_classes(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


WRITTEN = """
    x: input f32[24,8]
    y: label f32[24,6] minimum=0.0 maximum=1.0
    w: parameter f32[8,6]
    h: activation f32[24,6]
    p: activation f32[24,6]
    q: activation f32[24,6]
    l: activation f32[24,6]
    m: activation f32[24,6]
    h = matmul x w
    p = softmax h with={"axis":0} @ "train.py":5
    q = add p
    l = log q
    m = mul y l
    s = sum m with={"axis":1}
    loss = mean s
    labels values=["y"] how="target"
"""


def test_a_cross_entropy_that_is_written_out():
    (diagnosis,) = said(diagnose, WRITTEN)

    assert "normalises over the batch" in diagnosis.message
    assert not said(diagnose, WRITTEN.replace('"axis":0', '"axis":1'))
    assert not said(diagnose, WRITTEN.replace("24,6", "6,6"))


@pytest.mark.parametrize(
    ("text", "action", "moved"),
    [(TURNED, "swap", "0, 1"), (SCANNED, "swap", "1, 0"), (STATE, "wrap", "1, 0")],
    ids=["a view in the place of a transposition", "time in front", "both directions laid together"],
)
def test_examples_that_are_cut_up_are_moved(text: str, action: str, moved: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    (edit,) = diagnosis.remedy.edits
    assert (edit.action, edit.text) == (action, f"{{x}}.movedim({moved}).contiguous()")
