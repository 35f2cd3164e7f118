"""What a recorded step of a JAX program holds, for programs that are compiled and programs that are not."""

from pathlib import Path

import jax.numpy as jnp
import pytest

from frontends.jax.jax_watching import events, line_of, ops, parameter, play, recorded, recorded_as
from whygrad.frontends import Recording
from whygrad.ir import Record

MODEL = """
def forward(params, x):
    h = jax.nn.relu(x @ params["w1"] + params["b1"])
    return h @ params["w2"]

def loss_fn(params, x, y):
    logits = forward(params, x)
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

keys = jax.random.split(jax.random.key(0), 3)
params = {"w1": jax.random.normal(keys[0], (4, 8)), "b1": jnp.zeros(8), "w2": jax.random.normal(keys[1], (8, 3))}
x = jax.random.normal(keys[2], (12, 4))
y = jnp.arange(12) % 3
tx = optax.adam(1e-2)
state = tx.init(params)
"""
EAGER = (
    MODEL
    + """
for _ in range(5):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    updates, state = tx.update(grads, state)
    params = optax.apply_updates(params, updates)
"""
)
JITTED = (
    MODEL
    + """
@jax.jit
def step(params, state, x, y):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    updates, state = tx.update(grads, state)
    return optax.apply_updates(params, updates), state, loss

for _ in range(5):
    params, state, loss = step(params, state, x, y)
"""
)
NAMES = ["params['b1']", "params['w1']", "params['w2']"]


