"""What becomes of the gradient: updates that reach the parameters, and updates that do not."""

from pathlib import Path

import jax
import numpy as np
import pytest

from frontends.jax.jax_watching import events, line_of, parameter, recorded, recorded_as
from whygrad.frontends import Recording
from whygrad.frontends.jax.transformations import Made
from whygrad.frontends.trajectories import kept as kept_moments

HEAD = """
params = {"w": jnp.ones((3, 2)) * jnp.arange(2.0), "b": jnp.zeros(2)}
x = jax.random.normal(jax.random.key(0), (8, 3))
y = x[:, :2] * 2.0

def loss_fn(p, x, y):
    return jnp.mean((x @ p["w"] + p["b"] - y) ** 2)

"""


def made(function: str, **settings: float) -> Made:
    """A transformation of optax."""
    return Made(function, settings, None)


LOOP = """
state = tx.init(params)
for _ in range(4):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    updates, state = tx.update(grads, state, params)
    params = optax.apply_updates(params, updates)
"""


def test_gradient_descent_by_hand_has_a_rate(tmp_path: Path) -> None:
    program = (
        HEAD
        + """
for _ in range(4):
    grads = jax.grad(loss_fn)(params, x, y)
    params = jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)
"""
    )
    record = recorded(tmp_path, program)
    update = events(record.steps[0], "optimizer_step")[0]

    assert record.steps[0].updated
    assert update.attributes["rate"] == pytest.approx(0.1, rel=1e-3)
    assert update.site is not None
    assert update.site.line == line_of(program, "jax.tree.map")
    assert record.optimizers[0].native == "SGD"
    assert record.optimizers[0].steps == 4


def test_another_update_by_hand_is_an_update(tmp_path: Path) -> None:
    step = recorded(tmp_path, HEAD + """
for _ in range(4):
    grads = jax.grad(loss_fn)(params, x, y)
    params = jax.tree.map(lambda p, g: p - 0.1 * jnp.sign(g), params, grads)
""").steps[0]  # fmt: skip

    assert step.updated
    assert sorted(events(step, "update")[0].targets) == ["params['b']", "params['w']"]


def test_updates_that_are_never_applied_are_none(tmp_path: Path) -> None:
    record = recorded(tmp_path, HEAD + "tx = optax.sgd(0.1)\n" + LOOP.replace("params = optax.apply_updates", "new = optax.apply_updates"))

    assert not any(step.updated for step in record.steps)
    assert record.optimizers[0].steps == 0
    assert not any(ending.changed for ending in record.endings.values())


def test_updates_of_zero_are_updates(tmp_path: Path) -> None:
    record = recorded(tmp_path, HEAD + "tx = optax.sgd(0.0)\n" + LOOP)

    assert record.optimizers[0].steps == 4
    assert record.optimizers[0].rates == (0.0, 0.0)
    assert parameter(record.steps[0], "params['w']").moved == 0.0


def test_clipping_is_told_with_its_limit(tmp_path: Path) -> None:
    record = recorded(tmp_path, HEAD + "tx = optax.chain(optax.clip_by_global_norm(1e-4), optax.sgd(0.1))\n" + LOOP)
    clip = events(record.steps[0], "clip")[0]

    assert clip.attributes["limit"] == pytest.approx(1e-4)
    assert clip.attributes["norm"] == pytest.approx(record.steps[0].measures.gradient_norm)


def test_a_schedule_is_followed(tmp_path: Path) -> None:
    record = recorded(tmp_path, HEAD + "tx = optax.sgd(optax.linear_schedule(0.1, 0.0, 2))\n" + LOOP)
    optimizer = record.optimizers[0]

    assert optimizer.rates is not None
    assert optimizer.rates == pytest.approx((0.0, 0.1))
    assert optimizer.idle_from == 2


def test_what_is_set_to_zero_is_frozen(tmp_path: Path) -> None:
    made = "tx = optax.multi_transform({'on': optax.sgd(0.1), 'off': optax.set_to_zero()}, {'w': 'off', 'b': 'on'})\n"
    step = recorded(tmp_path, HEAD + made + LOOP).steps[1]

    assert {p.name: p.trainable for p in step.parameters} == {
        "params['b']" if False else n: "'b'" in n for n in (p.name for p in step.parameters)
    }
    assert events(step, "freeze")[0].targets == ("params['w']",)


