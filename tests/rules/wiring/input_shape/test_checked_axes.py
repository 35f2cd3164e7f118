"""WG705 on sketches of layers that count the axes of their input before they compute anything."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.wiring.input_shape import diagnose

REFUSED = """
    x: input f32[64,10,1,5]
    ! exception @ "net.py":8 with={"type":"ValueError","message":"%s"}
"""
MESSAGES = (
    "LSTM: Expected input to be 2D or 3D, got 4D instead",
    "RNN: Expected input to be 2D or 3D, got 4D instead",
    "GRU: Expected input to be 2D or 3D, got 1D instead",
)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_recurrent_layer_with_too_many_or_too_few_axes(message):
    (told,) = said(diagnose, REFUSED % message)

    assert told.site is not None
    assert (told.site.file, told.site.line) == ("net.py", 8)
    assert "number of axes" in told.message
    assert Fact("exception", "ValueError") in told.explains


@pytest.mark.parametrize("message", ["Expected input to be sorted", "need a finite budget"])
def test_what_else_a_program_refuses_is_its_own(message):
    assert not said(diagnose, REFUSED % message)
