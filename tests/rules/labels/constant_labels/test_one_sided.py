"""WG103 where all binary losses of a step compare with one constant."""

import pytest

from sketch import said, sketch
from whygrad.rules.labels.constant_labels import diagnose
from whygrad.rules.labels.one_sided import one_sided

GAN = """
    optimizer d native="Adam" steps=9 @ "train.py":19
    group rate=0.1 parameters=["dw"]
    x: input f32[64,4]
    z: activation f32[64,3]
    w: parameter f32[4,3]
    dw: parameter f32[1,4]
    real: constant f32[64,1] minimum=1.0 maximum=1.0
    made: constant f32[64,1] minimum=1.0 maximum=1.0
    a: activation f32[64,1]
    fake: activation f32[64,4]
    cut: activation f32[64,4]
    b: activation f32[64,1]
    l1: activation f32[]
    l2: activation f32[]
    a = linear x dw
    l1 = binary_cross_entropy a real with={"target":1} @ "train.py":31
    fake = linear z w
    cut = detach fake
    b = linear cut dw
    l2 = binary_cross_entropy b made with={"target":1} @ "train.py":33
    loss = add l1 l2
    ! batch x
    ! backward loss
    ! optimizer_step d
"""


def test_a_discriminator_that_is_told_one_of_all():
    (diagnosis,) = said(diagnose, GAN, steps=2)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 33
    assert diagnosis.message.startswith("all 2 losses of this step compare with 1 alone")


SILENT = {
    "one and zero": GAN.replace("made: constant f32[64,1] minimum=1.0 maximum=1.0", "made: constant f32[64,1] minimum=0.0 maximum=0.0"),
    "smoothed on one side": GAN.replace("real: constant f32[64,1] minimum=1.0", "real: constant f32[64,1] minimum=0.9"),
    "a generator, through a model that this step does not update": GAN.replace("cut = detach fake", "cut = copy fake").replace(
        'group rate=0.1 parameters=["dw"]', 'group rate=0.1 parameters=["w"]'
    ),
    "one loss": GAN.replace("    loss = add l1 l2", "    loss = mean l2"),
    "a penalty beside them": GAN.replace("    loss = add l1 l2", "    p = mean dw\n    s = add l1 l2\n    loss = add s p").replace(
        "    a = linear x dw", "    p: activation f32[]\n    s: activation f32[]\n    a = linear x dw"
    ),
    "targets from the data": GAN.replace("! batch x", "! batch x made"),
    "another loss": GAN.replace("binary_cross_entropy b", "mse_loss b"),
    "not a number": GAN.replace("minimum=1.0 maximum=1.0", 'minimum="nan" maximum="nan"'),
    "nothing known": GAN.replace(" minimum=1.0 maximum=1.0", ""),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not list(one_sided(sketch(text, steps=2)))
