"""Derivatives within `shard_map`, on several devices."""

import os

os.environ["XLA_FLAGS"] = (
    "--xla_force_host_platform_device_count=4"  # before JAX looks for devices: each file here has a process of its own
)

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from frontends.jax.jax_watching import line_of, parameter, play, recorded, watch
from whygrad.frontends import Recording
from whygrad.ir import Outcome

PROGRAM = """
from jax.sharding import PartitionSpec as P

mesh = jax.make_mesh(SHAPE, NAMES, axis_types=(jax.sharding.AxisType.Auto,) * len(NAMES))
x = np.random.default_rng(0).normal(size=(32, 5)).astype(np.float32)
y = np.arange(32) % 3

def loss_fn(p, x, y):
    hidden = jax.nn.relu(x @ p["w"])
    noise = jax.random.normal(jax.random.fold_in(jax.random.key(1), lax.axis_index("d")), hidden.shape)
    scores = (hidden + 0.01 * noise) @ p["v"]
    loss = optax.softmax_cross_entropy_with_integer_labels(CUT(scores), y).mean()
    return lax.pmean(loss, "d") if INSIDE else loss

def train(p, state, x, y):
    loss, g = jax.value_and_grad(loss_fn)(p, x, y)
    if not INSIDE:
        loss, g = lax.pmean((loss, g), "d")
    updates, state = tx.update(g, state, p)
    return optax.apply_updates(p, updates), state, loss

step = jax.jit(jax.shard_map(train, mesh=mesh, in_specs=(P(), P(), P("d"), P("d")), out_specs=(P(), P(), P()), check_vma=CHECKED))
w, v = (np.random.default_rng(1).normal(size=shape).astype(np.float32) for shape in ((5, 8), (8, 3)))
params = {"w": jnp.asarray(w), "v": jnp.asarray(v)}
tx = optax.adam(0.05)
state = tx.init(params)
for _ in range(4):
    params, state, loss = step(params, state, x, y)
"""


def written(
    *, cut: str = "(lambda item: item)", inside: bool = False, checked: bool = True, names: str = '("d",)', shape: str = "(4,)"
) -> str:
    """The program, with these settings."""
    settings = {"CUT": cut, "INSIDE": str(inside), "CHECKED": str(checked), "NAMES": names, "SHAPE": shape}
    program = PROGRAM
    for name, text in settings.items():
        program = program.replace(name, text)
    return program


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("checked", [False, True])
def test_the_data_of_all_devices_are_looked_at(tmp_path: Path, *, inside: bool, checked: bool) -> None:
    record = recorded(tmp_path, written(inside=inside, checked=checked))
    step = record.steps[0]

    assert not record.limits
    assert record.outcome.steps_seen == 4
    assert step.measures.label_sensitivity
    assert parameter(step, "p['w']").gradient_norm
    assert all(item.moved for item in step.parameters)


def test_a_cut_on_each_device_is_found_in_its_line(tmp_path: Path) -> None:
    program = written(cut="lax.stop_gradient")
    step = recorded(tmp_path, program).steps[0]
    lines = {op.site.line for op in step.graph.ops if "stop_gradient" in op.native and op.site is not None}

    assert line_of(program, "lax.stop_gradient(scores)") in lines
    assert not any(item.gradient_norm for item in step.parameters)


def test_the_gradient_is_the_programs_own(tmp_path: Path) -> None:
    folder = tmp_path
    scope = play(folder, written().replace("for _ in range(4)", "for _ in range(0)"))
    halves = [scope["x"][at : at + 8] for at in range(0, 32, 8)], [scope["y"][at : at + 8] for at in range(0, 32, 8)]
    step = recorded(folder, written()).steps[0]

    def whole(p: dict[str, jax.Array]) -> jax.Array:
        return jnp.mean(jax.vmap(scope["loss_fn"], (None, 0, 0), axis_name="d")(p, np.stack(halves[0]), np.stack(halves[1])))

    found = {f"p['{name}']": float(np.linalg.norm(item)) for name, item in jax.grad(whole)(scope["params"]).items()}
    assert {item.name: pytest.approx(item.gradient_norm, rel=1e-4) for item in step.parameters} == found


@pytest.mark.parametrize("inside", [False, True])
def test_the_same_bits(tmp_path: Path, *, inside: bool) -> None:
    plain = play(tmp_path, written(inside=inside))["params"]
    observing, recorder = watch(Recording())
    seen = play(tmp_path, written(inside=inside))["params"]
    record = observing.finish(Outcome(0))
    recorder.stop()

    assert record.steps
    assert not record.faults
    assert all(np.array_equal(plain[name], seen[name]) for name in plain)


