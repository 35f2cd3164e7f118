"""WG704 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.wiring.manual_step_missing import diagnose

MANUAL = """
    outcome steps_seen=1 backwards_seen=9
    optimizer opt native="SGD" steps=0 @ "model.py":20
      group rate=0.1 parameters=["w"]
    x: input f32[4,8]
    w: parameter f32[2,8]
    out = linear x w
    loss = mean out
    ! backward loss @ "model.py":12 text="        self.manual_backward(loss)"
    parameter w optimizer="opt" reached=true gradient="finite"
"""

FIRES = {
    "never a step": MANUAL,
    "seen by the library's frames": MANUAL.replace(
        'text="        self.manual_backward(loss)"', 'library=[["lightning/module.py",1080,"manual_backward"]]'
    ),
    "moved to a device at the end": MANUAL.replace("    parameter w", "    ! update w\n    parameter w").replace(
        'gradient="finite"', 'gradient="finite" update_norm=0.0'
    ),
}

SILENT = {
    "it steps": MANUAL.replace("steps=0", "steps=3"),
    "it steps in the record": MANUAL.replace("    parameter w", "    ! optimizer_step opt\n    parameter w"),
    "another loop (WG405)": MANUAL.replace("self.manual_backward(loss)", "loss.backward()"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_manual_optimisation_without_a_step(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 12
    assert diagnosis.message == "manual optimisation is on, and `opt` never steps"
    assert Fact("no-update", "0") in diagnosis.explains


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
