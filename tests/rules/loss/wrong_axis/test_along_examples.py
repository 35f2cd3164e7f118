"""WG211 on sketches of layers that run along the examples which a loader stacked."""

import pytest

from sketch import said
from whygrad.rules.loss.wrong_axis import diagnose

TAGGER = """
    batches path="[0]" seen=30 values=["x"] drawn=true
    a: activation i64[12]
    b: activation i64[12]
    c: activation i64[12]
    x: input i64[3,12]
    y: label i64[3,12] minimum=0 maximum=2
    flat: activation i64[36] minimum=0 maximum=2
    u: parameter f32[30,8]
    w: parameter f32[5,8]
    e: activation f32[3,12,8]
    d: activation f32[3,12,8]
    o: activation f32[3,12,8]
    s: activation f32[3,12,5]
    r: activation f32[36,5]
    x = concat a b c native="torch.stack" with={"axis":0} @ "train.py":3
    e = embedding x u @ "net.py":9
    d = dropout e @ "net.py":9
    o = rnn d with={"sequence_axis":0} @ "net.py":9 ^ "net.py":5
    s = linear o w @ "net.py":10
    r = reshape s
    flat = reshape y
    loss = cross_entropy r flat with={"target":1}
    ! batch x y
    ! backward loss
    labels values=["flat"] how="target"
"""
TURNED = (
    TAGGER.replace("o: activation f32[3,12,8]", "t: activation f32[12,3,8]\n    o: activation f32[12,3,8]\n    k: activation f32[3,12,8]")
    .replace("    o = rnn d", '    t = transpose d with={"order":[1,0,2]}\n    o = rnn t')
    .replace("    s = linear o w", '    k = transpose o with={"order":[1,0,2]}\n    s = linear k w')
)
PICKED = (
    TAGGER.replace('    batches path="[0]" seen=30 values=["x"] drawn=true\n', "")
    .replace("    c: activation i64[12]", "    c: activation i64[60]\n    k: activation i64[3]\n    t: input i64[60,12]")
    .replace(
        'x = concat a b c native="torch.stack" with={"axis":0}', 'c = random native="torch.randperm"\n    k = index c\n    x = index t k'
    )
)
"""Rows in an order that the program draws."""


@pytest.mark.parametrize(
    ("text", "first"),
    [(TAGGER, "True"), (PICKED, "True"), (TAGGER.replace("o = rnn d", "o = attention d"), "True"), (TURNED.replace('"sequence_axis":0', '"sequence_axis":1'), "False")],
    ids=["a recurrent layer", "rows picked by the program", "an attention", "told that the batch comes first, and given it second"],
)  # fmt: skip
def test_layers_along_what_a_loader_stacked(text: str, first: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert (diagnosis.site.line if diagnosis.site else None) == 5
    assert "runs along the batch" in diagnosis.message
    assert [edit.text for edit in (diagnosis.remedy.edits if diagnosis.remedy else ())] == [first]


@pytest.mark.parametrize(
    "text",
    [
        TAGGER.replace('"sequence_axis":0', '"sequence_axis":1'),
        TURNED,
        TAGGER.replace("drawn=true", ""),
        TAGGER.replace('x = concat a b c native="torch.stack" with={"axis":0}', 'x = pad a native="pad_sequence"'),
        TAGGER.replace('"axis":0', '"axis":1'),
        TAGGER.replace("d = dropout e", "d = reshape e"),
        PICKED.replace("o = rnn d", "o = attention d"),
        PICKED.replace('native="torch.randperm"', 'native="torch.randint"'),
        TAGGER.replace("f32[3,12,8]", "f32[3,1,8]").replace("i64[3,12]", "i64[3,1]"),
    ],
    ids=["along the positions", "turned before", "an order of its own", "padded by the program", "stacked along another axis", "another form", "an attention over what was picked", "picked by numbers that are no order", "one position"],
)  # fmt: skip
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
