"""WG418 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.update.update_without_gradient import diagnose

DRIFT = """
    optimizer opt native="AdamW" steps=9 rates=[0.1,0.1] @ "train.py":12
      group rate=0.1 parameters=["old.w","new.w"] settings={"weight_decay":0.5}
    x: input f32[8,4]
    u: parameter f32[2,4]
    v: parameter f32[2,4]
    out = linear x v
    loss = mean out
    ! clear old.w new.w @ "train.py":20
    ! backward loss @ "train.py":22
    ! optimizer_step opt @ "train.py":24
    parameter old.w value=u optimizer="opt" gradient="zero" gradient_norm=0.0 gradient_at_update="zero" norm=2.0 update_norm=0.1
    parameter new.w value=v optimizer="opt" reached=true gradient="finite" gradient_norm=0.7 gradient_at_update="finite" norm=2.0 update_norm=0.1
"""

FIRES = {
    "weight decay": (DRIFT, 20, "weight decay of 0.5 goes on"),
    "momentum": (DRIFT.replace('"weight_decay":0.5', '"momentum":0.9'), 20, "the momentum of earlier gradients goes on"),
    "frozen, but read": (
        DRIFT.replace("parameter old.w value=u", "parameter old.w value=u trainable=false reached=true"),
        20,
        "although frozen: weight decay of 0.5 goes on",
    ),
    "nobody cleared": (DRIFT.replace('    ! clear old.w new.w @ "train.py":20\n', ""), 12, "weight decay of 0.5 goes on"),
}

SILENT = {
    "no gradient instead of zeros": DRIFT.replace(
        'gradient="zero" gradient_norm=0.0 gradient_at_update="zero"', 'gradient_at_update="none"'
    ),
    "not moved": DRIFT.replace("norm=2.0 update_norm=0.1\n    parameter new", "norm=2.0 update_norm=0.0\n    parameter new"),
    "rows that this batch does not use": DRIFT.replace("parameter old.w value=u", "parameter old.w value=u reached=true"),
    "figures that are not numbers": DRIFT.replace("update_norm=0.1", 'update_norm="nan"'),
    "every gradient is zero": DRIFT.replace(
        'gradient="finite" gradient_norm=0.7 gradient_at_update="finite"', 'gradient="zero" gradient_at_update="zero"'
    ),
    "held by nobody": DRIFT.replace('value=u optimizer="opt"', "value=u"),
    "a start from zero": DRIFT.replace("    x: input", "    step 0 kind=0\n    x: input")
    + DRIFT.partition("    x: input")[2]
    .join(("    step 1 kind=0\n    x: input", ""))
    .replace(
        'gradient="zero" gradient_norm=0.0 gradient_at_update="zero"', 'gradient="finite" gradient_norm=0.1 gradient_at_update="finite"'
    ),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line", "said_of_it"), FIRES.values(), ids=FIRES)
def test_parameters_that_drift(text: str, line: int, said_of_it: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert diagnosis.names == ("old.w",)
    assert said_of_it in diagnosis.message


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(
    ("line", "edits"),
    [
        ("p.grad.zero_()", [("insert", "p.grad = None"), ("drop", "")]),
        ("self.optimizer.zero_grad(set_to_none=False)", [("argument", "True")]),
        ("clear(model)", []),
    ],
)
def test_none_is_left_instead_of_zeros(line: str, edits: list[tuple[str, str]]) -> None:
    (diagnosis,) = said(diagnose, DRIFT.replace('@ "train.py":20', f'@ "train.py":20 text="    {line}"'))

    assert [(edit.action, edit.text) for edit in (diagnosis.remedy.edits if diagnosis.remedy else ())] == edits


MASKED = DRIFT.replace(
    'gradient="zero" gradient_norm=0.0 gradient_at_update="zero"',
    'reached=true gradient="finite" gradient_norm=0.7 gradient_at_update="zero"',
)


def test_gradients_made_zero_do_not_stop_the_decay() -> None:
    (diagnosis,) = said(diagnose, MASKED, steps=2)

    assert diagnosis.names == ("old.w",)
    assert "weight decay of 0.5 goes on" in diagnosis.message


HELD = {
    "one step": (MASKED, 1),
    "a decay that nobody notices": (MASKED.replace("norm=2.0 update_norm=0.1", "norm=2.0 update_norm=0.00002"), 2),
    "not moved": (MASKED.replace("norm=2.0 update_norm=0.1", "norm=2.0 update_norm=0.0"), 2),
    "every gradient made zero": (MASKED.replace('gradient_at_update="finite"', 'gradient_at_update="zero"'), 2),
    "figures that are not numbers": (MASKED.replace("update_norm=0.1", 'update_norm="nan"'), 2),
}


@pytest.mark.parametrize(("text", "steps"), HELD.values(), ids=HELD)
def test_gradients_made_zero_may_hold(text: str, steps: int) -> None:
    assert not said(diagnose, text, steps=steps)