@pytest.mark.parametrize(
    "head",
    [
        "optax.MultiSteps(optax.sgd(0.1), 4).gradient_transformation()",
        "optax.sgd(optax.linear_schedule(0.0, 0.1, 40))",
    ],
)
def test_what_has_not_begun_to_move_beside_what_is_set_to_zero_is_not_frozen(tmp_path: Path, head: str) -> None:
    made = f"tx = optax.multi_transform({{'on': {head}, 'off': optax.set_to_zero()}}, {{'w': 'off', 'b': 'on'}})\n"
    steps = recorded(tmp_path, HEAD + made + LOOP).steps

    assert all(p.trainable for step in steps for p in step.parameters if "'b'" in p.name)


def test_a_state_that_is_made_anew_for_the_same_parameters_is_counted(tmp_path: Path) -> None:
    body = LOOP.replace("state = tx.init(params)\n", "").replace("    updates,", "    state = tx.init(params)\n    updates,")
    record = recorded(tmp_path, HEAD + "tx = optax.adam(0.1)\n" + body)

    assert record.optimizers[0].made >= 3


COMPILED = """
@jax.jit
def step(params, state):
    grads = jax.grad(loss_fn)(params, x, y)
    updates, new = tx.update(grads, state, params)
    return optax.apply_updates(params, updates), RETURNED

state = tx.init(params)
for _ in range(4):
    params, state = step(params, state)
"""


@pytest.mark.parametrize(
    ("loop", "restarts"),
    [
        (LOOP, 0),
        (LOOP.replace("updates, state =", "updates, _ ="), 1),
        (COMPILED.replace("RETURNED", "new"), 0),
        (COMPILED.replace("RETURNED", "new").replace("params, state = step", "params, _ = step"), 1),
        (LOOP.replace("updates, state =", "updates, _ =").replace("params = optax", "_ = optax"), 0),  # all of the step is dropped
    ],
)
def test_a_state_given_twice_is_counted(tmp_path: Path, loop: str, restarts: int) -> None:
    record = recorded(tmp_path, HEAD + "tx = optax.adam(0.01)" + loop)

    assert record.optimizers[0].restarts == restarts


def test_a_state_that_a_step_hands_out_is_dropped_where_the_step_is_called(tmp_path: Path) -> None:
    inside = COMPILED.replace(", RETURNED", "").replace("params, state = step", "params = step")
    outside = COMPILED.replace("RETURNED", "new").replace("params, state = step", "params, kept = step")
    folders = [tmp_path / name for name in ("inside", "outside")]
    for folder in folders:
        folder.mkdir()
    programs = zip(folders, (inside, outside), strict=True)
    places = [recorded(folder, HEAD + "tx = optax.adam(0.01)" + loop).optimizers[0].step_site for folder, loop in programs]

    assert [place and place.text.strip().split()[0] for place in places] == ["updates,", "params,"]


def test_an_optimizer_is_told_what_it_updates_where_its_state_is_made(tmp_path: Path) -> None:
    program = HEAD + "tx = optax.adam(0.01)" + LOOP
    site = recorded(tmp_path, program).optimizers[0].given_site

    assert site is not None
    assert site.line == line_of(program, "tx.init")


def test_an_optimizer_without_a_state_restarts_nothing(tmp_path: Path) -> None:
    record = recorded(tmp_path, HEAD + "tx = optax.sgd(0.01)" + LOOP.replace("updates, state =", "updates, _ ="))

    assert record.optimizers[0].restarts == 0


def test_a_parameter_that_the_loss_never_reads_gets_no_gradient(tmp_path: Path) -> None:
    program = HEAD.replace('"b": jnp.zeros(2)}', '"b": jnp.zeros(2), "spare": jnp.ones(2)}') + "tx = optax.adam(0.1)\n" + LOOP
    record = recorded(tmp_path, program)
    spare, read = (parameter(record.steps[0], f"params['{name}']") for name in ("spare", "b"))

    assert (spare.reached, spare.gradient) == (False, "none")
    assert (read.reached, read.gradient) == (True, "finite")
    assert read.site is not None
    assert read.site.line == line_of(program, "params = {")


