"""Interventions on the replay of a recorded step, and where numbers that are not finite are born."""

from pathlib import Path

import pytest

from frontends.idle import assert_nothing_changed, idle_trials, kept_and_followed
from frontends.jax.jax_watching import line_of, ops, recorded, recorded_as
from whygrad.ir import Reseed, Step

PROGRAM = """
params = {{"enc": jax.random.normal(jax.random.key(1), (4, 5)), "head": jax.random.normal(jax.random.key(2), (5, 3))}}
x = jax.random.normal(jax.random.key(0), (9, 4))
y = jnp.arange(9) % 3

{decorator}
def loss_fn(params, x, y):
{body}

for _ in range(3):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    params = jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)
"""


def step_of(folder: Path, body: str, decorator: str = "") -> tuple[Step, str]:
    program = PROGRAM.format(body="\n".join(f"    {line}" for line in body.strip().splitlines()), decorator=decorator)
    return recorded(folder, program).steps[0], program


@pytest.mark.parametrize("decorator", ["", "@jax.jit"])
def test_the_unchanged_replay_gives_the_programs_gradient(tmp_path: Path, decorator: str) -> None:
    body = "logits = jnp.tanh(x @ params['enc']) @ params['head']\nreturn optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()"
    step, _ = step_of(tmp_path, body, decorator)

    assert step.measures.reproduced
    assert step.measures.noise_floor == 0.0


def test_labels_that_do_not_matter_change_not_one_bit(tmp_path: Path) -> None:
    step, _ = step_of(tmp_path, "logits = jnp.tanh(x @ params['enc']) @ params['head']\nreturn jnp.mean(logits) + jnp.mean(y)")

    assert step.measures.label_sensitivity == 0.0


def test_a_lifted_cut_lets_the_gradient_pass(tmp_path: Path) -> None:
    body = (
        "codes = lax.stop_gradient(jnp.tanh(x @ params['enc']))\n"
        "return optax.softmax_cross_entropy_with_integer_labels(codes @ params['head'], y).mean()"
    )
    step, program = step_of(tmp_path, body)
    cut = ops(step, "detach")[0]
    trial = next(t for t in step.trials if getattr(t.intervention, "ops", ()) == (cut.output,))

    assert cut.site is not None
    assert cut.site.line == line_of(program, "stop_gradient")
    assert trial.gradients["params['enc']"] > 0


def test_the_first_number_that_is_not_finite_is_found_forward(tmp_path: Path) -> None:
    step, program = step_of(
        tmp_path, "h = x @ params['enc']\ns = jnp.log(h - h)\nreturn jnp.mean(s) + jnp.sum(params['head']) * jnp.mean(y)"
    )
    birth = step.births[0]
    made = next(op for op in step.graph.ops if birth.op in op.outputs)

    assert birth.stage == "forward"
    assert made.kind == "log"
    assert made.site is not None
    assert made.site.line == line_of(program, "jnp.log")


def test_the_branch_not_taken_is_found_backward(tmp_path: Path) -> None:
    body = "h = jnp.abs(x @ params['enc']) * 0.0\ns = jnp.where(h > 0, jnp.sqrt(h), 0.0)\nreturn jnp.mean(s) + jnp.sum(params['head']) * jnp.mean(y)"
    step, _ = step_of(tmp_path, body)
    birth = step.births[0]
    made = next(op for op in step.graph.ops if birth.op in op.outputs)

    assert birth.stage == "backward"
    assert made.kind == "sqrt"


JITTED = """
params = {"enc": jax.random.normal(jax.random.key(1), (4, 5)), "head": jax.random.normal(jax.random.key(2), (5, 3))}
x = jax.random.normal(jax.random.key(0), (9, 4))
y = jnp.arange(9) % 3

def loss_fn(params, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(jnp.tanh(x @ params["enc"]) @ params["head"], y).mean()

tx = optax.sgd(0.1)
state = tx.init(params)

@jax.jit
def step(params, state):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    updates, state = tx.update(grads, state, params)
    return optax.apply_updates(params, updates), state, loss

for _ in range(9):
    params, state, loss = step(params, state)
"""
EAGER = JITTED.replace("@jax.jit\n", "")


@pytest.mark.parametrize("program", [JITTED, EAGER], ids=["jitted", "eager"])
def test_a_step_with_the_parameters_of_a_later_one_has_its_loss(program: str, tmp_path: Path) -> None:
    curve = kept_and_followed(tmp_path, recorded_as, program)

    assert len(curve) > 1
    assert all(followed == pytest.approx(seen, rel=1e-5) for followed, seen in curve)


@pytest.mark.parametrize("program", [JITTED, EAGER], ids=["jitted", "eager"])
def test_an_intervention_with_nothing_to_change_changes_nothing(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = idle_trials(monkeypatch, lambda: recorded(tmp_path, program), tmp_path / "empty")

    assert_nothing_changed(trials)


@pytest.mark.parametrize("key", ["jax.random.key(3)", "jax.random.PRNGKey(3)"])
def test_other_draws_of_a_strong_dropout_give_gradients_with_little_in_common(tmp_path: Path, key: str) -> None:
    body = (
        f"codes = flax.linen.Dropout(0.8, deterministic=False).apply({{}}, jnp.tanh(x @ params['enc']), rngs={{'dropout': {key}}})\n"
        "return optax.softmax_cross_entropy_with_integer_labels(codes @ params['head'], y).mean()"
    )
    step, _ = step_of(tmp_path, body, "import flax.linen\n")
    (trial,) = [t for t in step.trials if isinstance(t.intervention, Reseed)]

    assert ops(step, "dropout")[0].attributes["p"] == 0.8
    assert -1.0 <= trial.figures["cosine"] < 0.9
