"""WG405 where an update takes the place of the parameters, and where nothing updates them at all."""

from dataclasses import replace

import pytest

from sketch import said, sketch
from whygrad.diagnosis import Diagnosis
from whygrad.flow import Index
from whygrad.rules.update.missing_step import diagnose

STEPS = """
    outcome exit_status=0 steps_seen=80 backwards_seen=80
    framework jax "0.10.2"
    optimizer opt native="Adam" steps=80 rates=[0.01,0.01] @ "train.py":20
    group rate=0.01 parameters=["w","v"]
    step 0 updated=true
    x: input f32[8,4]
    y: label f32[8,1]
    w: parameter f32[2,4]
    v: parameter f32[1,2]
    out = linear x w
    top = linear out v
    loss = mse_loss top y
    labels values=["y"] how="operand"
    ! backward loss @ "train.py":30
    ! optimizer_step opt with={"rate":0.01} @ "train.py":31
    ! exchanged w v @ "train.py":31:25-60 text="    params, state = opt.update(grads, state, params)"
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=1.5 norm=2.0 update_norm=1.9 moved=1.0
    parameter v optimizer="opt" reached=true gradient="finite" gradient_norm=0.5 norm=2.0 update_norm=1.9 moved=1.0
"""
ALONE = (
    "\n".join(
        line
        for line in STEPS.replace("updated=true", "").splitlines()
        if not any(word in line for word in ("optimizer opt", "group ", "! opt", "! exch"))
    )
    .replace('optimizer="opt" ', "")
    .replace("update_norm=1.9 moved=1.0", "update_norm=0.0 moved=0.0")
)
STILL = (
    ALONE
    + """
    ending w changed=false gradient_seen=true
    ending v changed=false gradient_seen=true
"""
)


def unaided(text: str) -> list[Diagnosis]:
    """What is said of a program without an optimizer."""
    return list(diagnose.check(Index(replace(sketch(text).record, optimizers=()))))


def test_an_update_in_the_place_of_the_parameters_is_told_where_it_is_made() -> None:
    (diagnosis,) = said(diagnose, STEPS)
    edits = diagnosis.remedy.edits if diagnosis.remedy is not None else ()

    assert "takes the place of the parameters" in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.line == 31
    assert [edit.text for edit in edits] == ["before = params", "params = optax.apply_updates(before, params)"]


def test_gradients_that_nothing_ever_uses_are_noted() -> None:
    (diagnosis,) = unaided(STILL)

    assert diagnosis.severity == "note"
    assert "80 times" in diagnosis.message


SILENT = {
    "a few gradients, looked at": STILL.replace("backwards_seen=80", "backwards_seen=9"),
    "parameters that moved": STILL.replace("changed=false", "changed=true"),
    "one of them moved": STILL.replace("ending v changed=false", "ending v changed=true"),
    "no labels": "\n".join(line for line in STILL.replace("y: label", "y: input").splitlines() if "labels" not in line),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_gradients_that_are_left_alone(text: str) -> None:
    assert not unaided(text)


def test_an_update_that_is_added() -> None:
    assert not said(diagnose, "\n".join(line for line in STEPS.splitlines() if "exchanged" not in line))
