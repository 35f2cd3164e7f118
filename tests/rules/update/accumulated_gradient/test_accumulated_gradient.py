"""WG403 on sketches: fires, is silent, belongs to another rule."""

from dataclasses import replace

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.ir import Site
from whygrad.rules.update.accumulated_gradient import diagnose, stepped_as

FORWARD = """
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    loss = mean out
"""


def run(*steps: str, before: str = "", optimizers: str = "") -> str:
    """A record of steps with these events."""
    parts = (f"step {number}\n{FORWARD}\n{events}" for number, events in enumerate(steps))
    return optimizers + before + "\n".join(parts)


BACKWARD = '! backward loss with={"stale":0} @ "train.py":30\n'
STALE = '! backward loss with={"stale":1} @ "train.py":30\n'
UPDATE = '! optimizer_step opt @ "train.py":31\n'
CLEAR = '! clear w @ "train.py":29\n'
TWO = """
optimizer d native="Adam" steps=2 rates=[0.1,0.1]
group rate=0.1 parameters=["dw"]
optimizer g native="Adam" steps=2 rates=[0.1,0.1]
group rate=0.1 parameters=["w"]
"""
D_STEP = '! optimizer_step d @ "train.py":21\n'
G_STEP = '! optimizer_step g @ "train.py":31\n'
D_CLEAR, G_CLEAR = "! clear dw\n", "! clear w\n"

FIRES = {
    "never cleared": (run(BACKWARD + UPDATE, STALE + UPDATE), 30),
    "cleared only before the first": (run(CLEAR + BACKWARD + UPDATE, STALE + UPDATE), 30),
    "added up by the program itself": (run(BACKWARD + UPDATE, STALE + '! accumulate w @ "train.py":33\n' + UPDATE), 33),
    "three steps": (run(BACKWARD + UPDATE, STALE + UPDATE, STALE + UPDATE), 30),
    "accumulation that never clears": (run(BACKWARD + BACKWARD + UPDATE, STALE + STALE + UPDATE), 30),
    "updates by hand": (
        run(BACKWARD + '! update w @ "train.py":31\n', STALE + '! update w @ "train.py":31\n').replace(
            "step 0", 'optimizer none native="SGD"\nstep 0', 1
        ),
        30,
    ),
    "a later step, recorded alone": (run(STALE + UPDATE).replace("step 0", "step 40"), 30),
    "some parameters are left out of the clearing": (run(CLEAR + BACKWARD + UPDATE, CLEAR + STALE + UPDATE), 30),
    "one of two optimizers is never cleared": (
        run(D_CLEAR + BACKWARD + D_STEP, BACKWARD + G_STEP, D_CLEAR + BACKWARD + D_STEP, STALE + G_STEP, optimizers=TWO),
        30,
    ),
}

SILENT = {
    "cleared before every backward": run(CLEAR + BACKWARD + UPDATE, CLEAR + BACKWARD + UPDATE),
    "cleared after every update": run(BACKWARD + UPDATE + CLEAR, BACKWARD + UPDATE + CLEAR),
    "accumulation over four backwards": run(BACKWARD * 4 + UPDATE + CLEAR, BACKWARD * 4 + UPDATE + CLEAR),
    "the generator's backward fills the discriminator, which is cleared before its own": run(
        D_CLEAR + BACKWARD + D_STEP, G_CLEAR + STALE + G_STEP, D_CLEAR + BACKWARD + D_STEP, G_CLEAR + STALE + G_STEP, optimizers=TWO
    ),
    "both are cleared at the start of a round": run(
        D_CLEAR + G_CLEAR + BACKWARD + D_STEP, STALE + G_STEP, D_CLEAR + G_CLEAR + BACKWARD + D_STEP, STALE + G_STEP, optimizers=TWO
    ),
    "a closure that clears and evaluates many times": run((CLEAR + BACKWARD) * 3 + UPDATE, (CLEAR + BACKWARD) * 3 + UPDATE),
    "the first step alone": run(BACKWARD + UPDATE),
    "nothing is said of what was there": run("! backward loss\n" + UPDATE, "! backward loss\n" + UPDATE),
}

