"""WG416 on sketches: fires, is silent, belongs to another rule."""

from dataclasses import replace

import pytest

from sketch import said, sketch
from whygrad.flow import Index
from whygrad.ir import Site
from whygrad.rules.update.optimizer_recreated import diagnose


def run(native: str, made: int, settings: str = "{}") -> str:
    """A run that made so many optimizers at one line."""
    return f"""
    outcome steps_seen=80 backwards_seen=80
    optimizer opt native="{native}" steps=4 made={made} @ "train.py":16
      group rate=0.1 parameters=["w"] settings={settings}
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
    """


FIRES = {
    "Adam in each epoch": run("Adam", 20),
    "momentum": run("SGD", 20, '{"momentum":0.9}'),
    "four times": run("RMSprop", 4),
}

SILENT = {
    "once": run("Adam", 1),
    "three phases": run("Adam", 3),
    "plain gradient descent has no state": run("SGD", 20, '{"momentum":0}'),
    "L-BFGS for each batch": run("LBFGS", 20),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_optimizers_made_in_the_loop(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 16
    assert diagnosis.severity == "warning"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_the_message() -> None:
    (diagnosis,) = said(diagnose, FIRES["Adam in each epoch"])

    assert diagnosis.message == "`opt` is made anew 20 times for the same parameters, and forgets its state each time"
    assert diagnosis.label == "20 of them, about 4 updates each"


def test_a_state_that_is_not_carried_over_is_one_made_anew() -> None:
    (diagnosis,) = said(diagnose, run("Adam", 1).replace("made=1", "restarts=1"))

    assert (diagnosis.severity, "same state" in diagnosis.message) == ("error", True)


def test_a_new_state_that_is_dropped_is_carried_over() -> None:
    record = sketch(run("Adam", 1).replace("made=1", "restarts=1")).record
    optimizers = tuple(replace(optimizer, step_site=Site("train.py", 26)) for optimizer in record.optimizers)
    (diagnosis,) = diagnose.check(Index(replace(record, optimizers=optimizers)))

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.line) for edit in diagnosis.remedy.edits] == [("carry", 26)]


def test_a_state_that_is_carried_over_is_fine() -> None:
    assert said(diagnose, run("Adam", 1).replace("made=1", "restarts=0")) == []


def test_a_state_begun_anew_in_each_step_is_called_so() -> None:
    text = run("Adam", 20)
    head = text.index('@ "train.py":16')
    rest = text[head + len('@ "train.py":16') :]
    (diagnosis,) = said(diagnose, text[:head] + '@ "train.py":16 text="    state = opt.init(params)"' + rest)

    assert diagnosis.message.startswith("the state of `opt` is begun anew 20 times")
    assert "opt.init(params)" in diagnosis.help
    assert diagnosis.remedy is not None
    assert [edit.action for edit in (*diagnosis.remedy.edits, *diagnosis.remedy.otherwise)] == ["move"]


def test_where_a_function_returns_what_it_makes_the_line_that_keeps_it_is_moved() -> None:
    made = '@ "steps.py":5 in "make" text="    return SGD(p)" callers=[["steps.py",9,"step","    opt = make(net)"],["train.py",20,""]]'

    (diagnosis,) = said(diagnose, run("Adam", 20).replace('@ "train.py":16', made))

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.line) for edit in (*diagnosis.remedy.edits, *diagnosis.remedy.otherwise)] == [("move", 9), ("hoist", 9)]
