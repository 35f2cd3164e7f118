"""WG414 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.update.wrong_order import diagnose

FIRST = """
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
    ! clear w @ "train.py":21
    ! optimizer_step opt @ "train.py":24
    ! backward loss @ "train.py":25
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.7 gradient_at_update="none"
"""

RIGHT = """
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
    ! clear w @ "train.py":21
    ! backward loss @ "train.py":22
    ! clip w @ "train.py":23 with={"norm":3.0,"limit":1.0}
    ! optimizer_step opt @ "train.py":24
    ! scheduler_step opt @ "train.py":25 text="    scheduler.step()"
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.7 gradient_at_update="finite"
"""
CLIP = '    ! clip w @ "train.py":23 with={"norm":3.0,"limit":1.0}\n'
SCHEDULER = '    ! scheduler_step opt @ "train.py":25 text="    scheduler.step()"\n'

LATE = """
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
    ! backward loss @ "train.py":22
    ! clip w @ "train.py":9 with={"limit":1.0,"after":"adam"}
    ! optimizer_step opt @ "train.py":24
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=7.0 update_norm=0.1 gradient_at_update="finite"
"""

FIRES = {
    "clipping behind the whole optimizer in a chain": (LATE, 9),
    "step before backward": (FIRST, 24),
    "gradients set to zero": (FIRST.replace('gradient_at_update="none"', 'gradient_at_update="zero"'), 24),
    "clipped before the backward": (RIGHT.replace(CLIP, "").replace("    ! backward", CLIP + "    ! backward"), 23),
    "clipped after the update": (RIGHT.replace(CLIP, "").replace("    ! scheduler_step", CLIP + "    ! clear w\n    ! scheduler_step"), 23),
    "clipped before it is unscaled": (RIGHT.replace("    ! optimizer_step", "    ! unscale opt\n    ! optimizer_step"), 23),
    "the scheduler goes first": (RIGHT.replace(SCHEDULER, "").replace("    ! clear", SCHEDULER + "    ! clear"), 25),
}

SILENT = {
    "the right order": RIGHT,
    "updates that the limit bites": LATE.replace("update_norm=0.1", "update_norm=1.0"),
    "gradients below the limit all the same": LATE.replace("gradient_norm=7.0", "gradient_norm=0.5"),
    "an update of unknown size": LATE.replace(" update_norm=0.1", ""),
    "a gradient that is no number (WG503)": LATE.replace("gradient_norm=7.0", 'gradient_norm="nan"'),
    "each gradient one forward later": FIRST.replace('gradient_at_update="none"', 'gradient_at_update="finite"'),
    "another optimizer's parameters": FIRST.replace('parameter w optimizer="opt"', 'parameter w optimizer="other"'),
    "no gradient at all (WG301)": FIRST.replace('gradient="finite"', 'gradient="none"'),
    "cleared in between (WG404)": FIRST.replace('    ! backward loss @ "train.py":25\n', "").replace(
        "    ! clear", "    ! backward loss\n    ! clear"
    ),
    "unscaled, then clipped": RIGHT.replace(CLIP, "    ! unscale opt\n" + CLIP),
    "a scheduler's constructor": RIGHT.replace(
        "    ! clear", '    ! scheduler_step opt @ "train.py":9 text="s = StepLR(opt, 10)"\n    ! clear'
    ),
    "another optimizer's scheduler": RIGHT.replace(SCHEDULER, "").replace(
        "    ! clear", SCHEDULER.replace("step opt", "step other") + "    ! clear"
    ),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_calls_in_the_wrong_order(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text, steps=2)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text, steps=2)


def test_the_first_update_of_a_loop_may_find_none() -> None:
    assert not said(diagnose, FIRST)


LATE = """
    x: input f32[8,4]
    w: parameter f32[4,4]
    loss = matmul x w
    ! unfreeze w with={"late":true} @ "train.py":9
"""


def test_trainable_that_is_changed_after_the_step_was_compiled():
    (diagnosis,) = said(diagnose, LATE)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 9
    assert diagnosis.message.endswith("`w` stays frozen")
    assert not said(diagnose, LATE.replace(' with={"late":true}', ""))


def test_a_clipping_of_scaled_gradients_is_preceded_by_their_unscaling() -> None:
    step = '    ! unscale opt @ "train.py":24 text="    scaler.step(opt)"\n    ! optimizer_step'
    (diagnosis,) = said(diagnose, RIGHT.replace("    ! optimizer_step", step))
    (elsewhere,) = said(diagnose, RIGHT.replace("    ! optimizer_step", step.replace("train.py", "loop.py")))

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.line, edit.text) for edit in diagnosis.remedy.edits] == [("insert", 23, "scaler.unscale_(opt)")]
    assert elsewhere.remedy is None
