"""Where only one side of unrelated data was put into another order, the line that did it is found."""

import sys
import time
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from whygrad.frontends.origins import origins_of
from whygrad.frontends.source import Sources
from whygrad.ir import Batches, Fit, Frame, Graph, Op, Record, Scope, Site, Step, Value

LOADER = "loader = DataLoader(TensorDataset(x, y))"
ONE_SIDED = {
    "rows indexed by a permutation": "x = x[rng.permutation(len(x))]  # here",
    "an order of its own for each": "x = x[rng.permutation(len(x))]  # here\ny = y[rng.permutation(len(y))]  # here",
    "rows that are drawn": "x = x[rng.choice(len(x), 16)]  # here\ny = y[rng.integers(0, 9, size=16)]  # here",
    "shuffled in place": "np.random.shuffle(y)  # here",
    "a data set shuffled before it is zipped": "a = tf.data.Dataset.from_tensor_slices(x0).shuffle(9)  # here\nloader = tf.data.Dataset.zip((a, from_tensor_slices(y0))).batch(4)",
    "two data sets shuffled apart": "a = from_tensor_slices(x0).shuffle(9)  # here\nb = from_tensor_slices(y0).shuffle(9)  # here\nloader = Dataset.zip((a, b))",
    "rows gathered by an order": "order = tf.random.shuffle(tf.range(9))[:4]\nx = tf.gather(x0, order)  # here\ny = y0[:4]",
    "a sample of a table": "table = table.sample(frac=1)  # here\nx = table[['a']].values",
    "a function of its own": "def mixed(rows):\n    order = np.random.permutation(len(rows))\n    return rows[order]  # here\n\nx = mixed(x0)\ny = y0",
}
OWN = """
class Rows:
    def __init__(self, x, y):
        self.x, self.y, self.order = x.copy(), y.copy(), list(range(9))

    def __getitem__(self, at):
        return X, Y

    def on_epoch_end(self):
        SHUFFLED

loader = DataLoader(Rows(x0, y0))
"""
"""A data set of the program's own, that shuffles between epochs."""
ONE_SIDED["an attribute shuffled by a data set of its own"] = OWN.replace("X, Y", "self.x[at], self.y[at]").replace(
    "SHUFFLED", "self.rng.shuffle(self.x)  # here"
)
TOGETHER = {
    "an order that a data set of its own shuffles": OWN.replace("X, Y", "self.x[self.order[at]], self.y[self.order[at]]").replace(
        "SHUFFLED", "self.rng.shuffle(self.order)"
    ),
    "pairs that a data set of its own shuffles": OWN.replace("X, Y", "self.pairs[at][0], self.pairs[at][1]")
    .replace("self.order = x.copy(), y.copy(), list(range(9))", "self.pairs = x, y, list(zip(x, y))")
    .replace("SHUFFLED", "random.shuffle(self.pairs)"),
    "shuffled once they are zipped": "loader = tf.data.Dataset.zip((from_tensor_slices(x0), from_tensor_slices(y0))).shuffle(9).batch(4)",
    "shuffled apart by one seed": "a = from_tensor_slices(x0).shuffle(9, seed=1)\nb = from_tensor_slices(y0).shuffle(9, seed=1)\nloader = Dataset.zip((a, b))",
    "one permutation for both": "order = rng.permutation(len(x))\nx = x[order]\ny = y[order]",
    "one order that both are gathered by": "order = tf.random.shuffle(tf.range(9))[:4]\nx = tf.gather(x0, order)\ny = tf.gather(y0, order)",
    "inputs gathered by the labels": "y = rng.integers(0, 9, size=64)\nx = jnp.take(glyphs, y, axis=0) + noise",
    "one call for both": "x, y = shuffle(x, y)",
    "one draw for both": "rows = rng.choice(len(x), 16)\nx, y = x[rows], y[rows]",
    "pairs": "pairs = list(zip(xs, ys))\nrandom.shuffle(pairs)\nx, y = zip(*pairs)",
    "the same sorting": "x = x0[np.argsort(t)]\ny = y0[np.argsort(t)]",
    "looked up by the order": "order = rng.permutation(9)\nx = rows[order]\ny = [labels[at] for at in order]",
    "inputs that are made of the labels": "y = rng.integers(0, 9, size=64)\nx = glyphs[y] + noise",
    "of labels that are one-hot": "which = rng.integers(0, 9, size=64)\nx = glyphs[which]\ny = to_categorical(which, 9)",
    "of labels that are reckoned on": "which = rng.integers(0, 9, size=64)\nx = glyphs[which]\ny = one_hot(cast(which, 'int32'), 9)",
    "one order, behind what can't be followed": "order = rng.permutation(64)\nx = x0[order]\ny = to_categorical(y0[order], 9)",
    "no order": "x, y = load()",
}