OTHERS = {
    "cleared between backward and step (WG404)": run(BACKWARD + CLEAR + UPDATE, STALE + CLEAR + UPDATE),
    "no update at all (WG405)": run(BACKWARD, STALE),
    "several optimizers and a gap between the records": run(D_CLEAR + BACKWARD + D_STEP, STALE + G_STEP, optimizers=TWO).replace(
        "step 1", "step 50"
    ),
    "a moving average beside the optimizer": run(CLEAR + BACKWARD + UPDATE + "! update w\n", CLEAR + BACKWARD + UPDATE + "! update w\n"),
    "a count that is no number": run(BACKWARD + UPDATE, BACKWARD.replace("0}", '"nan"}') + UPDATE),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_gradients_that_are_used_twice(text: str, line: int) -> None:
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


def test_the_help_is_a_line_to_paste() -> None:
    (diagnosis,) = said(diagnose, FIRES["never cleared"][0])

    assert diagnosis.message == "gradients are never cleared: `opt` uses those of all steps before as well"
    assert diagnosis.help == "add `opt.zero_grad()` before this backward"
    assert diagnosis.facts == {Fact("stale-gradient", "opt")}
    assert diagnosis.evidence[0].statement == "1 parameter still held the gradient of the last update when this backward began"


STEPS = [("        self.optimizer.step()", "self.optimizer"), ("opt.step( )", "opt"), ("scaler.step(opt)", ""), ("x = opt.step()", "")]


@pytest.mark.parametrize(("text", "called"), STEPS)
def test_the_optimizer_goes_by_the_name_of_its_step(text: str, called: str) -> None:
    backward, step = Site("a.py", 3, function="Trainer.fit"), Site("a.py", 4, function="Trainer.fit", text=text)

    assert stepped_as(backward, step) == called
    assert stepped_as(replace(backward, function="loss"), step) == ""


USED = '! optimizer_step opt @ "train.py":35 text="        updates, state = tx.update(total, state)"\n'


def summed(line: str, used: str = USED) -> str:
    """Two steps of JAX whose gradients the program itself adds up, on this line."""
    return run(BACKWARD + used, STALE + f'! accumulate w @ "train.py":33 text="    {line}"\n' + used, before='framework jax "0.10.2"\n')


@pytest.mark.parametrize("line", ["total = jax.tree.map(jnp.add, total, grads)", "total += grads"])
def test_a_sum_in_arrays_begins_anew_behind_the_update(line: str) -> None:
    (found,) = said(diagnose, summed(line))

    assert found.remedy is not None
    assert [(edit.text, edit.site.line, edit.after) for edit in found.remedy.edits] == [
        ("total = jax.tree.map(jax.numpy.zeros_like, total)", 35, True)
    ]


BY_HAND = """
    framework jax "0.10.2"
    x: input f32[8,4]
    w: parameter f32[2,4]
    z = linear x w @ "train.py":31
    loss = mean z @ "train.py":32
    ! backward loss @ "train.py":33
    ! update w
    step 1
    z = linear x w @ "train.py":31
    loss = mean z @ "train.py":32
    ! backward loss with={"stale":1} @ "train.py":33
    ! accumulate w @ "train.py":36 in "<lambda>" text="    LINE"
    ! update w
"""


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("params = jax.tree.map(lambda p, s: p - 0.1 * s / 4, params, total)", "total"),
        ("params = jax.tree_util.tree_map(lambda p, s: p - s, params, sums)  # by hand", "sums"),
        ("total = jax.tree.map(lambda t, g: t + g, total, grads)", ""),
        ("params = jax.tree.map(lambda p, s: p - s, params, mean(total))", ""),
    ],
)
def test_a_sum_begins_anew_behind_an_update_by_hand_that_names_it(line: str, name: str) -> None:
    (found,) = said(diagnose, BY_HAND.replace("LINE", line))

    texts = [edit.text for edit in (found.remedy.edits if found.remedy else ())]
    assert texts == ([f"{name} = jax.tree.map(jax.numpy.zeros_like, {name})"] if name else [])


@pytest.mark.parametrize(
    "text",
    [
        summed("total = jax.tree.map(jnp.add, total, grads)", USED.replace("total", "means")),
        summed("total = add(grads)"),
        summed("total += grads", USED.replace('"train.py":35', '"train.py":35 in "apply"')),
        summed("total += grads").replace('framework jax "0.10.2"', 'framework torch "2.13.0"'),
    ],
    ids=["the update is given something else", "no sum", "another function", "another framework"],
)
def test_no_sum_is_begun_where_it_has_no_such_name(text: str) -> None:
    (found,) = said(diagnose, text)

    assert not [edit for edit in (found.remedy.edits if found.remedy else ()) if "zeros_like" in edit.text]
