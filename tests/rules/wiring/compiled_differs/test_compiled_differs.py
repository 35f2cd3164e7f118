"""WG706 on sketches."""

from sketch import said
from whygrad.rules.wiring.compiled_differs import diagnose

STEP = """
    x: input f32[8,4]
    y: label f32[8,4]
    w: parameter f32[4,4]
    p = linear x w
    loss = mse_loss p y with={"target":1}
    ! backward loss
"""
SETTLED = '    ! settled with={"name":"self.weight","was":0.0,"now":2.0,"calls":110,"test":""} @ "fit.py":47\n'


def test_a_number_that_is_a_constant_of_the_compiled_step() -> None:
    (found,) = said(diagnose, STEP + SETTLED)

    assert (found.severity, found.site.line if found.site else 0) == ("warning", 47)
    assert "`self.weight` = 0" in found.message
    assert found.evidence[-1].value == 110


def test_a_condition_that_was_decided_once() -> None:
    step = STEP + SETTLED.replace('"test":""', '"test":"self.weight > 1"')
    (found,), (other,) = said(diagnose, '    framework jax "0.10"\n' + step), said(diagnose, '    framework tensorflow "2.21"\n' + step)

    assert "`self.weight > 1` was decided" in found.evidence[0].statement
    assert "lax.cond" in found.help
    assert "tf.cond" in other.help


def test_silence() -> None:
    assert not said(diagnose, STEP)
