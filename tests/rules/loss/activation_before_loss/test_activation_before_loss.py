"""WG217 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.activation_before_loss import diagnose

LEAF = """
    x: input f32[32,9]
    y: label i64[32]
    w: parameter f32[5,9]
    s: activation f32[32,5]
    r: activation f32[32,5] minimum=0 maximum=0.7 zeros=0.4
    s = linear x w @ "a.py":3
    r = relu s @ "a.py":4
    loss = cross_entropy r y with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

FIRES = {
    "a ReLU": (LEAF, 4),
    "a tanh": (LEAF.replace("relu s", "tanh s"), 4),
    "a hard tanh": (LEAF.replace("relu s", "hardtanh s"), 4),
    "before a binary cross-entropy": (LEAF.replace("cross_entropy", "bce_with_logits"), 4),
    "where the layer was made": (LEAF.replace('@ "a.py":4', '@ "a.py":9 ^ "net.py":15'), 15),
    "reshaped in between": (LEAF.replace("loss = cross_entropy r", "f = reshape r\n    loss = cross_entropy f"), 4),
}

SILENT = {
    "scores as they are": LEAF.replace("cross_entropy r", "cross_entropy s"),
    "pooled after the last ReLU": LEAF.replace("loss = cross_entropy r", "f = avg_pool r\n    loss = cross_entropy f"),
    "a tanh that is scaled": LEAF.replace("relu s", "tanh s").replace("loss = cross_entropy r", "f = mul r\n    loss = cross_entropy f"),
    "a smooth activation": LEAF.replace("relu s", "gelu s"),
    "a regression": LEAF.replace("cross_entropy", "mse_loss"),
    "a softmax (WG205)": LEAF.replace("relu s", "softmax s"),
    "a loss on probabilities": LEAF.replace("cross_entropy", "binary_cross_entropy"),
    "the call raised": LEAF.replace("loss = cross_entropy r y", "= cross_entropy r y failed=true"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_scores_that_are_cut_off(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