def test_climbing_by_hand_is_a_negative_rate(tmp_path: Path) -> None:
    record = recorded(tmp_path, HEAD + """
for _ in range(4):
    grads = jax.grad(loss_fn)(params, x, y)
    params = jax.tree.map(lambda p, g: p + 0.001 * g, params, grads)
""")  # fmt: skip

    assert record.optimizers[0].rates == pytest.approx((-0.001, -0.001), rel=1e-2)


@pytest.mark.parametrize(
    ("chain", "rate"),
    [
        ("optax.scale_by_adam(), optax.scale(-0.1)", 0.1),
        ("optax.scale_by_adam(), optax.scale(0.1)", -0.1),
        ("optax.scale_by_adam(), optax.scale_by_schedule(optax.constant_schedule(0.1))", -0.1),
        ("optax.scale_by_adam(), optax.scale_by_schedule(optax.constant_schedule(0.1)), optax.scale(-1)", 0.1),
        ("optax.adam(0.1), optax.scale(-1)", -0.1),
    ],
)
def test_the_links_of_a_chain_make_its_rate(tmp_path: Path, chain: str, rate: float) -> None:
    record = recorded(tmp_path, HEAD + f"tx = optax.chain({chain})\n" + LOOP)

    assert record.optimizers[0].last_rate == pytest.approx(rate)


def test_entries_that_an_update_is_too_small_for_are_counted(tmp_path: Path) -> None:
    program = HEAD.replace("jnp.arange(2.0)", "jnp.arange(2.0).astype(jnp.bfloat16)").replace(
        "jnp.ones((3, 2))", "jnp.ones((3, 2), jnp.bfloat16)"
    )
    step = recorded(tmp_path, program + "tx = optax.sgd(1e-5)\n" + LOOP).steps[0]

    assert parameter(step, "params['w']").rounded == pytest.approx(0.5, abs=0.2)
    assert parameter(step, "params['b']").rounded == 0.0


def test_what_a_link_sets_to_zero_and_a_later_one_moves_is_frozen_in_vain(tmp_path: Path) -> None:
    program = (
        HEAD + 'tx = optax.chain(optax.masked(optax.set_to_zero(), {"w": True, "b": False}), optax.adamw(0.1, weight_decay=0.3))\n' + LOOP
    )
    step = recorded(tmp_path, program).steps[0]
    frozen, free = parameter(step, "params['w']"), parameter(step, "params['b']")

    assert (frozen.trainable, frozen.gradient_at_update) == (False, "zero")
    assert frozen.moved
    assert (free.trainable, free.gradient_at_update) == (True, "finite")


def test_a_state_begun_in_every_step_is_an_optimizer_made_anew_there(tmp_path: Path) -> None:
    program = (
        HEAD
        + "tx = optax.adam(0.1)\n"
        + LOOP.replace("state = tx.init(params)\n", "").replace("    updates,", "    state = tx.init(params)\n    updates,")
    )
    program = program.replace("optax.adam(0.1)", "optax.adam(optax.linear_schedule(0.0, 0.1, 10))")
    (optimizer,) = recorded(tmp_path, program).optimizers

    assert optimizer.rates == (0.0, 0.0)
    assert optimizer.made > 1
    assert optimizer.site is not None
    assert optimizer.site.line == line_of(program, "state = tx.init")


@pytest.mark.parametrize("forces", ["jax.vmap(jax.grad(energy))(x)", "jax.grad(lambda x: jnp.sum(jax.vmap(energy)(x)))(x)"])
def test_derivatives_by_data_are_no_model(tmp_path: Path, forces: str) -> None:
    program = HEAD + f"energy = lambda row: jnp.sum(jnp.tanh(row) ** 2)\ny = {forces}[:, :2]\ntx = optax.adam(0.1)\n" + LOOP
    record = recorded(tmp_path, program)
    data = [p for step in record.steps for p in step.parameters if p.name == "x"]

    assert all(not p.registered for p in data)
    assert all(p.registered for step in record.steps for p in step.parameters if p.name != "x")
    assert any(step.updated for step in record.steps)