AROUND = """
from jax.sharding import PartitionSpec as P

mesh = jax.make_mesh((4,), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
x = np.random.default_rng(0).normal(size=(32, 5)).astype(np.float32)
y = np.tanh(x.sum(1))
p = {"w": jnp.asarray(np.random.default_rng(1).normal(size=(5, 8)).astype(np.float32)), "v": jnp.ones(8) / 8}

def each(p, x, y):
    found = (jnp.tanh(x @ p["w"]) @ p["v"] - y) ** 2
    return OUT

mapped = jax.shard_map(each, mesh=mesh, in_specs=(P(), P("d"), P("d")), out_specs=SPEC, check_vma=CHECKED)

def loss_fn(p, x, y):
    return jnp.mean(mapped(p, x, y))

def plain(p, x, y):
    return jnp.mean((jnp.tanh(x @ p["w"]) @ p["v"] - y) ** 2)

DECORATOR
def step(p, x, y):
    loss, g = jax.value_and_grad(loss_fn)(p, x, y)
    return jax.tree.map(lambda a, b: a - 0.1 * b, p, g), loss

first = p
for _ in range(3):
    p, loss = step(p, x, y)
"""


@pytest.mark.parametrize(
    ("out", "spec", "checked", "decorator"),
    [
        ('lax.pmean(found.mean(), "d")', "P()", "True", "@jax.jit"),
        ('lax.pmean(found.mean(), "d")', "P()", "True", ""),
        ("found", 'P("d")', "True", "@jax.jit"),
        ("found", 'P("d")', "False", "@jax.jit"),
    ],
)
def test_the_derivative_of_a_function_that_maps_over_devices_is_looked_at(
    tmp_path: Path, out: str, spec: str, checked: str, decorator: str
) -> None:
    program = AROUND.replace("OUT", out).replace("SPEC", spec).replace("CHECKED", checked).replace("DECORATOR", decorator)
    scope = play(tmp_path, program)
    kept = {name: np.asarray(item) for name, item in scope["p"].items()}
    whole = jax.grad(scope["plain"])(scope["first"], scope["x"], scope["y"])
    record = recorded(tmp_path, f"{program}\nnp.savez({str(tmp_path / 'kept.npz')!r}, **p)\n")
    step = record.steps[0]

    assert not record.limits
    assert {item.name: item.gradient_norm for item in step.parameters} == {
        f"p['{name}']": pytest.approx(float(jnp.linalg.norm(item)), rel=1e-4) for name, item in whole.items()
    }
    assert step.measures.label_sensitivity
    assert {op.site.line for op in step.graph.ops if op.kind == "tanh" and op.site} == {line_of(program, "found = ")}
    assert all(np.array_equal(kept[name], item) for name, item in np.load(tmp_path / "kept.npz").items())


def test_several_axes_are_left_alone_and_said_so(tmp_path: Path) -> None:
    record = recorded(tmp_path, written(names='("d", "m")', shape="(2, 2)"))

    assert not record.steps
    assert any("was not looked at" in limit for limit in record.limits)


def test_a_forward_derivative_is_a_derivative_that_was_not_looked_at(tmp_path: Path) -> None:
    program = """
w = jnp.ones(3)
for _ in range(3):
    loss, slope = jax.jvp(lambda p: jnp.sum((p - 2) ** 2), (w,), (jnp.ones(3),))
    w = w - 0.1 * slope
"""
    record = recorded(tmp_path, program)

    assert not record.steps
    assert record.outcome.backwards_seen == 3


def test_data_of_an_explicitly_sharded_batch_are_put_into_another_order(tmp_path: Path) -> None:
    program = """
from jax.sharding import AxisType, NamedSharding, PartitionSpec as P

mesh = jax.make_mesh((4,), ("batch",), axis_types=(AxisType.Explicit,))
rows = NamedSharding(mesh, P("batch"))
x = np.random.default_rng(0).normal(size=(32, 5)).astype(np.float32)
y = np.eye(3, dtype=np.float32)[np.arange(32) % 3]
params = jax.device_put({"w": jnp.full((5, 3), 0.1)}, NamedSharding(mesh, P()))

def loss_fn(p, x, y):
    return -jnp.mean(jnp.sum(jax.nn.log_softmax(x @ p["w"]) * y, axis=1))

@jax.jit
def step(p, x, y):
    grads = jax.grad(loss_fn)(p, x, y)
    return jax.tree.map(lambda w, g: w - 0.1 * g, p, grads)

for _ in range(4):
    with jax.set_mesh(mesh):
        params = step(params, jax.device_put(x, rows), jax.device_put(y, rows))
"""
    record = recorded(tmp_path, program)

    assert not record.faults
    assert record.steps[0].measures.label_sensitivity
