"""WG307 on sketches of layers that keep their weights as plain tensors."""

import pytest

from sketch import said
from whygrad.rules.graph.unregistered_parameter import diagnose

LAYER = """
    framework tensorflow "2.21.0"
    optimizer Adam native="Adam"
    group parameters=["head"]
    step 0 updated=true
    x: input f32[32,6]
    y: label f32[32,1]
    w: activation f32[6,16]
    b: constant f32[16] zeros=1.0
    z: activation f32[32,16]
    a: activation f32[32,16]
    head: parameter f32[16,1]
    w = random tracking=false @ "net.py":10 in "Scale.build" text="        self.w = tf.random.normal((shape[-1], 16))"
    b = create tracking=false @ "net.py":11 in "Scale.build" text="        self.b = tf.zeros((16,))"
    z = matmul x w carries=[false,false] module="scale" @ "net.py":14 in "Scale.call"
    a = add z b carries=[false,false] module="scale" @ "net.py":14 in "Scale.call"
    h = relu a
    o = linear h head module="dense"
    loss = mse_loss o y with={"target":1}
    ! backward loss
    ! optimizer_step Adam
    parameter head reached=true gradient="finite" optimizer="Adam"
"""
SCALED = LAYER.replace(
    "    b = create", '    w = mul r tracking=false @ "net.py":10 in "Scale.build"\n    b = create'
).replace("    w = random", "    r = random").replace("    z: act", "    r: activation f32[6,16]\n    z: act")  # fmt: skip

FIRES = {
    "drawn by TensorFlow": LAYER,
    "drawn and brought to size": SCALED,
    "drawn by NumPy": LAYER.replace("w = random", "w = enter"),
    "in the constructor": LAYER.replace("Scale.build", "Scale.__init__"),
}
SILENT = {
    "random features without an offset": LAYER.replace("a = add z b", "a = copy z"),
    "random features with a drawn offset": LAYER.replace("b = create", "b = random").replace("zeros=1.0", "zeros=0.0"),
    "a variable for the offset": LAYER.replace("b: constant", "b: parameter").replace("    b = create tracking=false @", "    q = create tracking=false @"),
    "a table of numbers that is no layer's": LAYER.replace(' module="scale"', ""),
    "noise that the step draws": LAYER.replace("w = random tracking=false", "w = random"),
    "zeros that another function keeps": LAYER.replace('"net.py":11 in "Scale.build"', '"net.py":31 in "Net.begin"'),
    "another framework": LAYER.replace("framework tensorflow", "framework torch"),
    "zeros of another width": LAYER.replace("b: constant f32[16]", "b: constant f32[]"),
}  # fmt: skip


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_weights_that_nothing_can_train(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert (diagnosis.rule, diagnosis.severity, diagnosis.site.line) == ("WG307", "error", 10)
    assert diagnosis.message.startswith("`self.w` and `self.b` of `Scale` are plain tensors")


def test_several_layers_of_a_kind_are_one_fault() -> None:
    second = (
        '    w2 = random tracking=false @ "net.py":10 in "Scale.build" text="        self.w = tf.random.normal((shape[-1], 16))"\n'
        '    b2 = create tracking=false @ "net.py":11 in "Scale.build" text="        self.b = tf.zeros((16,))"\n'
        '    z2 = matmul h w2 carries=[false,false] module="scale_1" @ "net.py":14\n'
        '    a2 = add z2 b2 carries=[false,false] module="scale_1" @ "net.py":14\n    o = linear a2 head module="dense"'
    )
    values = "    w2: activation f32[16,16]\n    b2: constant f32[16] zeros=1.0\n    z2: activation f32[32,16]\n    head: par"
    text = LAYER.replace('    o = linear h head module="dense"', second).replace("    head: par", values)

    (diagnosis,) = said(diagnose, text)

    assert diagnosis.evidence[0].value == 2


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