@pytest.mark.parametrize("compiled", [False, True])
def test_calls_of_multi_steps_are_no_updates_of_their_own(tmp_path: Path, *, compiled: bool) -> None:
    program = (
        HEAD
        + f"""
tx = optax.MultiSteps(optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(optax.cosine_decay_schedule(0.01, 10))), every_k_schedule=4)
state = tx.init(params)

def step(params, state, x, y):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    updates, state = tx.update(grads, state, params)
    return optax.apply_updates(params, updates), state, loss

step = jax.jit(step) if {compiled} else step
for _ in range(40):
    params, state, loss = step(params, state, x, y)
"""
    )
    (optimizer,) = recorded(tmp_path, program).optimizers

    assert optimizer.steps == 10
    assert optimizer.idle_from is None
    assert optimizer.last_rate is not None
    assert 0 < optimizer.last_rate < 0.001


@pytest.mark.parametrize(("optimizer", "since"), [("adam", 3), ("sgd", None)])
def test_a_rate_below_the_spacing_of_the_weights_is_none_to_adam(tmp_path: Path, optimizer: str, since: int | None) -> None:
    made = f"tx = optax.{optimizer}(optax.piecewise_constant_schedule(1e-2, {{1: 1e-3, 3: 1e-4}}))\n"
    record = recorded(tmp_path, HEAD + made + LOOP.replace("range(4)", "range(12)"))

    assert record.optimizers[0].idle_from == since


def test_hyperparameters_in_the_state_make_no_optimizer_anew(tmp_path: Path) -> None:
    """`inject_hyperparams` makes the optimizer within each of its updates."""
    record = recorded(
        tmp_path, HEAD + "tx = optax.inject_hyperparams(optax.rmsprop)(learning_rate=0.01)\n" + LOOP.replace("range(4)", "range(9)")
    )

    assert record.optimizers
    assert all(optimizer.made == 1 for optimizer in record.optimizers)


TRAININGS = {
    "new parameters in each": ("params = {'w': jnp.ones((3, 2)) * jnp.arange(2.0), 'b': jnp.zeros(2)}", 1),
    "parameters that go on": ("pass", 5),
}


@pytest.mark.parametrize("within", ["{}", "jax.jit({})"])
@pytest.mark.parametrize("training", TRAININGS)
def test_an_optimizer_is_made_anew_where_it_begins_with_what_it_has_trained(tmp_path: Path, training: str, within: str) -> None:
    """Five trainings, each with an optimizer of its own, whether its state is begun by a jitted function or not."""
    begin, made = TRAININGS[training]
    loop = LOOP.replace("tx.init(params)", within.format("tx.init") + "(params)").replace(
        "params, updates)", "params, updates)\n    del updates"
    )
    body = "".join(f"    {line}\n" for line in f"{begin}\ntx = optax.adam(0.1)\n{loop}".splitlines())
    record = recorded(tmp_path, f"{HEAD}\nfor _ in range(5):\n{body}")

    assert max(optimizer.made for optimizer in record.optimizers) == made


def test_the_state_of_an_inner_loop_is_begun_for_each_task_on_purpose(tmp_path: Path) -> None:
    program = (
        HEAD
        + """
inner, tx = optax.adam(0.1), optax.sgd(0.1)

@jax.jit
def step(params, state):
    fast, begun = params, inner.init(params)
    for _ in range(2):
        updates, begun = inner.update(jax.grad(loss_fn)(fast, x, y), begun, fast)
        fast = optax.apply_updates(fast, updates)
    updates, state = tx.update(jax.grad(loss_fn)(fast, x, y), state, params)
    return optax.apply_updates(params, updates), state

state = tx.init(params)
for _ in range(6):
    params, state = step(params, state)
"""
    )

    assert all(optimizer.made == 1 for optimizer in recorded(tmp_path, program).optimizers)


TURN = """
tx = optax.adam(0.1)

def turn(carry, batch):
    params, state = carry
    loss, grads = jax.value_and_grad(loss_fn)(params, *batch)
    updates, state = tx.update(grads, state, params)
    new = optax.apply_updates(params, updates)
    return (KEPT, state), loss

"""
LOOPS = {
    "a loop in a jitted function": "jax.jit(lambda c: lax.scan(turn, c, (xs, ys)))((params, tx.init(params)))",
    "a loop that runs by itself": "lax.scan(turn, (params, tx.init(params)), (xs, ys))",
    "a counted loop": "lax.fori_loop(0, 6, lambda i, c: turn(c, (xs[i], ys[i]))[0], (params, tx.init(params)))",
    "a loop of unknown length": """jax.jit(lambda c: lax.while_loop(
    lambda c: c[0] < 6, lambda c: (c[0] + 1, turn(c[1], (xs[c[0]], ys[c[0]]))[0]), (0, c)))((params, tx.init(params)))""",
}