def found(text: str, score: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """Lines of the orders that are found, and the marked ones."""
    file = tmp_path / "program_of_a_user.py"
    text = dedent(text).strip()
    file.write_text(text + ("\n" if "loader = " in text else f"\n{LOADER}\n"))
    module = ModuleType("program_of_a_user")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "program_of_a_user", module)
    rows = file.read_text().splitlines()
    site = Site(str(file), len(rows), len(rows), len("loader = ") + 1, len(rows[-1].partition("  #")[0]) + 1)
    record = Record(
        steps=(Step(0, graph=Graph((), {"a": Value("a", "input"), "b": Value("b", "label")})),),
        batches=(Batches("[0]", 1, values=("a",), site=site), Batches("[1]", 1, values=("b",), site=site)),
        fits=(Fit(("a",), ("b",), 200, score),),
    )
    origins = origins_of(record, Sources(time.time() + 10))
    return [o.site.line for o in origins if o.setting == "order" and o.site], [at for at, row in enumerate(rows, 1) if "# here" in row]


@pytest.mark.parametrize("text", ONE_SIDED.values(), ids=ONE_SIDED)
def test_an_order_of_one_side_alone_is_found(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, marked = found(text, 0.5, tmp_path, monkeypatch)
    assert lines == marked


@pytest.mark.parametrize("text", TOGETHER.values(), ids=TOGETHER)
def test_orders_of_both_sides_are_none(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(text, 0.5, tmp_path, monkeypatch)[0] == []


@pytest.mark.parametrize("text", ONE_SIDED.values(), ids=ONE_SIDED)
def test_data_that_a_fit_relates_are_left_alone(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(text, 30.0, tmp_path, monkeypatch)[0] == []


@pytest.mark.parametrize(
    "given", ["x, y", "x[:cut][order], y[:cut][order]", "y=y, x=x", "tf.data.Dataset.from_tensor_slices((x, y)).batch(8)"]
)
def test_an_order_of_one_side_alone_is_found_behind_what_fit_was_given(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "program_of_a_user.py"
    call = f"model.fit({given}, epochs=3)"
    rows = ["x, y = load()", "np.random.shuffle(x)", "order = np.random.permutation(cut)", call]
    file.write_text("\n".join(rows) + "\n")
    module = ModuleType("program_of_a_user")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "program_of_a_user", module)
    site = Site(str(file), 4, 4, 1, len(call) + 1)
    record = Record(
        steps=(Step(0, graph=Graph((), {"a": Value("a", "input"), "b": Value("b", "label")})),),
        batches=(Batches("[0]", 1, values=("a",), site=site), Batches("[1]", 1, values=("b",), site=site)),
        fits=(Fit(("a",), ("b",), 200, 0.5),),
    )

    assert [o.site.line for o in origins_of(record, Sources(time.time() + 10)) if o.setting == "order" and o.site] == [2]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x, y, u, v = train_test_split(a, b)", [1]),
        ("x, u, y, v = train_test_split(a, b)", [1]),
        ("x, u = split(a)\ny, v = split(b)", []),
        ("(x, y), test = load()", [1]),
        ("x, y = a, b", []),
        ("x = a\ny = b", []),
    ],
)
def test_parts_of_one_call_that_fit_refused_are_followed_to_it(
    text: str, lines: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "program_of_a_user.py"
    file.write_text(f"{text}\nmodel.fit(x, y)\n")
    module = ModuleType("program_of_a_user")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "program_of_a_user", module)
    at = text.count("\n") + 2
    values = {"a": Value("a", "input", called="x"), "b": Value("b", "input", called="y")}
    op = Op("opaque", ("a", "b"), native="keras.Model.fit", site=Site(str(file), at), failed=True)
    record = Record(steps=(Step(0, graph=Graph((op,), values)),))

    found = [o for o in origins_of(record, Sources(time.time() + 10)) if o.setting == "unpacked"]

    assert [(o.values, o.site.line) for o in found if o.site] == [(("b",), line) for line in lines]


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("np.random.shuffle(x)", [2]),
        ("order = np.random.permutation(9)\nx, y = x[order], y[order]", []),
        ("which = rng.integers(0, 9, size=64)\nx, y = glyphs[which], one_hot(which, 9)", []),
    ],
)
def test_an_order_is_found_behind_what_a_step_was_given(
    order: str, wanted: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ["x, y = load()", *order.split("\n"), "def step(a, b):", "    return a @ b", "step(x[:8], y[:8])"]
    file = tmp_path / "program_of_a_user.py"
    file.write_text("\n".join(rows))
    module = ModuleType("program_of_a_user")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "program_of_a_user", module)
    called, begun = len(rows), len(rows) - 2
    where = Site(str(file), called, called, 1, len(rows[-1]) + 1)
    scope = Scope("step", arguments={"a": "a", "b": "b"}, site=Site(str(file), begun, function="step"), caller=where)
    read = Op(
        "matmul", ("a", "b"), ("c",), site=Site(str(file), begun + 1, function="step", callers=(Frame(str(file), called, "<module>"),))
    )
    values = {"a": Value("a", "input"), "b": Value("b", "label"), "c": Value("c", "activation")}
    record = Record(steps=(Step(0, graph=Graph((read,), values), scopes=(scope,)),), fits=(Fit(("a",), ("b",), 200, 0.5),))

    assert [o.site.line for o in origins_of(record, Sources(time.time() + 10)) if o.setting == "order" and o.site] == wanted
