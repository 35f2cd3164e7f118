"""WG405 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.update.missing_step import diagnose

NO_STEP = """
    outcome exit_status=0 steps_seen=1 backwards_seen=30
    optimizer opt native="SGD" steps=0 @ "train.py":20
    group rate=0.1 parameters=["w"]
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
    ! clear w
    ! backward loss @ "train.py":30
"""

GAN = """
    outcome exit_status=0 steps_seen=9 backwards_seen=18
    optimizer d native="SGD" steps=9 rates=[0.1,0.1] @ "train.py":19
    group rate=0.1 parameters=["dw"]
    optimizer g native="SGD" steps=0 @ "train.py":20
    group rate=0.1 parameters=["w"]
    ending dw changed=true gradient_seen=true
    ending w changed=false gradient_seen=true
    x: input f32[8,4]
    w: parameter f32[2,4]
    dw: parameter f32[1,2]
    fake = linear x w
    out = linear fake dw
    loss = mean out
    ! backward loss @ "train.py":30
    ! optimizer_step d
"""

FIRES = {
    "a forgotten step": (NO_STEP, 30),
    "new parameters that nothing keeps": (NO_STEP + '    ! dropped w with={"what":"applied"} @ "train.py":33', 33),
    "an update that nothing applies": (NO_STEP + '    ! dropped w with={"what":"update"} @ "train.py":32', 32),
    "one backward, and an optimizer": (NO_STEP.replace("backwards_seen=30", "backwards_seen=1"), 30),
    "many, and an exception at the end": (NO_STEP + '    raised type="ValueError" message="later"', 30),
    "one of two optimizers is left out": (GAN, 30),
    "a gradient of zero": (NO_STEP + '    parameter w reached=true gradient="zero"', 30),
    "a gradient that is not finite": (NO_STEP + '    parameter w reached=true gradient="non-finite" gradient_norm="nan"', 30),
}

SILENT = {
    "an optimizer that steps": NO_STEP.replace("steps=0 @", "steps=30 @"),
    "a step that was recorded, not counted": NO_STEP + "    ! optimizer_step opt",
    "updated by hand": NO_STEP + "    ! update w",
    "changed by something unseen": NO_STEP + "    ending w changed=true gradient_seen=true",
    "an exception after the first backward": NO_STEP.replace("backwards_seen=30", "backwards_seen=1")
    + '    raised type="ValueError" message="at once"',
    "stopped after the first backward": NO_STEP.replace("backwards_seen=30", 'backwards_seen=1 stopped="enough"'),
    "made anew each epoch": NO_STEP.replace(
        "    x: input", '    optimizer opt2 native="SGD" steps=30\n    group rate=0.1 parameters=["w"]\n    x: input', 1
    ),
}

OTHERS = {
    "no gradient at all (WG311)": NO_STEP + '    parameter w reached=true gradient="none"',
    "a scaler that skips (WG409)": NO_STEP + "    ! unscale opt",
    "a generator whose gradient is cut on purpose": GAN.replace("out = linear fake dw", "f = detach fake\n    out = linear f dw"),
    "the optimizer holds other tensors (WG402)": NO_STEP.replace('["w"]', "[]"),
    "nothing was differentiated": 'outcome exit_status=0\noptimizer opt native="SGD"\ngroup rate=0.1 parameters=["w"]',
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_gradients_without_an_update(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert diagnosis.severity == "error"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


def test_no_optimizer_and_one_backward_is_a_saliency_map() -> None:
    text = NO_STEP.replace(
        '    optimizer opt native="SGD" steps=0 @ "train.py":20\n    group rate=0.1 parameters=["w"]\n',
        '    optimizer other native="SGD"\n',
    )

    assert not said(diagnose, text)


def test_the_message() -> None:
    (diagnosis,) = said(diagnose, NO_STEP)

    assert diagnosis.message == "`opt` never steps: gradients are calculated and no parameter is updated"
    assert diagnosis.evidence[0].statement == "30 backwards in the run and 0 updates by `opt`"
    assert diagnosis.facts == {Fact("no-update", "0")}
    assert diagnosis.explains == {Fact("unmoved", "w"), Fact("stands", "0")}


def test_a_kind_of_step_that_another_optimizer_updates_may_stand_for_reasons_of_its_own() -> None:
    (diagnosis,) = said(diagnose, GAN)

    assert Fact("stands", "0") not in diagnosis.explains


EMPTIED = """
    outcome exit_status=0 steps_seen=12 backwards_seen=12
    emptied batches type="generator" turns=30 @ "train.py":37 ^ "train.py":38 & "train.py":39 ~ "train.py":16
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
"""


def test_an_iterator_that_the_first_epoch_empties():
    (diagnosis,) = said(diagnose, EMPTIED)

    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.evidence[0].value) == (37, 12)
    assert "after the first of 30 turns" in diagnosis.message


@pytest.mark.parametrize(
    "outcome",
    [
        'exit_status=1 steps_seen=12\n    raised type="KeyboardInterrupt" message=""',
        'steps_seen=12 stopped="time is over"',
        "exit_status=3 steps_seen=12",
    ],
)
def test_a_run_that_did_not_come_to_its_end_may_have_made_more_turns(outcome: str):
    assert not said(diagnose, EMPTIED.replace("exit_status=0 steps_seen=12 backwards_seen=12", outcome))


@pytest.mark.parametrize(
    ("function", "given", "step"),
    [
        ("Net.train_step", "self.trainable_variables", "self.optimizer.apply_gradients(zip(g, self.trainable_variables))"),
        ("train", "model.trainable_variables", "opt.apply_gradients(zip(g, model.trainable_variables))"),
    ],
)
def test_a_model_that_trains_itself_has_the_optimizer_that_it_was_compiled_with(function: str, given: str, step: str) -> None:
    place = f'"train.py":30 in "{function}" text="g = tape.gradient(loss, {given})"'
    (told,) = said(diagnose, 'framework tensorflow "2.21.0"\n' + NO_STEP.replace('"train.py":30', place))

    assert told.remedy is not None
    assert [edit.text for edit in told.remedy.edits] == [step]