@pytest.mark.parametrize("kept", ["new", "params"])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_that_carries_its_parameters_trains_where_each_turn_hands_new_ones_on(tmp_path: Path, loop: str, kept: str) -> None:
    """The whole training is one call: what one turn makes of the parameters tells whether they are updated."""
    data = "xs, ys = jnp.stack([x] * 6), jnp.stack([y] * 6)\n"
    record = recorded(tmp_path, HEAD + TURN.replace("KEPT", kept) + data + LOOPS[loop])

    assert len(record.steps) == 1
    assert record.steps[0].updated == (kept == "new")
    assert record.optimizers[0].steps == int(kept == "new")
    assert not record.limits


def test_trainings_that_begin_with_the_same_parameters_keep_their_updates(tmp_path: Path) -> None:
    """Optimizers or rates that are compared: each call is a whole training."""
    program = (
        HEAD
        + TURN.replace("KEPT", "new")
        + """
xs, ys = jnp.stack([x] * 6), jnp.stack([y] * 6)
for _ in range(3):
    (new, state), losses = lax.scan(turn, (params, tx.init(params)), (xs, ys))
"""
    )

    assert all(step.updated for step in recorded(tmp_path, program).steps)


def test_derivatives_that_are_not_looked_at_are_told_of(tmp_path: Path) -> None:
    record = recorded(
        tmp_path, HEAD + "jax.jit(jax.vmap(lambda row: lax.scan(lambda p, _: (p - jax.grad(jnp.sum)(p), 0), row, None, 3)))(x)"
    )

    assert not record.steps
    assert record.outcome.backwards_seen
    assert any("was not looked at" in limit for limit in record.limits)


CHAINS = {
    "behind what normalises": ([made("scale_by_adam"), made("scale", step_size=-0.01)], 0.01, []),
    "in front of it": ([made("scale", step_size=-0.01), made("scale_by_adam")], 1.0, ["scale"]),
    "in front of a whole optimizer": ([made("scale", step_size=0.5), made("adam", learning_rate=0.1)], 0.1, ["scale"]),
    "in front of plain gradient descent": ([made("scale", step_size=0.5), made("sgd", learning_rate=0.1)], 0.05, []),
}


@pytest.mark.parametrize(("links", "rate", "lost"), CHAINS.values(), ids=CHAINS)
def test_a_scale_counts_unless_a_later_link_takes_it_out(links: list[Made], rate: float, lost: list[str]) -> None:
    chain = Made("chain", {}, None, links)

    assert chain.rate() == pytest.approx(rate)
    assert [part.function for part in chain.lost_scales()] == lost


def test_weights_of_full_precision_behind_those_that_are_differentiated_are_no_strangers(tmp_path: Path) -> None:
    program = (
        HEAD
        + """
tx = optax.adam(0.1)
state = tx.init(params)
for _ in range(4):
    half = jax.tree.map(lambda p: p.astype(jnp.bfloat16), params)
    grads = jax.tree.map(lambda g: g.astype(jnp.float32), jax.grad(loss_fn)(half, x, y))
    updates, state = tx.update(grads, state, params)
    params = optax.apply_updates(params, updates)
"""
    )
    (optimizer,) = recorded(tmp_path, program).optimizers

    assert optimizer.orphans == ()
    assert optimizer.steps == 4


SUMMING = (
    HEAD
    + """
total = jax.tree.map(jnp.zeros_like, params)
for n in range(8):
    total = jax.tree.map(jnp.add, total, jax.grad(loss_fn)(params, x, y))
    if n % 2:
        params = jax.tree.map(lambda p, s: p - 0.1 * s, params, total)
        CLEAR
"""
)


@pytest.mark.parametrize(("clear", "found"), [("pass", True), ("total = jax.tree.map(jnp.zeros_like, params)", False)])
def test_a_sum_that_an_update_by_hand_never_clears(tmp_path: Path, clear: str, found: bool) -> None:
    record = recorded(tmp_path, SUMMING.replace("CLEAR", clear))

    assert any(events(step, "accumulate") for step in record.steps) is found


