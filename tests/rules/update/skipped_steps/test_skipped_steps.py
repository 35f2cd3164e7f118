"""WG409 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.update.skipped_steps import diagnose


def run(steps: int, skipped: int) -> str:
    """A run in which a scaler declined some steps."""
    return f"""
    outcome steps_seen={steps + skipped} backwards_seen={steps + skipped}
    optimizer opt native="SGD" steps={steps} skipped={skipped} @ "train.py":12
      group rate=0.1 parameters=["w"]
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
    ! backward loss @ "train.py":22
    ! unscale opt @ "train.py":23
    parameter w optimizer="opt" reached=true gradient="non-finite" gradient_norm="inf"
    """


FIRES = {"all of them": (0, 30), "most of them": (20, 80)}
SILENT = {"the search for a factor": (0, 16), "one now and then": (2000, 1), "a fifth": (100, 25), "none": (100, 0)}


@pytest.mark.parametrize(("steps", "skipped"), FIRES.values(), ids=FIRES)
def test_steps_that_are_skipped(steps: int, skipped: int) -> None:
    (diagnosis,) = said(diagnose, run(steps, skipped))

    assert diagnosis.message == f"the gradient scaler skips {skipped} of {steps + skipped} updates of `opt`"
    assert diagnosis.evidence[1].statement == "gradients that are not finite were recorded for `w`"


def test_a_scaler_made_in_the_loop_is_named_where_it_is_made() -> None:
    made = 'origin optimizer="opt" setting="scaler" @ "loop.py":10\n' + run(0, 80).replace("skipped=80", "skipped=80 scalers=80")
    (diagnosis,) = said(diagnose, made)

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("loop.py", 10)


def test_one_scaler_is_left_where_it_declines() -> None:
    made = 'origin optimizer="opt" setting="scaler" @ "loop.py":10\n' + run(0, 80).replace("skipped=80", "skipped=80 scalers=1")
    (diagnosis,) = said(diagnose, made)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 12


@pytest.mark.parametrize(("steps", "skipped"), SILENT.values(), ids=SILENT)
def test_silence(steps: int, skipped: int) -> None:
    assert not said(diagnose, run(steps, skipped))


def test_without_a_scaler() -> None:
    assert not said(diagnose, 'record program="train.py"')
