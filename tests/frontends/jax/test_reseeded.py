"""WG110 on batches whose rows a function draws by a generator that it makes itself, with one seed."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from frontends.jax.jax_watching import line_of, recorded
from whygrad.flow import Index
from whygrad.rules.labels import repeated_batch

DATA = """
x = np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32)
y = (x[:, 0] > 0).astype(np.int32)
w = jnp.zeros((3, 2))

@jax.jit
def step(w, x, y):
    loss = lambda w: optax.softmax_cross_entropy_with_integer_labels(x @ w, y).mean()
    return w - 0.1 * jax.grad(loss)(w)
"""
DRAWN = """
def sample(x, y, seed=0):
    rng = np.random.default_rng(seed)  # made
    rows = rng.choice(len(x), 16)
    return x[rows], y[rows]
"""
LOOP = """
for i in range(4):
    a, b = sample(x, y{seed})
    w = step(w, a, b)
"""
IN_A_CLASS = """
class Source:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def draw(self, size):
        rng = np.random.RandomState(3)  # made
        rows = rng.randint(0, len(self.x), size)
        return self.x[rows], self.y[rows]

source = Source(x, y)
for i in range(4):
    a, b = source.draw(16)
    w = step(w, a, b)
"""
SAME = {
    "a default seed": DRAWN + LOOP.format(seed=""),
    "a seed that is handed over": "SEED = 7\n" + DRAWN + LOOP.format(seed=", seed=SEED"),
    "a method": IN_A_CLASS,
}
OTHERS = {
    "the step is the seed": DRAWN + LOOP.format(seed=", seed=i"),
    "a seed that is reckoned": DRAWN + LOOP.format(seed=", seed=5 + i"),
    "several steps on each draw": DRAWN
    + "for epoch in range(2):\n    a, b = sample(x, y, epoch)\n    for _ in range(3):\n        w = step(w, a, b)\n",
    "drawn once, before the loop": DRAWN + "a, b = sample(x, y)\nfor _ in range(4):\n    w = step(w, a, b)\n",
    "a generator that lives on": "rng = np.random.default_rng(0)\n"
    + DRAWN.replace("    rng = np.random.default_rng(seed)  # made\n", "")
    + LOOP.format(seed=""),
    "all rows, in one order": DRAWN.replace("rng.choice(len(x), 16)", "rng.permutation(len(x))") + LOOP.format(seed=""),
}


def said(folder: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines of what the rule says."""
    module = ModuleType("train")
    module.__file__ = str(folder / "train.py")
    monkeypatch.setitem(sys.modules, "train", module)
    found = repeated_batch.diagnose.check(Index(recorded(folder, DATA + program)))
    return [each.site.line for each in found if each.site is not None]


@pytest.mark.parametrize("program", SAME.values(), ids=SAME)
def test_a_generator_that_is_made_at_each_call_is_told(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(tmp_path, program, monkeypatch) == [line_of(DATA + program, "# made")]


@pytest.mark.parametrize("program", OTHERS.values(), ids=OTHERS)
def test_rows_that_are_others_or_meant_to_be_the_same_are_left_alone(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(tmp_path, program, monkeypatch) == []
