"""WG209 on sketches of programs that stop at a later batch, which was not recorded."""

import pytest

from sketch import said
from whygrad.rules.loss.batch_size_mismatch import diagnose

LAST = """
    framework tensorflow "2.21.0"
    raised type="InvalidArgumentError" message="MESSAGE" @ "train.py":39 in "train" text="        loss = mean(square(model(xb) - yb))"
    step 0 updated=true
    x: input f32[32,16]
    y: input f32[32,1] called="yb"
    w: parameter f32[1,16]
    p: activation f32[32,1]
    d: activation f32[32,1]
    p = linear x w @ "train.py":21
    d = sub p y @ "train.py":39 in "train"
    q = square d @ "train.py":39 in "train"
    loss = mean q @ "train.py":39 in "train"
    ! backward loss
    ! optimizer_step opt
    labels values=["y"] how="operand"
"""
SAID = {
    "TensorFlow": "Incompatible shapes: [13,1] vs. [12,1] [Op:Sub]",
    "JAX": "sub got incompatible shapes for broadcasting: (13, 1), (12, 1).",
    "PyTorch": "The size of tensor a (13) must match the size of tensor b (12) at non-singleton dimension 0",
}
OTHERS = {
    "sizes that differ behind the rows": LAST.replace("MESSAGE", "Incompatible shapes: [13,4] vs. [12,1] [Op:Sub]"),
    "features that differ": LAST.replace("MESSAGE", "Incompatible shapes: [13,4] vs. [13,1] [Op:Sub]"),
    "another line": LAST.replace("MESSAGE", SAID["TensorFlow"]).replace('"train.py":39 in "train" text', '"train.py":44 in "train" text'),
    "no prediction there": LAST.replace("MESSAGE", SAID["TensorFlow"]).replace("d = sub p y", "d = sub y y"),
    "it ran to its end": LAST.replace('    raised type="InvalidArgumentError" message="MESSAGE" @ "train.py":39 in "train" text="        loss = mean(square(model(xb) - yb))"\n', ""),
}  # fmt: skip


@pytest.mark.parametrize("message", SAID.values(), ids=SAID)
def test_a_later_batch_with_other_numbers(message: str) -> None:
    (diagnosis,) = said(diagnose, LAST.replace("MESSAGE", message))

    assert diagnosis.site is not None
    assert (diagnosis.rule, diagnosis.site.line) == ("WG209", 39)
    assert diagnosis.message == "the prediction has 13 rows and `yb` 12 in a later batch: inputs and labels differ in number"


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
