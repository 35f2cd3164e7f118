"""WG107 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.labels.leaked_labels import diagnose

DECODER = """
    src: input i64[64,4]
    tokens: input i64[64,5] minimum=0 maximum=8
    y: label i64[320]
    e: parameter f32[9,48]
    r: parameter f32[48,48]
    w: parameter f32[9,48]
    h: activation f32[64,5,48]
    g: activation f32[64,5,48]
    s: activation f32[64,5,9]
    f: activation f32[320,9]
    h = embedding tokens e @ "m.py":3
    g = rnn h r @ "m.py":4
    s = linear g w @ "m.py":5
    f = reshape s @ "a.py":9
    y = reshape tokens @ "a.py":9
    loss = cross_entropy f y with={"target":1} @ "a.py":9
    labels values=["y"] how="target"
"""

TABLE = """
    t: input f32[200,6]
    y: label f32[200]
    w: parameter f32[1,6]
    s: activation f32[200,1]
    p: activation f32[200]
    y = index t @ "a.py":2
    s = linear t w @ "a.py":3
    p = reshape s
    loss = bce_with_logits p y with={"target":1} @ "a.py":4
    labels values=["y"] how="target"
"""

BY_HAND = """
    t: input f32[32,5]
    y: activation f32[32,1]
    w: parameter f32[1,5]
    p: activation f32[32,1]
    r: activation f32[32,1]
    q: activation f32[32,1]
    y = index t @ "a.py":2
    p = linear t w @ "a.py":3
    r = sub p y @ "a.py":4
    q = square r @ "a.py":4
    loss = mean q @ "a.py":4
    labels values=["y"] how="operand"
"""

FIRES = {
    "a decoder that reads its target": (DECODER, 9),
    "a difference that is written out": (BY_HAND, 4),
    "by attention": (DECODER.replace("rnn h r", "attention h h h").replace("r: parameter f32[48,48]", ""), 9),
    "a table with all its columns": (TABLE, 4),
    "a table that was standardised": (
        TABLE.replace("s = linear t w", "c = sub t\n    d = div c\n    s = linear d w").replace(
            "    s: activation", "    c: activation f32[200,6]\n    d: activation f32[200,6]\n    s: activation"
        ),
        4,
    ),
    "rows of a table": (
        TABLE.replace("s = linear t w", "b = index t\n    s = linear b w").replace(
            "    s: activation", "    b: activation f32[200,6]\n    s: activation"
        ),
        4,
    ),
}

JOINED = """
    x: input f32[384,5]
    c: activation f32[384,1]
    t: activation f32[384,6]
    r: activation f32[6]
    q: activation f32[6]
    i: activation f32[48,6]
    y: label f32[48]
    l: activation f32[]
    w: parameter f32[1,6]
    s: activation f32[48,1]
    p: activation f32[48]
    t = concat x c @ "a.py":1
    r = index t @ "a.py":2
    l = index r @ "a.py":3
    q = index r @ "a.py":4
    i = concat q q
    y = concat l l
    s = linear i w @ "a.py":5
    p = reshape s
    loss = bce_with_logits p y with={"target":1} @ "a.py":6
    labels values=["y"] how="target"
