"""WG302 on programs that ask a tensor for its numbers while the function is compiled."""

import pytest

from sketch import said
from whygrad.rules.graph.rebuilt_tensor import diagnose

STOPPED = """
    framework tensorflow "2.21.0"
    raised type="AttributeError" message="MESSAGE" @ "net.py":11 in "Net.call" text="        top = h.numpy().max()"
    step 0
    x: input f32[32,6]
    y: label f32[32,1]
    h: activation f32[32,16] called="h"
    w: parameter f32[16,6]
    v: parameter f32[1,16]
    h = linear x w @ "net.py":10 in "Net.call"
    n = leave h native="numpy" carries=[true] @ "net.py":11 in "Net.call"
    o = linear h v @ "net.py":12 in "Net.call"
    loss = mse_loss o y with={"target":1}
    ! backward loss
"""
SAID = {
    "a method": "'SymbolicTensor' object has no attribute 'numpy'",
    "a function of NumPy's": "Cannot convert a symbolic tf.Tensor (Placeholder:0) to a numpy array. This error may indicate",
    "while a model is put together": "'KerasTensor' object has no attribute 'numpy'",
    "in a function that was rewritten": "in user code:\\n\\n File \\\"a.py\\\", line 16, in step *\\n x.append(loss.numpy())\\n\\n AttributeError: 'SymbolicTensor' object has no attribute 'numpy'",
}  # fmt: skip
OTHERS = {
    "another attribute": STOPPED.replace("MESSAGE", "'SymbolicTensor' object has no attribute 'detach'"),
    "an array of NumPy's": STOPPED.replace("MESSAGE", "'numpy.ndarray' object has no attribute 'numpy'"),
    "another framework": STOPPED.replace("MESSAGE", SAID["a method"]).replace("framework tensorflow", "framework torch"),
    "it ran to its end": STOPPED.replace('    raised type="AttributeError" message="MESSAGE" @ "net.py":11 in "Net.call" text="        top = h.numpy().max()"\n', ""),
}  # fmt: skip


@pytest.mark.parametrize("message", SAID.values(), ids=SAID)
def test_the_line_that_asks(message: str) -> None:
    (diagnosis,) = said(diagnose, STOPPED.replace("MESSAGE", message))

    assert diagnosis.site is not None
    assert (diagnosis.rule, diagnosis.site.line) == ("WG302", 11)
    assert diagnosis.message.startswith("`call` asks `h` for its numbers while it is compiled")


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