EQUINOX = """
import equinox as eqx

class Net(eqx.Module):
    first: eqx.nn.Linear
    last: eqx.nn.Linear

    def __call__(self, x):
        return jax.vmap(self.last)(jnp.tanh(jax.vmap(self.first)(x)))

def loss_fn(model, x, y):
    return jnp.mean((model(x) - y) ** 2)

@eqx.filter_jit
def step(model, state, x, y):
    loss, grads = eqx.filter_value_and_grad(loss_fn)(model, x, y)
    updates, state = optimizer.update(grads, state)
    return {returned}

one, two = jax.random.split(jax.random.key(0))
model = Net(eqx.nn.Linear(3, 4, key=one), eqx.nn.Linear(4, 1, key=two))
optimizer = optax.adam(0.01)
state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))
x = jax.random.normal(one, (8, 3))
for _ in range(5):
    {kept} = step(model, state, x, x[:, :1])
"""


@pytest.mark.parametrize(
    ("returned", "kept"),
    [
        ("eqx.apply_updates(model, updates), state, loss", "model, state, loss"),
        ("loss, (eqx.apply_updates(model, updates), state)", "loss, (model, state)"),
    ],
)
def test_parameters_that_equinox_hands_on_are_kept_over_the_run(tmp_path: Path, returned: str, kept: str) -> None:
    way = tmp_path / "way"
    way.mkdir()
    program = EQUINOX.replace("{returned}", returned).replace("{kept}", kept)
    recorded_as(tmp_path, program, Recording(2, None, "off", trajectory=str(way)))
    names = {name for _, found in kept_moments(way) for name in found}

    assert names == {f"model.{layer}.{part}" for layer in ("first", "last") for part in ("weight", "bias")}


def test_gradients_that_equinox_hands_out_are_no_parameters(tmp_path: Path) -> None:
    way = tmp_path / "way"
    way.mkdir()
    program = EQUINOX.replace("{returned}", "grads, state, loss").replace("{kept}", "grads, state, loss")
    recorded_as(tmp_path, program, Recording(2, None, "off", trajectory=str(way)))

    moments = [found for _, found in kept_moments(way)]

    assert len(moments) > 1
    assert all(np.array_equal(found[name], moments[0][name]) for found in moments for name in moments[0])


IN_A_LOOP = """
def loss_fn(params, x):
    return jnp.mean((x @ params["w"] - x[:, :1]) ** 2)

{decorator}
def train(params, x):
    def turn(carry, _):
        params, seen = carry
        loss, grads = jax.value_and_grad(loss_fn)(params, x)
        return ({made}, seen + 1), loss
    (params, seen), losses = jax.lax.scan(turn, (params, 0), None, length=5)
    return {returned}

params = {"w": jnp.ones((3, 1))}
x = jax.random.normal(jax.random.key(0), (8, 3))
for _ in range(2):
    params = train(params, x)
"""
DESCENDED = "jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)"


@pytest.mark.parametrize("decorator", ["@jax.jit", ""], ids=["jitted", "not jitted"])
def test_parameters_that_a_loop_carries_are_kept_as_its_last_turn_leaves_them(tmp_path: Path, decorator: str) -> None:
    way = tmp_path / "way"
    way.mkdir()
    program = IN_A_LOOP.replace("{decorator}", decorator).replace("{made}", DESCENDED).replace("{returned}", "params")
    record = recorded_as(tmp_path, program, Recording(2, None, "off", trajectory=str(way)))
    moments = dict(kept_moments(way))
    w, x = np.ones((3, 1)), np.asarray(jax.random.normal(jax.random.key(0), (8, 3)))
    for _ in range(5):
        w = w - 0.1 * 2 * x.T @ (x @ w - x[:, :1]) / 8

    (kept,) = moments[2].values()
    np.testing.assert_allclose(kept, w, rtol=1e-4)
    assert all(ending.changed for ending in record.endings.values())


def test_parameters_that_a_loop_leaves_as_they_are_have_not_changed(tmp_path: Path) -> None:
    program = IN_A_LOOP.replace("{decorator}", "@jax.jit").replace("{made}", "params").replace("{returned}", "params")
    record = recorded_as(tmp_path, program, Recording(2, None, "off"))

    assert not any(ending.changed for ending in record.endings.values())