"""

SLICES = (
    DECODER.replace(
        "h = embedding tokens e",
        'i = index tokens with={"part":[1,5,1]}\n    j = index tokens with={"part":[1,5,1]}\n    h = embedding i e',
    )
    .replace("y = reshape tokens", "y = reshape j")
    .replace("    h: activation", "    i: activation i64[64,5]\n    j: activation i64[64,5]\n    h: activation")
)

FIRES["the same slice twice"] = SLICES.replace("[1,5,1]}\n    j", '[1,5,1]} @ "a.py":7\n    j'), 7
FIRES["columns joined to a table, rows picked one by one"] = JOINED, 4

ROWS = (
    BY_HAND.replace("    y: activation", "    x: activation f32[32,5]\n    y: activation")
    .replace("t: input f32[32,5]", "t: input f32[200,5]")
    .replace("y = index t", 'x = index t with={"part":[0,5,1]} @ "a.py":2\n    y = index t with={"part":[4,5,1]}')
    .replace("p = linear t w", "p = linear x w")
)
PICKED = (
    ROWS.replace('x = index t with={"part":[0,5,1]}', "x = index t i")
    .replace('y = index t with={"part":[4,5,1]}', "y = index t i")
    .replace("    y: act", "    i: input i64[32]\n    j: input i64[32]\n    y: act")
)
FIRES["a part of the rows, and their own labels"] = ROWS, 2
FIRES["rows picked by the same numbers"] = PICKED, 2
FIRES["rows picked together"] = PICKED.replace("y = index t i", "y = index x"), 2

SILENT = {
    "tokens to be found again under noise": DECODER.replace("g = rnn h r", "n = random\n    k = add h n\n    g = rnn k r").replace(
        "    h: activation", "    n: activation f32[64,5,48]\n    k: activation f32[64,5,48]\n    h: activation"
    ),
    "a forecast: the labels are of later rows": ROWS.replace('"part":[4,5,1]', '"part":[9,5,1]'),
    "a forecast of which the rows are unknown": ROWS.replace(' with={"part":[0,5,1]}', "").replace(' with={"part":[4,5,1]}', ""),
    "labels picked by other numbers": PICKED.replace("y = index t i", "y = index t j"),
    "a difference, and a model that reads the other columns": BY_HAND.replace("    p: act", "    x: activation f32[32,4]\n    p: act")
    .replace("p = linear t w", 'x = index t @ "a.py":2\n    p = linear x w')
    .replace("w: parameter f32[1,5]", "w: parameter f32[1,4]"),
    "a column that two predictions are measured against": BY_HAND.replace("r = sub p y", "r = sub p p"),
    "two slices": SLICES.replace("[1,5,1]", "[0,5,1]", 1),
    "the features that the labels' column was joined to": JOINED.replace("w: parameter f32[1,6]", "w: parameter f32[1,5]")
    .replace("q: activation f32[6]", "q: activation f32[5]")
    .replace("i: activation f32[48,6]", "i: activation f32[48,5]"),
    "shifted": DECODER.replace("h = embedding tokens e", "i = index tokens\n    h = embedding i e").replace(
        "    h: activation", "    i: activation i64[64,5]\n    h: activation"
    ),
    "a target that is shifted": DECODER.replace("y = reshape tokens", "i = index tokens\n    y = reshape i").replace(
        "    h: activation", "    i: activation i64[64,5]\n    h: activation"
    ),
    "through a narrow place": DECODER.replace("g = rnn h r", "z = mean h\n    g = matmul z r").replace(
        "    g: activation", "    z: activation f32[64,48]\n    g: activation"
    ),
    "words that were masked": DECODER.replace("h = embedding tokens e", "i = where tokens\n    h = embedding i e").replace(
        "    h: activation", "    i: activation i64[64,5]\n    h: activation"
    ),
    "another sentence": DECODER.replace("embedding tokens", "embedding src").replace(
        "h: activation f32[64,5,48]", "h: activation f32[64,4,48]"
    ),
    "one id a row (a recommender)": DECODER.replace("[64,5", "[64").replace("[320", "[64"),
    "a table without the column": TABLE.replace("s = linear t w", "c = index t\n    s = linear c w").replace(
        "    s: activation", "    c: activation f32[200,5]\n    s: activation"
    ),
    "an autoencoder of a table": TABLE.replace("y: label f32[200]", "y: label f32[200,6]")
    .replace("f32[200,1]", "f32[200,6]")
    .replace("p: activation f32[200]", "p: activation f32[200,6]"),
    "an image": TABLE.replace("f32[200,6]", "f32[200,6,6]"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_labels_in_the_input(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
