"""WG101 where the target is what the prediction itself decides, in a program without labels."""

import pytest

from sketch import said
from whygrad.rules.labels.unused_labels import diagnose

OWN = """
    x: input f32[32,6]
    w: parameter f32[3,6]
    scores: activation f32[32,3]
    chosen: activation i64[32] called="target"
    scores = linear x w @ "a.py":7
    chosen = argmax scores @ "a.py":8
    loss = cross_entropy scores chosen with={"target":1} @ "a.py":9
    ! backward loss
    ! optimizer_step opt
    parameter w reached=true gradient="finite"
    labels values=[] reason="the loss compares two outputs of the program's models"
"""
PROBABILITY = (
    OWN.replace("chosen = argmax scores", "p = sigmoid scores\n    chosen = compare p")
    .replace("chosen: activation i64[32]", "p: activation f32[32,3]\n    chosen: activation f32[32,3]")
    .replace("cross_entropy", "bce_with_logits")
)
SILENT = {
    "of another forward": OWN.replace("chosen = argmax scores", "weak = linear x2 w\n    chosen = argmax weak").replace(
        "    scores: ", "    x2: input f32[32,6]\n    weak: activation f32[32,3]\n    scores: "
    ),
    "a second loss with labels": OWN.replace("loss = cross_entropy", "own = cross_entropy").replace(
        '"a.py":9', '"a.py":9\n    other = cross_entropy scores x with={"target":1}\n    loss = add own other'
    ),
    "weighted by a gain": OWN.replace("loss = cross_entropy scores", "each = cross_entropy scores")
    .replace('"a.py":9', '"a.py":9\n    gained = mul each gain\n    loss = mean gained')
    .replace("    w: ", "    gain: input f32[32]\n    each: activation f32[32]\n    gained: activation f32[32]\n    w: ", 1),
    "sampled": OWN.replace("argmax scores", "sample scores"),
    "a model that was trained before": OWN.replace('gradient="finite"', 'gradient="finite" loaded=true'),
    "nothing is trained": OWN.replace("    ! optimizer_step opt\n", ""),
    "there are labels": OWN.replace(
        'labels values=[] reason="the loss compares two outputs of the program\'s models"', 'labels values=["x"] how="given"'
    ),
}


@pytest.mark.parametrize("text", [OWN, PROBABILITY], ids=["classes", "yes or no"])
def test_the_line_that_decides(text: str) -> None:
    (found,) = said(diagnose, text)

    assert found.site is not None
    assert (found.rule, found.severity, found.site.line) == ("WG101", "error", 8)
    assert "no labels enter the loss" in found.message


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


ITSELF = """
    x: input f32[32,6]
    w: parameter f32[3,6]
    out: activation f32[32,3] called="out"
    held: activation f32[32,3]
    out = linear x w @ "a.py":7
    held = detach out @ "a.py":8
    loss = mse_loss out held with={"target":1} @ "a.py":9
    ! backward loss
    ! optimizer_step opt
    parameter w reached=true gradient="zero"
    labels values=[] reason="the loss compares two outputs of the program's models"
"""


@pytest.mark.parametrize("text", [ITSELF, ITSELF.replace("mse_loss out held", "mse_loss out out")], ids=["detached", "twice"])
def test_a_prediction_that_is_compared_with_itself(text: str) -> None:
    (found,) = said(diagnose, text)

    assert found.site is not None
    assert (found.rule, found.severity, found.site.line) == ("WG101", "error", 9)
    assert "compares `out` with itself" in found.message


@pytest.mark.parametrize(
    "text",
    [
        ITSELF.replace("mse_loss", "cross_entropy"),
        ITSELF.replace("held = detach out", "held = linear x w"),
        ITSELF.replace("loss = mse_loss", "own = mse_loss").replace(
            '"a.py":9', '"a.py":9\n    far = mse_loss out x with={"target":1}\n    loss = add own far'
        ),
        ITSELF.replace("mse_loss out held", "mse_loss x x"),
    ],
    ids=["its own entropy", "two forwards", "one of two terms", "data with themselves"],
)
def test_silence_where_it_is_meant(text: str) -> None:
    assert not said(diagnose, text)
