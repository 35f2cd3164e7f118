"""WG403 on what an evaluation leaves behind."""

from sketch import said
from whygrad.rules.update.accumulated_gradient import diagnose

TEXT = """
    optimizer opt native="SGD" steps=80 @ "train.py":5
    group rate=0.1 parameters=["w"]
    origin setting="evaluated" @ "loss_compute.py":15
    x: input f32[8,4]
    w: parameter f32[2,4]
    loss = linear x w
    ! backward loss
"""


def test_the_backward_of_the_evaluation_is_named() -> None:
    (found,) = said(diagnose, TEXT)

    assert found.site is not None
    assert (found.site.line, found.severity, found.names) == (15, "error", ("opt",))


def test_silence_without_it() -> None:
    assert not said(diagnose, TEXT.replace('    origin setting="evaluated" @ "loss_compute.py":15\n', ""))
