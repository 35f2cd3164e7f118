"""Switches of nnx modules between training and evaluation mode, and the steps that run in the wrong one."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import events, line_of, recorded

PROGRAM = """
from flax import nnx

x = jax.random.normal(jax.random.key(0), (16, 4))
y = (x[:, 0] > 0).astype(int)
rngs = nnx.Rngs(0)
model = nnx.Sequential(nnx.Linear(4, 8, rngs=rngs), nnx.BatchNorm(8, rngs=rngs), nnx.Dropout(0.2, rngs=rngs), nnx.Linear(8, 2, rngs=rngs))
optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)

@nnx.jit
def step(model, optimizer, x, y):
    loss, grads = nnx.value_and_grad(lambda model: optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean())(model)
    optimizer.update(model, grads)
    return loss

{first}
for epoch in range(3):
    {again}
    for _ in range(4):
        step(model, optimizer, x, y)
    {after}
    scores = model(x)
"""


def test_a_step_that_goes_on_in_evaluation_mode_is_recorded_with_the_switch(tmp_path: Path) -> None:
    program = PROGRAM.format(first="", again="", after="model.eval()")
    *_, first, late = recorded(tmp_path, program).steps

    assert (first.index, late.index, late.kind) == (1, 4, first.kind)
    assert set(first.modes.values()) == {True}
    assert late.modes == dict.fromkeys(first.modes, False)
    (switch,) = events(late, "eval")
    assert switch.site is not None
    assert switch.site.line == line_of(program, "model.eval()")


@pytest.mark.parametrize(("again", "after"), [("model.train()", "model.eval()"), ("", "")], ids=["switched back", "never switched"])
def test_steps_in_training_mode_are_not_recorded_again(tmp_path: Path, again: str, after: str) -> None:
    assert [step.index for step in recorded(tmp_path, PROGRAM.format(first="", again=again, after=after)).steps] == [0, 1]


def test_a_switch_before_training_stands_in_the_first_step(tmp_path: Path) -> None:
    step = recorded(tmp_path, PROGRAM.format(first="model.eval()", again="", after="")).steps[0]

    assert [event.attributes["class"] for event in events(step, "eval")] == ["Sequential"]
    assert set(step.modes.values()) == {False}
