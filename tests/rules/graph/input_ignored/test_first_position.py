"""WG320 on sequences of which the state after the first position alone is used."""

import pytest

from sketch import said
from whygrad.rules.graph.input_ignored import diagnose

FIRST = """
    x: input f32[32,12,7] minimum=0 maximum=4
    y: label i64[32] minimum=0 maximum=4
    w: parameter f32[15,7]
    u: parameter f32[15,5]
    v: parameter f32[5,5]
    h: activation f32[32,12,5]
    s: activation f32[32,5]
    h = rnn x w u module="r" with={"sequence_axis":1} @ "train.py":8
    s = index h @ "train.py":9:15-22 text="return self.o(h[:, 0])"
    z = linear s v
    loss = cross_entropy z y with={"target":1} @ "train.py":21
    ! backward loss @ "train.py":22
    parameter w gradient="finite" gradient_norm=1.0
    parameter u gradient="zero" gradient_norm=0.0
    parameter v gradient="finite" gradient_norm=1.0
    labels values=["y"] how="target"
"""
DEEP = (
    FIRST.replace("rnn x w u", "rnn x w u w2 u2").replace(
        "    h: act", "    w2: parameter f32[15,5]\n    u2: parameter f32[15,5]\n    h: act"
    )
    + '    parameter w2 gradient="finite" gradient_norm=1.0\n'
)


@pytest.mark.parametrize("text", [FIRST, DEEP + '    parameter u2 gradient="zero" gradient_norm=0.0\n'], ids=["one layer", "two layers"])
def test_the_rest_of_the_sequence_is_ignored(text: str) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert found.site is not None
    assert found.site.line == 9
    assert "of 12 positions" in found.message
    assert found.remedy is not None
    assert [(edit.text, edit.site.column) for edit in found.remedy.edits] == [("-1", 20)]


SILENT = {
    "what came before is weighed": FIRST.replace('u gradient="zero" gradient_norm=0.0', 'u gradient="finite" gradient_norm=1.0'),
    "nothing has a gradient": FIRST.replace('w gradient="finite" gradient_norm=1.0', 'w gradient="zero" gradient_norm=0.0'),
    "no numbers": FIRST.replace('u gradient="zero" gradient_norm=0.0', 'u gradient="non-finite" gradient_norm="nan"'),
    "one position": FIRST.replace("f32[32,12,7]", "f32[32,1,7]"),
    "the last position of a way back": DEEP + '    parameter u2 gradient="finite" gradient_norm=1.0\n',
    "not on the way to the loss": FIRST.replace("s = index h", "s = index x"),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text, steps=2)


def test_one_step_of_several_in_which_it_is_so_says_little() -> None:
    other = "step 1 kind=0\n" + FIRST.replace('u gradient="zero" gradient_norm=0.0', 'u gradient="finite" gradient_norm=1.0')

    assert not said(diagnose, FIRST + other)