@pytest.fixture(scope="module", params=["eager", "jitted"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, str]:
    """The same program, compiled and not, with its text."""
    program = {"eager": EAGER, "jitted": JITTED}[request.param]
    return recorded(tmp_path_factory.mktemp("program"), program), program


def test_the_graph_has_one_op_for_each_call_of_the_program(both: tuple[Record, str]) -> None:
    kinds = [op.kind for op in both[0].steps[0].graph.ops if op.site and op.site.function in ("forward", "loss_fn")]

    assert kinds == ["matmul", "add", "relu", "matmul", "cross_entropy", "mean"]


def test_ops_stand_at_the_users_line_and_columns(both: tuple[Record, str]) -> None:
    record, program = both
    op = ops(record.steps[0], "relu")[0]

    assert op.site is not None
    assert op.site.line == line_of(program, "jax.nn.relu")
    assert op.site.text[op.site.column - 1 : op.site.end_column - 1] == 'jax.nn.relu(x @ params["w1"] + params["b1"])'
    assert op.site.function == "forward"


def test_parameters_have_the_names_of_their_paths(both: tuple[Record, str]) -> None:
    step = both[0].steps[0]

    assert sorted(p.name for p in step.parameters) == NAMES
    assert all(p.reached and p.gradient == "finite" and p.optimizer == "tx" for p in step.parameters)
    assert all(p.update_norm and p.moved == 1.0 for p in step.parameters if p.name != "params['b1']")
    assert all(p.along is not None and p.along < -0.5 for p in step.parameters)


def test_the_labels_are_the_target_of_the_loss(both: tuple[Record, str]) -> None:
    step = both[0].steps[0]

    assert step.labels.how == "target"
    assert [step.graph.values[name].called for name in step.labels.values] == ["y"]
    assert step.measures.label_sensitivity is not None
    assert step.measures.label_sensitivity > 0.1


def test_backward_and_update_are_events_at_their_lines(both: tuple[Record, str]) -> None:
    record, program = both
    step = record.steps[1]
    backward, update = events(step, "backward")[0], events(step, "optimizer_step")[0]

    assert backward.site is not None
    assert backward.site.line == line_of(program, "jax.value_and_grad(")
    assert update.site is not None
    assert update.site.line == line_of(program, "tx.update(")
    assert update.attributes["rate"] == pytest.approx(0.01)
    assert step.updated


def test_the_whole_run_is_counted(both: tuple[Record, str]) -> None:
    record = both[0]

    assert [step.index for step in record.steps] == [0, 1]
    assert (record.outcome.steps_seen, record.outcome.backwards_seen) == (5, 5)
    assert [(o.name, o.native, o.steps) for o in record.optimizers] == [("tx", "Adam", 5)]
    assert {name: ending.changed for name, ending in record.endings.items()} == dict.fromkeys(NAMES, True)
    assert record.courses[0].steps == 5


def test_a_gradient_in_a_scan_is_seen_in_its_first_turn(tmp_path: Path) -> None:
    program = (
        MODEL
        + """
@jax.jit
def train(params, state):
    def turn(carry, batch):
        params, state = carry
        loss, grads = jax.value_and_grad(loss_fn)(params, batch[0], y[:4])
        updates, state = tx.update(grads, state)
        return (optax.apply_updates(params, updates), state), loss
    return lax.scan(turn, (params, state), (x.reshape(3, 4, 4),))

for _ in range(2):
    (params, state), losses = train(params, state)
"""
    )
    step = recorded(tmp_path, program).steps[0]

    assert sorted(p.name for p in step.parameters) == NAMES
    assert all(p.gradient == "finite" for p in step.parameters)
    assert step.graph.values[ops(step, "cross_entropy")[0].inputs[0]].shape == (4, 3)


def test_functions_of_the_users_that_are_jitted_are_looked_into(tmp_path: Path) -> None:
    step = recorded(tmp_path, EAGER.replace("def forward", "@jax.jit\ndef forward")).steps[0]
    inside = [op.kind for op in step.graph.ops if op.site and op.site.function == "forward"]

    assert inside[-1] in ("matmul", "linear")
    assert parameter(step, "params['w2']").reached


def test_activations_within_a_scan_are_known(tmp_path: Path) -> None:
    """All that a loop tells of them is that they have a derivative of their own; a function of the user's of that name is another one."""
    program = """
@jax.custom_jvp
def softplus(x):
    return x * 2

softplus.defjvps(lambda t, ans, x: 2 * t)
xs = jax.random.normal(jax.random.key(0), (3, 8, 3))

def loss_fn(w):
    def cell(h, x):
        h = jax.nn.relu(x @ w + h)
        return softplus(jax.nn.silu(h)), None

    return jnp.mean(jax.lax.scan(cell, jnp.zeros((8, 3)), xs)[0] ** 2)

w = jnp.ones((3, 3)) * 0.1
step = jax.jit(lambda w: w - 0.1 * jax.grad(loss_fn)(w))
for _ in range(3):
    w = step(w)
"""
    step = recorded(tmp_path, program).steps[0]
    found = [op.native for op in step.graph.ops if op.kind in ("relu", "silu", "softplus", "custom")]

    assert found == ["jax.nn.relu", "jax.nn.silu", "jax.numpy.custom_jvp_call"] * 3
    assert len([op for op in step.graph.ops if op.kind == "index"]) == 3, "a turn takes its row"


def test_a_loop_that_is_not_looked_into_tells_what_it_walks_along(tmp_path: Path) -> None:
    program = """
xs, gain = jax.random.normal(jax.random.key(0), (300, 8, 3)), jnp.ones((300,))

def loss_fn(w):
    def cell(h, x):
        h = jnp.tanh(x[0] @ w + h) * x[1]
        return h, h

    return jnp.mean(jax.lax.scan(cell, jnp.zeros((8, 3)), (xs, gain))[1] ** 2)

step = jax.jit(lambda w: w - 0.1 * jax.grad(loss_fn)(w))
w = step(jnp.ones((3, 3)) * 0.1)
"""
    step = recorded(tmp_path, program).steps[0]
    (loop,) = ops(step, "opaque")

    walked = loop.attributes["sequence"]
    assert (loop.attributes["sequence_axis"], isinstance(walked, int)) == (0, True)
    assert step.graph.values[loop.inputs[int(str(walked))]].shape == (300, 8, 3)


def test_a_call_that_raises_is_the_last_op(tmp_path: Path) -> None:
    program = EAGER.replace("y = jnp.arange(12) % 3", "y = jax.nn.one_hot(jnp.arange(12) % 3, 3)")
    record: list[Record] = []
    with pytest.raises(TypeError):
        record.append(_raising(tmp_path, program, record))
    step = record[0].steps[0]

    assert step.graph.ops[-1].failed
    assert step.graph.ops[-1].kind == "cross_entropy"


@pytest.mark.parametrize("joined", ["scores - y", "y - scores", "jnp.subtract(scores, y)", "np.ones((7, 3)) @ scores"])
def test_what_a_subtraction_refuses_is_known_by_how_it_was_made(tmp_path: Path, joined: str) -> None:
    program = f"""
params = {{"w": jnp.ones((5, 2))}}
x, y = jnp.ones((12, 5)), jnp.ones(12)

def loss_fn(params):
    scores = x @ params["w"]
    return jnp.mean(({joined}) ** 2)

jax.value_and_grad(loss_fn)(params)
"""
    record: list[Record] = []
    with pytest.raises((TypeError, ValueError)):
        _raising(tmp_path, program, record)
    failed = record[0].steps[0].graph.ops[-1]

    assert failed.failed
    assert any(name in op.outputs for op in record[0].steps[0].graph.ops for name in failed.inputs)


def test_a_compiled_step_that_raises_may_be_given_a_typed_key(tmp_path: Path) -> None:
    program = """
@jax.jit
def step(w, x, key):
    return jax.grad(lambda w: jnp.sum(x @ w * jax.random.normal(key, (4, 1))))(w)


step(jnp.ones((3, 1)), jnp.ones((4, 2)), jax.random.key(0))
"""
    record: list[Record] = []
    with pytest.raises(TypeError):
        record.append(_raising(tmp_path, program, record))

    assert record[0].faults == ()
    assert record[0].steps[0].graph.ops[-1].failed


def _raising(folder: Path, program: str, kept: list[Record]) -> Record:
    from frontends.jax.jax_watching import play, watch
    from whygrad.ir import Outcome, Raised

    observing, recorder = watch(Recording())
    try:
        play(folder, program)
    except (TypeError, ValueError) as problem:
        kept.append(observing.finish(Outcome(1, Raised(type(problem).__name__, str(problem)))))
        recorder.stop()
        raise
    raise AssertionError


def test_a_squared_difference_is_a_loss(tmp_path: Path) -> None:
    program = """
w, x, y = jnp.ones((3, 1)), jnp.arange(12.0).reshape(4, 3), jnp.arange(4.0)[:, None]
for _ in range(2):
    g = jax.grad(lambda p: jnp.mean((y - x @ p) ** 2))(w)
    w = w - 0.01 * g
"""
    step = recorded(tmp_path, program).steps[0]
    loss = ops(step, "mse_loss")[0]

    assert [step.graph.values[name].shape for name in loss.inputs] == [(4, 1), (4, 1)]
    assert step.graph.values[loss.inputs[1]].called == "y"
    assert step.labels.values == (loss.inputs[1],)


def test_parameters_are_called_as_the_caller_calls_them(tmp_path: Path) -> None:
    program = """
import dataclasses

@dataclasses.dataclass
class State:
    weights: dict

state = State({"w": jnp.ones(3)})
for _ in range(2):
    g = jax.grad(lambda p: jnp.sum(p["w"] ** 2))(state.weights)
    state = State(jax.tree.map(lambda p, d: p - 0.1 * d, state.weights, g))
"""
    assert [p.name for p in recorded(tmp_path, program).steps[0].parameters] == ["state.weights['w']"]


def test_a_closure_over_the_parameters_is_no_argument(tmp_path: Path) -> None:
    program = EAGER.replace("logits = forward(params, x)", "logits = forward(outer, x)").replace("tx =", "outer = params\ntx =")
    step = recorded(tmp_path, program).steps[0]

    assert not any(p.reached for p in step.parameters)
    assert {p.gradient for p in step.parameters} == {"zero"}


def test_rows_that_are_shuffled_before_the_step_are_seen(tmp_path: Path) -> None:
    program = JITTED.replace("for _ in range(5):", "x = jax.random.permutation(keys[0], x)\nfor _ in range(5):")
    step = recorded(tmp_path, program).steps[0]
    picked = next(op for op in step.graph.ops if op.native == "jax.random.permutation" and op.kind == "index")

    assert picked.site is not None
    assert picked.site.line == line_of(program, "random.permutation")
    assert step.graph.values[picked.inputs[1]].shape == (12,)


def test_a_backward_of_the_users_own_is_named_with_its_line(tmp_path: Path) -> None:
    program = """
@jax.custom_vjp
def grid(x):
    return jnp.round(x * 4) / 4

def forward(x):
    return grid(x), None

def backward(_, g):
    return (jnp.zeros_like(g),)

grid.defvjp(forward, backward)
w = jnp.ones(3) * 0.3
for _ in range(2):
    w = w - 0.1 * jax.grad(lambda p: jnp.sum(grid(p) ** 3))(w)
"""
    op = ops(recorded(tmp_path, program).steps[0], "custom")[0]
    place = op.attributes["backward"]

    assert op.native == "grid"
    assert isinstance(place, tuple)
    assert place[1:3] == (line_of(program, "jnp.zeros_like"), "backward")


@pytest.mark.parametrize("decorator", ["", "@jax.jit"])
def test_a_derivative_under_vmap_is_that_of_all_rows(tmp_path: Path, decorator: str) -> None:
    program = f"""
w, x, y = jnp.ones((3, 5)), jnp.arange(12.0).reshape(4, 3), jnp.arange(4)

{decorator}
def step(w, x, y):
    def loss_fn(p, row, label):
        return optax.softmax_cross_entropy_with_integer_labels(jnp.tanh(row @ p), label)
    losses, g = jax.vmap(jax.value_and_grad(loss_fn), (None, 0, 0))(w, x, y)
    return w - 0.01 * g.mean(0), losses.mean()

for _ in range(3):
    w, loss = step(w, x, y)
"""
    record = recorded(tmp_path, program)
    step = record.steps[0]
    loss = ops(step, "cross_entropy")[0]
    parameter = step.parameters[0]

    assert not record.limits
    assert [step.graph.values[name].shape for name in loss.inputs[:2]] == [(4, 5), (4,)]
    assert loss.site is not None
    assert loss.site.line == line_of(program, "optax.softmax")
    assert step.measures.label_sensitivity
    assert parameter.gradient_norm
    assert parameter.moved


EXAMPLES = """
x, y = jnp.sin(jnp.arange(24.0)).reshape(2, 4, 3), jnp.arange(8.0).reshape(2, 4)
members = jnp.linspace(0.1, 0.6, 6).reshape(2, 3)
tx = optax.sgd(0.01)
state = tx.init(members)
one = jax.grad(lambda p, row, label: (jnp.tanh(row @ p) - label) ** 2)
"""


@pytest.mark.parametrize(
    ("decorator", "moving", "axis", "mean", "total"),
    [
        ("@jax.jit", "members", "0", "(1,)", ["mean", "sum"]),
        ("@jax.jit", "members[0]", "None", "(0, 1)", ["mean", "mean"]),
        ("", "members[0]", "None", "(0, 1)", ["mean", "mean"]),
    ],
)
def test_a_derivative_under_two_vmaps_is_that_of_all_rows(
    tmp_path: Path, decorator: str, moving: str, axis: str, mean: str, total: list[str]
) -> None:
    """Examples within members of an ensemble: the mean over the examples, and a gradient of its own for each member; or batches of examples."""
    body = f"""
def gradients(p):
    return jax.vmap(jax.vmap(one, (None, 0, 0)), ({axis}, 0, 0))(p, x, y).mean({mean})

{decorator}
def step(p, state):
    updates, state = tx.update(gradients(p), state, p)
    return optax.apply_updates(p, updates), state

p = {moving}
first = gradients(p)
for _ in range(3):
    p, state = step(p, state)
"""
    plain = play(tmp_path, EXAMPLES + body)
    record = recorded(tmp_path, (EXAMPLES + body).replace("first = gradients(p)\n", ""))
    step = record.steps[0]

    assert not record.limits
    assert step.parameters[0].gradient_norm == pytest.approx(float(jnp.linalg.norm(plain["first"])), rel=1e-5)
    assert [op.kind for op in step.graph.ops[-2:]] == total
    assert step.measures.label_sensitivity
    assert step.updated


THROUGH_NUMPY = """
x, y = np.random.default_rng(0).normal(size=(2, 40, 3)).astype("f")
y = y[:, 0]
p = {"project": jnp.eye(3)[:, :2] + 0.1, "w": jnp.ones(2)}
tx = optax.sgd(0.1)
state = tx.init(p)

def scaled(codes):
    return (codes - codes.mean(0)) / codes.std(0)

def project(p, x):
    return jnp.tanh(x @ p["project"])

for _ in range(3):
    codes = np.asarray(project(p, x))
    loss, g = jax.value_and_grad(lambda p, f: jnp.mean((f @ p["w"] - y) ** 2))(p, FEATURES)
    updates, state = tx.update(g, state)
    p = optax.apply_updates(p, updates)
"""


@pytest.mark.parametrize(
    ("features", "back"),
    [("jnp.asarray(scaled(codes))", True), ("scaled(codes) * 3 + 1", True), ("x[:, :2]", False), ("np.round(codes)", False)],
)
def test_what_numpy_rescaled_is_known_for_what_it_was_made_of(tmp_path: Path, features: str, back: bool) -> None:
    """Each column lies on a line with one that a parameter made, outside of the differentiated function, which never reads that parameter."""
    step = recorded(tmp_path, THROUGH_NUMPY.replace("FEATURES", features)).steps[0]
    made = {name for op in ops(step, "enter") for name in op.inputs}

    assert bool(made) == back
    assert any(not made.isdisjoint(op.outputs) for op in ops(step, "tanh")) == back


FORWARD = """
x, y = jnp.sin(jnp.arange(12.0)).reshape(4, 3), jnp.arange(4.0)
p = {"w": jnp.ones(3) / 2}
v = {"w": jnp.arange(3.0)}

def residuals(p, x, y):
    return jnp.tanh(x @ p["w"]) - y

def loss_fn(p, x, y):
    return jnp.mean(residuals(p, x, y) ** 2)
"""
SLOPE = "    loss, slope = jax.jvp(lambda q: loss_fn(q, x, y), (p,), (v,))\n    return {'w': p['w'] - 0.1 * slope * v['w']}"
GAUSS = "    j = jax.jacfwd(residuals)(p, x, y)['w']\n    return {'w': p['w'] - jnp.linalg.solve(j.T @ j + jnp.eye(3), j.T @ residuals(p, x, y))}"
REVERSE = "    return jax.tree.map(lambda a, b: a - 0.1 * b, p, jax.jacrev(loss_fn)(p, x, y))"
NEWTON = "    g, h = jax.jvp(lambda q: jax.grad(loss_fn)(q, x, y), (p,), (v,))\n    return jax.tree.map(lambda a, b: a - 0.1 * b, p, g)"
LINEAR = "    loss, push = jax.linearize(lambda q: loss_fn(q, x, y), p)\n    return {'w': p['w'] - 0.1 * push(v) * v['w']}"
STATE = "    H = jax.jacfwd(lambda q: x[:2] @ q['w'])(p)['w']\n    return {'w': p['w'] + H.T @ (y[:2] - x[:2] @ p['w'])}"


@pytest.mark.parametrize("body", [SLOPE, GAUSS, REVERSE, NEWTON, LINEAR], ids=["jvp", "jacfwd", "jacrev", "jvp of grad", "linearize"])
def test_a_step_by_slopes_is_judged_by_the_gradient_of_its_loss(tmp_path: Path, body: str) -> None:
    program = f"{FORWARD}\n@jax.jit\ndef step(p, x, y):\n{body}\n\nfor _ in range(3):\n    p = step(p, x, y)\n"
    gradient = play(tmp_path, FORWARD + "found = jax.grad(loss_fn)(p, x, y)")["found"]["w"]
    record = recorded(tmp_path, program)
    step = record.steps[0]

    assert (record.limits, record.outcome.steps_seen) == ((), 3)
    assert step.parameters[0].gradient_norm == pytest.approx(float(jnp.linalg.norm(gradient)), rel=1e-5)
    assert step.measures.label_sensitivity
    assert step.updated


def test_slopes_by_a_state_are_no_training(tmp_path: Path) -> None:
    """A filter has no more equations than unknowns."""
    record = recorded(tmp_path, f"{FORWARD}\n@jax.jit\ndef step(p, x, y):\n{STATE}\n\nfor _ in range(3):\n    p = step(p, x, y)\n")

    assert not record.steps
    assert any("no gradient" in limit for limit in record.limits)


def test_a_loop_that_hands_no_state_on_is_a_vmap(tmp_path: Path) -> None:
    """With `lax.map` over the examples each label is one number, and together they have an order."""
    program = """
x, y, p = jnp.sin(jnp.arange(12.0)).reshape(4, 3), jnp.arange(4.0), {"w": jnp.ones(3) / 2, "b": jnp.zeros(())}

def one(p, row, label):
    return (jnp.tanh(row @ p["w"] + p["b"]) - label) ** 2

@jax.jit
def step(p, x, y):
    g = lax.map(lambda pair: jax.grad(one)(p, *pair), (x, y))
    return jax.tree.map(lambda a, b: a - 0.1 * b.mean(0), p, g)

for _ in range(3):
    p = step(p, x, y)
"""
    whole = program.replace("lax.map(lambda pair: jax.grad(one)(p, *pair), (x, y))", "jax.vmap(jax.grad(one), (None, 0, 0))(p, x, y)")
    looped, mapped = (recorded(tmp_path, text).steps[0] for text in (program, whole))

    assert [p.gradient_norm for p in looped.parameters] == pytest.approx([p.gradient_norm for p in mapped.parameters], rel=1e-5)
    assert looped.measures.label_sensitivity == pytest.approx(mapped.measures.label_sensitivity, rel=1e-5)
    assert [step.graph.values[step.labels.values[0]].shape for step in (looped, mapped)] == [(4,), (4,)]


MEMBERS = """
x, y = jnp.sin(jnp.arange(12.0)).reshape(4, 3), jnp.arange(4.0)
params = {"w": jnp.linspace(0.1, 0.6, 6).reshape(2, 3), "b": jnp.zeros(2)}

def loss_fn(p, x, y):
    return jnp.mean((jnp.tanh(x @ p["w"] + p["b"]) - y) ** 2)

def step(p, x, y):
    loss, g = jax.value_and_grad(loss_fn)(p, x, y)
    return jax.tree.map(lambda a, b: a - 0.1 * b, p, g), loss

def train(p, x, y):
    return lax.scan(lambda p, _: step(p, x, y), p, None, length=3)

first = jax.vmap(jax.grad(loss_fn), (0, None, None))(params, x, y)
"""


@pytest.mark.parametrize(
    "loop",
    [
        "every = jax.jit(jax.vmap(step, (0, None, None)))\nfor _ in range(3):\n    params, loss = every(params, x, y)",
        "every = jax.jit(jax.vmap(jax.jit(step), (0, None, None)))\nfor _ in range(3):\n    params, loss = every(params, x, y)",
        "params, losses = jax.jit(jax.vmap(train, (0, None, None)))(params, x, y)",
        "params, losses = jax.jit(jax.vmap(train, (0, 0, 0)))(params, jnp.stack([x, x]), jnp.stack([y, y]))",
    ],
)
def test_members_of_an_ensemble_that_are_updated_by_hand_are_one_training(tmp_path: Path, loop: str) -> None:
    plain = play(tmp_path, MEMBERS + loop)
    record = recorded(tmp_path, MEMBERS + loop)
    step = record.steps[0]

    assert not record.limits
    assert step.updated
    assert {p.name: p.gradient_norm for p in step.parameters} == {
        f"p['{name}']": pytest.approx(float(jnp.linalg.norm(plain["first"][name])), rel=1e-5) for name in ("w", "b")
    }
    assert step.measures.label_sensitivity


@pytest.mark.parametrize(
    ("body", "call", "what"),
    [
        ("tx.update(grads, state, w)\n    return w, state", "w, state = step(w, state)", "update"),
        ("optax.apply_updates(w, tx.update(grads, state, w)[0])\n    return w, state", "w, state = step(w, state)", "applied"),
        ("updates, state = tx.update(grads, state, w)\n    return optax.apply_updates(w, updates), state", "_, state = step(w, state)", "returned"),
    ],
)  # fmt: skip
def test_new_parameters_that_nobody_keeps_are_told(tmp_path: Path, body: str, call: str, what: str) -> None:
    program = f"""
x, w, tx = jnp.arange(12.0).reshape(4, 3), jnp.ones(3), optax.adam(0.1)
state = tx.init(w)

@jax.jit
def step(w, state):
    grads = jax.grad(lambda p: jnp.mean((x @ p) ** 2))(w)
    {body}

for _ in range(3):
    {call}
"""
    (event,) = [e for e in recorded(tmp_path, program).steps[0].events if e.kind == "dropped"]

    assert event.attributes["what"] == what
    assert event.site is not None
    assert event.site.line == line_of(program, {"update": "tx.update(grads", "applied": "optax.apply", "returned": "_, state = step"}[what])


def test_random_keys_are_no_data(tmp_path: Path) -> None:
    program = EAGER.replace("logits = forward(params, x)", "logits = forward(params, x + jax.random.normal(key, x.shape))")
    program = program.replace("tx =", "key = jax.random.key(5)\ntx =")
    step = recorded(tmp_path, program).steps[0]

    assert all("key" not in step.graph.values[name].dtype for event in events(step, "batch") for name in event.targets)


def test_a_value_has_the_name_that_it_is_assigned_to(tmp_path: Path) -> None:
    program = """
w, x, y = jnp.ones((3, 1)), jnp.arange(12.0).reshape(4, 3), jnp.arange(4.0)

def loss_fn(w, x, y):
    prediction = jnp.tanh(x @ w)
    error = prediction - y  # four by four
    return jnp.mean(error ** 2)

for _ in range(2):
    w = w - 0.01 * jax.grad(loss_fn)(w, x, y)
"""
    graph = recorded(tmp_path, program).steps[0].graph
    difference = next(op for op in graph.ops if op.kind == "sub")

    assert [graph.values[name].shown for name in (difference.output, *difference.inputs)] == ["error", "prediction", "y"]
    assert "prediction" not in [graph.values[op.output].shown for op in graph.ops if op.kind == "matmul"]


def test_a_loss_that_descends_by_itself_on_a_batch_made_in_the_step(tmp_path: Path) -> None:
    program = """
def mse(w, x, y):
    return jnp.mean((x @ w - y) ** 2)

def outer_loss(w, tasks):
    def one(x, y):
        return mse(w - 0.1 * jax.grad(mse)(w, x, y), x, y)
    return jnp.mean(jax.vmap(one)(*tasks))

def sample(key):
    x = jax.random.normal(key, (6, 5, 3))
    return x, x @ jnp.ones(3)

@jax.jit
def step(w, key):
    return w - 0.1 * jax.grad(outer_loss)(w, sample(key))

w = jnp.zeros(3)
for key in jax.random.split(jax.random.key(0), 4):
    w = step(w, key)
"""
    record = recorded(tmp_path, program)

    assert record.faults == ()
    assert record.limits == ()
    assert [step.measures.gradient_norm is not None for step in record.steps] == [True, True]


def test_a_number_written_into_an_indexed_update_is_no_vmap(tmp_path: Path) -> None:
    program = """
        @jax.jit
        def step(w, x, y):
            loss, g = jax.value_and_grad(lambda w: jnp.mean(((x @ w).at[:, 0].set(-1e9)[:, 1] - y) ** 2))(w)
            return w - 0.1 * g, loss

        w, x, y = jnp.ones((3, 2)), jnp.ones((8, 3)), jnp.arange(8.0)
        for _ in range(4):
            w, loss = step(w, x, y)
    """

    record = recorded(tmp_path, program)

    assert [op.kind for op in record.steps[0].graph.ops if op.native == "jax.Array.at"] == ["scatter"]


def test_a_step_that_updates_after_several_gradients_is_recorded(tmp_path: Path) -> None:
    program = """
        params, tx = {"w": jnp.ones(3)}, optax.sgd(0.1)
        state, x, y = tx.init(params), jnp.ones((8, 3)), jnp.arange(8.0)
        total = jax.tree.map(jnp.zeros_like, params)
        for n in range(24):
            grads = jax.grad(lambda p: jnp.mean((x @ p["w"] - y) ** 2))(params)
            total = jax.tree.map(jnp.add, total, grads)
            if n % 4 == 3:
                updates, state = tx.update(total, state)
                params = optax.apply_updates(params, updates)
                total = jax.tree.map(jnp.zeros_like, params)
    """

    record = recorded(tmp_path, program)

    assert [step.index for step in record.steps if step.updated] == [3, 7]
    assert record.optimizers[0].steps == 6


def test_parameters_that_are_held_still_are_frozen_without_a_gradient_too(tmp_path: Path) -> None:
    program = """
        params = {"head": jnp.zeros((4, 2)), "trunk": jnp.ones((3, 4))}
        tx = optax.multi_transform({"go": optax.sgd(0.1), "stop": optax.set_to_zero()}, {"head": "stop", "trunk": "stop"})
        state, x, y = tx.init(params), jnp.ones((8, 3)), jnp.ones((8, 2))
        for n in range(4):
            grads = jax.grad(lambda p: jnp.mean((x @ p["trunk"] @ p["head"] - y) ** 2))(params)
            updates, state = tx.update(grads, state, params)
            params = optax.apply_updates(params, updates)
    """

    record = recorded(tmp_path, program)

    assert [parameter.trainable for parameter in record.steps[0].parameters] == [False, False]


def test_every_step_is_counted_of_a_program_that_never_moves(tmp_path: Path) -> None:
    program = """
        params, tx = {"w": jnp.ones(3)}, optax.sgd(0.0)
        state, x, y = tx.init(params), jnp.ones((8, 3)), jnp.arange(8.0)
        for n in range(6):
            updates, state = tx.update(jax.grad(lambda p: jnp.mean((x @ p["w"] - y) ** 2))(params), state)
            params = optax.apply_updates(params, updates)
    """

    assert recorded(tmp_path, program).outcome.steps_seen == 6


def test_a_step_of_a_compiled_function_is_recorded_by_its_number_long_after_it_was_traced(tmp_path: Path) -> None:
    program = """
    params = {"w": jnp.zeros(3)}
    tx = optax.sgd(0.1)
    state = tx.init(params)

    @jax.jit
    def step(params, state, x, y):
        loss, grads = jax.value_and_grad(lambda p: jnp.mean((x @ p["w"] - y) ** 2))(params)
        updates, state = tx.update(grads, state)
        return optax.apply_updates(params, updates), state, loss

    for number in range(9):
        x = jax.random.normal(jax.random.key(number), (8, 3))
        params, state, loss = step(params, state, x, x.sum(1))
    """
    record = recorded_as(tmp_path, program, Recording(2, 6))

    assert [step.index for step in record.steps] == [6, 7]
    assert all(step.updated for step in record.steps)
    assert record.outcome.steps_seen == 9


def test_data_that_a_compiled_loss_closes_over_are_known(tmp_path: Path) -> None:
    step = recorded(tmp_path, """
w = jnp.zeros((3, 2))
x = jax.random.normal(jax.random.key(0), (8, 3))
y = x[:, :2] * 2.0

def loss_fn(w):
    return jnp.mean((x @ w - y) ** 2)

derive = jax.value_and_grad(jax.jit(loss_fn))
for _ in range(3):
    loss, grads = derive(w)
    w = w - 0.1 * grads
""").steps[0]  # fmt: skip

    assert step.measures.reproduced
    assert step.labels.values
    assert step.measures.label_sensitivity is not None
    assert step.measures.label_sensitivity > 0.1
