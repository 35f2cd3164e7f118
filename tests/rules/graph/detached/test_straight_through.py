"""WG301's remedy for a straight-through value that takes the name of what it stops."""

import pytest

from sketch import said
from whygrad.rules.graph.detached import diagnose

LINE = "    q = z + stop_gradient(q - z)"
QUANTIZED = f"""
    x: input f32[8,4]
    w: parameter f32[4,4]
    book: parameter f32[9,4]
    u: parameter f32[4,4]
    ids: input i64[8]
    z = linear x w
    c = index book ids @ "vq.py":5
    d = sub c z @ "vq.py":6
    s = detach d @ "vq.py":6:13-{len(LINE) + 1} text="{LINE}"
    q = add z s @ "vq.py":6
    h = detach z @ "vq.py":7
    e = sub q h @ "vq.py":7
    f = square e @ "vq.py":7
    a = mean f
    o = linear q u @ "vq.py":19
    g = sub o x @ "vq.py":20
    j = square g
    b = mean j
    loss = add a b
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (QUANTIZED, 7),
        (QUANTIZED.replace(LINE, "    out = z + stop_gradient(q - z)"), None),
        (QUANTIZED.replace('"vq.py":7', '"other.py":7').replace('"vq.py":20', '"other.py":20'), None),
    ],
    ids=["takes the name", "a name of its own", "no loss in the same file"],
)
def test_it_is_made_behind_the_losses_that_read_what_it_stops(text: str, line: int | None) -> None:
    (diagnosis,) = said(diagnose, text)
    edits = diagnosis.remedy.edits if diagnosis.remedy is not None else ()
    moved = [edit.to.line for edit in edits if edit.action == "move" and edit.to is not None]

    assert "book" in diagnosis.message
    assert moved == ([line] if line else [])
