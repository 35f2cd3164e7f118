"""A NaN long after the recorded steps: the step that went wrong is looked at afterwards, on the arguments that it was called with."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import line_of, recorded
from whygrad.ir import Record

PROGRAM = """
import functools

params = {{"w": jnp.full((3,), 0.5), "b": jnp.zeros(())}}
x = jnp.abs(jax.random.normal(jax.random.key(0), (16, 3))) + 0.1
y = jnp.ones(16)
optimizer = optax.sgd(0.01)
state = optimizer.init(params)

{decorator}
def step(params, state, x, y):
    def loss_fn(params):
{body}

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss

for number in range(40):
    row = x.at[5].set({spoilt})
    params, state, loss = step(params, state, row, y)
"""
FORWARD = "return jnp.mean((jnp.log(x @ params['w'] + params['b']) - y) ** 2)"
BACKWARD = "return jnp.mean((jnp.sqrt(jnp.sum((x * params['w']) ** 2, -1)) - y) ** 2) + params['b'] ** 2"
ONCE = "x[5] if number != 25 else -x[5]"
ZERO = "x[5] if number != 25 else 0 * x[5]"
GIVEN = "x[5] if number != 25 else jnp.nan * x[5]"


def record_of(folder: Path, body: str, spoilt: str, decorator: str = "@jax.jit") -> tuple[Record, str]:
    program = PROGRAM.format(body=f"        {body}", spoilt=spoilt, decorator=decorator)
    return recorded(folder, program), program


ASKED = """
def loss_fn(params, x, y):
    {body}

def step(params, state, x, y):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss
"""


def outside_of(program: str, body: str) -> str:
    """The same without a jitted function."""
    head, rest = program.split("\n@jax.jit\n")
    return head + ASKED.format(body=body) + "\nfor number" + rest.split("\nfor number")[1]


@pytest.mark.parametrize("jitted", [True, False])
@pytest.mark.parametrize(
    ("body", "spoilt", "stage", "text"),
    [(FORWARD, ONCE, "forward", "jnp.log("), (BACKWARD, ZERO, "backward", "jnp.sqrt(")],
    ids=["forward", "backward"],
)
def test_the_step_that_went_wrong_names_the_op(tmp_path: Path, body: str, spoilt: str, stage: str, text: str, *, jitted: bool) -> None:
    program = PROGRAM.format(body=f"        {body}", spoilt=spoilt, decorator="@jax.jit")
    program = program if jitted else outside_of(program, body)
    record = recorded(tmp_path, program)
    step = record.steps[-1]
    (birth,) = step.births
    op = next(op for op in step.graph.ops if birth.op in op.outputs)

    assert (step.index, birth.stage) == (25, stage)
    assert op.site is not None
    assert op.site.line == line_of(program, text)
    assert [step.index for step in record.steps[:-1]] == [0, 1]
    assert record.optimizers[0].steps == 40


def test_what_was_given_is_named_where_it_was_no_number_already(tmp_path: Path) -> None:
    record, _ = record_of(tmp_path, FORWARD, GIVEN)

    assert [(birth.stage, birth.step) for birth in record.steps[-1].births] == [("given", 25)]


def test_a_step_that_hands_its_memory_on_is_left_alone_and_said_so(tmp_path: Path) -> None:
    record, _ = record_of(tmp_path, FORWARD, ONCE, "@functools.partial(jax.jit, donate_argnums=(0, 1))")

    assert not any(step.births for step in record.steps)
    assert any("hands the memory of its arguments on" in limit for limit in record.limits)


def test_a_step_whose_loss_stays_finite_is_not_looked_at_again(tmp_path: Path) -> None:
    record, _ = record_of(tmp_path, FORWARD, "x[5]")

    assert [step.index for step in record.steps] == [0, 1]


def test_a_derivative_that_reads_the_batch_from_around_it_is_left_alone(tmp_path: Path) -> None:
    program = outside_of(PROGRAM.format(body="", spoilt=ONCE, decorator="@jax.jit"), FORWARD)
    program = program.replace("(loss_fn)(params, x, y)", "(lambda params: loss_fn(params, x, y))(params)")

    assert not any(step.births for step in recorded(tmp_path, program).steps)