OUTSIDE = """
def loss_fn(params, x, y):
    return jnp.mean((x @ params["w"] - y) ** 2)

@jax.jit
def derive(params, x, y):
    return jax.value_and_grad(loss_fn)(params, x, y)

params = {"w": jnp.ones((3, 1))}
x = jax.random.normal(jax.random.key(0), (8, 3))
for _ in range(9):
    loss, grads = derive(params, x, x[:, :1])
    params = jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)
"""


def test_parameters_that_are_updated_outside_of_the_jitted_derivative_are_kept_as_it_is_given_them(tmp_path: Path) -> None:
    way = tmp_path / "way"
    way.mkdir()
    record = recorded_as(tmp_path, OUTSIDE, Recording(2, None, "off", trajectory=str(way)))
    moments = dict(kept_moments(way))
    w, x = np.ones((3, 1)), np.asarray(jax.random.normal(jax.random.key(0), (8, 3)))
    for number in range(1, 10):
        if number in moments:
            np.testing.assert_allclose(moments[number]["params['w']"], w, rtol=1e-4)
        w = w - 0.1 * 2 * x.T @ (x @ w - x[:, :1]) / 8

    assert set(moments) >= {4, 8}
    assert record.endings["params['w']"].changed


COMPLEX = """
params = {"w": jnp.ones(9, dtype=jnp.complex64)}
x = jax.random.normal(jax.random.key(0), (32, 16))
y = jnp.cumsum(x, -1) / 4
optimizer = optax.sgd(0.5)
state = optimizer.init(params)

def loss_fn(p, x, y):
    return jnp.mean((jnp.fft.irfft(jnp.fft.rfft(x) * p["w"], n=16) - y) ** 2)

@jax.jit
def step(p, state, x, y):
    gradient = jax.tree.map(jnp.conj, jax.grad(loss_fn)(p, x, y))
    updates, state = optimizer.update(gradient, state, p)
    return optax.apply_updates(p, updates), state

for _ in range(4):
    params, state = step(params, state, x, y)
"""


@pytest.mark.filterwarnings("error:Casting complex values")
def test_complex_parameters_are_measured_as_the_pairs_that_they_are(tmp_path: Path) -> None:
    record = recorded(tmp_path, COMPLEX)
    (weight,) = record.steps[0].parameters

    assert weight.norm == pytest.approx(3)
    assert weight.gradient_norm is not None
    assert weight.update_norm == pytest.approx(0.5 * weight.gradient_norm, rel=1e-3)
    assert (record.steps[0].measures.label_sensitivity or 0) > 0.1


EXCHANGED = """
params = {{"w": jnp.ones((3, 2)) * jnp.arange(2.0), "b": jnp.zeros(2)}}
x = jax.random.normal(jax.random.key(0), (8, 3))
tx = optax.adam(0.1)
state = tx.init(params)

def loss_fn(p):
    return jnp.mean((x @ p["w"] + p["b"] - x[:, :2]) ** 2)

{jit}
def step(params, state):
    grads = jax.grad(loss_fn)(params)
    {update}

for _ in range(3):
    {call}
"""
TAKEN = "params, state = tx.update(grads, state, params)\n    return params, state"
ADDED = "updates, state = tx.update(grads, state, params)\n    return optax.apply_updates(params, updates), state, updates"


@pytest.mark.parametrize("jit", ["", "@jax.jit"])
def test_an_update_that_takes_the_place_of_the_parameters(tmp_path: Path, jit: str) -> None:
    record = recorded(tmp_path, EXCHANGED.format(jit=jit, update=TAKEN, call="params, state = step(params, state)"))
    (told,) = events(record.steps[0], "exchanged")

    assert len(told.targets) == 1  # zeros become the update in any case
    assert told.site is not None
    assert "tx.update" in told.site.text


@pytest.mark.parametrize("jit", ["", "@jax.jit"])
def test_an_update_that_is_added_and_handed_out(tmp_path: Path, jit: str) -> None:
    record = recorded(tmp_path, EXCHANGED.format(jit=jit, update=ADDED, call="params, state, _ = step(params, state)"))

    assert not [event for step in record.steps for event in events(step, "exchanged")]
