"""WG311 on sketches of losses whose entries always add up to the same number."""

import pytest

from sketch import said
from whygrad.rules.graph.constant_loss import diagnose

CHOSEN = """
    measures loss=2e-7 loss_permuted=9e-7
    course steps=60 start=0.0 first=2e-7 last=1e-7 lowest=-9e-7 highest=1e-6 noise=1e-6 @ "train.py":9
    w: parameter f32[4,8]
    x: input f32[32,8]
    y: label f32[32,4]
    scores = linear x w @ "net.py":3
    chances = softmax scores @ "net.py":4
    left: activation f32[32,4] count=128 finite=1.0 minimum=-0.6 maximum=1.0 mean=0.0 std=0.4 norm=4.5
    left = sub y chances @ "train.py":6
    loss = sum left @ "train.py":7
    ! backward loss @ "train.py":9
    parameter w value=w optimizer="opt" gradient="finite" gradient_norm=3e-7 norm=1.0
"""

FIRES = {
    "a choice less its own probabilities": CHOSEN,
    "gradients that are exactly 0": CHOSEN.replace('"finite" gradient_norm=3e-7', '"zero" gradient_norm=0.0').replace(
        " loss_permuted=9e-7", ""
    ),
    "a mean": CHOSEN.replace("loss = sum", "loss = mean").replace("e-7", "e-9").replace("highest=1e-6", "highest=1e-9"),
    "the negative of it": CHOSEN.replace("loss = sum left", "total = sum left").replace(
        "    ! backward", '    loss = neg total @ "train.py":8\n    ! backward'
    ),
    "one less it": CHOSEN.replace("loss = sum left", "total = sum left").replace(
        "    ! backward", '    one = mean total\n    loss = sub one @ "train.py":8\n    ! backward'
    ),
    "a constant that is not 0": CHOSEN.replace("loss=2e-7 loss_permuted=9e-7", "loss=0.75 loss_permuted=0.75").replace(
        "lowest=-9e-7 highest=1e-6", "lowest=0.7499999 highest=0.7500001"
    ),
}

SILENT = {
    "normalised advantages, with a gradient": CHOSEN.replace("gradient_norm=3e-7", "gradient_norm=0.4"),
    "what bends the sum": CHOSEN.replace("loss = sum left", "total = sum left").replace(
        "    ! backward", "    loss = tanh total\n    ! backward"
    ),
    "one layer with a gradient": CHOSEN.replace("x: input", "b: parameter f32[4]\n    x: input").replace("linear x w", "linear x w b")
    + '    parameter b value=b optimizer="opt" gradient="finite" gradient_norm=0.1 norm=1.0\n',
    "a loss that went elsewhere": CHOSEN.replace("highest=1e-6", "highest=0.3"),
    "a saturated output, for which other labels have another loss": CHOSEN.replace("loss_permuted=9e-7", "loss_permuted=0.2"),
    "a run of a few steps": CHOSEN.replace("steps=60", "steps=6"),
    "entries that are all one": CHOSEN.replace("minimum=-0.6", "minimum=1.0"),
    "figures that are no numbers": CHOSEN.replace("gradient_norm=3e-7", 'gradient_norm="nan"'),
    "nothing known of the entries": CHOSEN.replace(" count=128 finite=1.0 minimum=-0.6 maximum=1.0 mean=0.0 std=0.4 norm=4.5", ""),
}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_what_cancels_is_told_at_the_sum(text: str) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert (found.rule, found.severity, found.site and found.site.line) == ("WG311", "error", 7)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_a_loss_that_can_change_hears_nothing(text: str) -> None:
    assert not said(diagnose, text, steps=2)


def test_the_advice_fits_what_is_added_up() -> None:
    (chosen,) = said(diagnose, CHOSEN, steps=2)
    (centred,) = said(diagnose, CHOSEN.replace("softmax", "tanh"), steps=2)

    assert "logarithm" in chosen.help
    assert "mean" in centred.help
