"""WG311 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.graph.constant_loss import diagnose

SWAPPED = """
    w: parameter f32[8,8]
    x: input f32[32,8] differentiable=true called="signal"
    y: label f32[32,8] called="reference"
    out = linear x w @ "train.py":13
    loss = mse_loss x y @ "losses.py":6
"""
REFUSED = 'raised type="RuntimeError" message="element 0 of tensors does not require grad and does not have a grad_fn"\n'

FIRES = {
    "the input in place of the prediction": (SWAPPED, 6),
    "nothing differentiable": (REFUSED + SWAPPED.replace(" differentiable=true", ""), 6),
    "labels compared with themselves": (SWAPPED.replace("mse_loss x y", "mse_loss y y").replace(" differentiable=true", ""), 6),
    "a fresh tensor that requires a gradient": (
        SWAPPED.replace("loss = mse_loss x y", 'c = create native="torch.zeros"\n    loss = sum c').replace(" differentiable=true", ""),
        6,
    ),
    "hand-written, no loss function": (SWAPPED.replace("loss = mse_loss x y", 'd = sub x y @ "losses.py":5\n    loss = mean d'), 6),
}

SILENT = {
    "an ordinary step": SWAPPED.replace("mse_loss x y", "mse_loss out y"),
    "a latent that an optimizer holds": 'optimizer opt orphans=["f32[32,8]"]\ngroup parameters=["w"]\n' + SWAPPED,
    "the gradient of an input, no optimizer": "optimizer none\n" + SWAPPED,
    "no parameters at all": SWAPPED.replace("w: parameter", "w: constant"),
    "nothing is differentiated": SWAPPED + "! optimizer_step opt\n",
}

ANOTHERS = {
    "detached": SWAPPED.replace("loss = mse_loss x y", "d = detach out\n    loss = mse_loss d y"),
    "made of numbers that left": SWAPPED.replace("loss = mse_loss x y", "n = leave out\n    loss = enter n"),
    "reckoned with outside": SWAPPED.replace("loss = mse_loss x y", "n = leave out\n    loss = enter"),
    "frozen": SWAPPED.replace("mse_loss x y", "mse_loss out y") + 'parameter w value=w trainable=false optimizer="opt" reached=true\n',
    "no_grad": SWAPPED.replace("linear x w", "linear x w tracking=false").replace("mse_loss x y", "mse_loss out y"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_the_line_that_makes_the_loss(text: str, line: int) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert (found.rule, found.severity, found.site and found.site.line) == ("WG311", "error", line)
    assert found.facts == {Fact("constant-loss", "0")}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_healthy_programs_hear_nothing(text: str) -> None:
    assert said(diagnose, text) == []


@pytest.mark.parametrize("text", ANOTHERS.values(), ids=ANOTHERS)
def test_what_belongs_to_another_rule_is_left_to_it(text: str) -> None:
    assert said(diagnose, text) == []


def test_it_says_what_the_loss_was_made_of() -> None:
    (found,) = said(diagnose, SWAPPED)

    assert found.message == "`loss` depends on no parameter: it was computed from `signal` and `reference`"
