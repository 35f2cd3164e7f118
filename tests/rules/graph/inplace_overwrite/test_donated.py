"""WG309 on sketches: memory that a jitted function was allowed to write over."""

import pytest

from sketch import said
from whygrad.rules.graph.inplace_overwrite import diagnose

STEP = """
    x: input f32[8,4]
    w: parameter f32[2,4]
    a = linear x w
    loss = mean a
    ! backward loss @ "train.py":11
    ! optimizer_step opt @ "train.py":12
"""


def raising(kind: str, message: str) -> str:
    return f'raised type="{kind}" message="{message}" @ "train.py":20\n' + STEP


FIRES = {
    "read later": (raising("RuntimeError", "Array has been deleted with shape=float32[3,2]."), "f32[3,2]"),
    "read by a compiled function": (raising("ValueError", "INVALID_ARGUMENT: Buffer has been deleted or donated."), "an array"),
    "handed in under two names": (
        raising("ValueError", "Attempt to use a buffer that was previously donated in the same call to Execute() (flattened argument 10)"),
        "twice",
    ),
}
SILENT = {
    "no exception": STEP,
    "memory that is full": raising("RuntimeError", "RESOURCE_EXHAUSTED: Out of memory allocating 17179869184 bytes."),
    "a row that was deleted": raising("KeyError", "row 3 has been deleted"),
}


@pytest.mark.parametrize(("text", "word"), FIRES.values(), ids=FIRES)
def test_it_is_told_where_it_was_raised(text: str, word: str) -> None:
    (found,) = said(diagnose, text)

    assert (found.rule, found.site and found.site.line) == ("WG309", 20)
    assert word in found.message
    assert "donate_argnums" in found.help


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert said(diagnose, text) == []
