"""`%%whygrad` in real notebooks: the report below the cell, places as cell and line, and the cell's own ending."""

import os
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

SOURCES = Path(__file__).resolve().parents[2] / "src"
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PROGRAMS = {
    "torch": """
        import torch
        from torch.nn import functional as F
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.first, self.last = torch.nn.Linear(6, 8), torch.nn.Linear(8, 3)
            def forward(self, x):
                return self.last(self.first(x).detach())
        x, y = torch.randn(16, 6), torch.randint(0, 3, (16,))
        model = Net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        # %%
        %%whygrad found
        for _ in range(3):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        print("trained")
    """,
    "tensorflow": """
        import tensorflow as tf
        x, y = tf.random.normal((32, 6)), tf.random.uniform((32, 1))
        layers = [tf.keras.layers.Dense(8, "relu"), tf.keras.layers.Dense(1, "softmax")]
        model = tf.keras.Sequential(layers)
        # %%
        %%whygrad found
        model.compile("sgd", "mse")
        model.fit(x, y, batch_size=8, epochs=1, verbose=0)
        print("trained")
    """,
    "jax": """
        import jax, jax.numpy as jnp
        x = jax.random.normal(jax.random.key(0), (16, 6))
        y = x.sum(1)
        params = {"first": jnp.linspace(-1, 1, 48).reshape(6, 8), "last": jnp.linspace(-1, 1, 8)}
        def loss_fn(params, x, y):
            hidden = jax.lax.stop_gradient(jnp.tanh(x @ params["first"]))
            return jnp.mean((hidden @ params["last"] - y) ** 2)
        # %%
        %%whygrad found
        for _ in range(3):
            grads = jax.grad(loss_fn)(params, x, y)
            params = jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)
        print("trained")
    """,
}


def executed(*cells: str, failing: bool = False) -> Any:
    """A notebook of these cells, run; nothing of it is ever written to a file."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in ("%load_ext whygrad", *cells)])
    os.environ["PYTHONPATH"], before = str(SOURCES), os.environ.get("PYTHONPATH")
    try:
        NotebookClient(book, timeout=200, allow_errors=failing).execute(
            env={**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
        )
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    return book


@cache
def of(framework: str) -> Any:
    cells = [part.strip() for part in dedent(PROGRAMS[framework]).split("# %%\n")]
    return executed(*cells, "print([(c.name, c.site and c.site.file, c.site and c.site.line) for c in found.root_causes])")


def output(cell: Any, kind: str) -> str:
    """All that a cell printed, or showed as `text/html` or `text/plain`."""
    if kind == "stream":
        return "".join(part["text"] for part in cell["outputs"] if part["output_type"] == "stream" and part["name"] == "stdout")
    return "".join(part["data"].get(kind, "") for part in cell["outputs"] if part["output_type"] == "display_data")


@pytest.mark.torch
@pytest.mark.parametrize(
    ("framework", "cause", "cell", "line"),
    [("torch", "detached", "cell [2]", 8), ("tensorflow", "softmax-over-one", "cell [3]", 3), ("jax", "detached", "cell [2]", 6)],
)
def test_the_report_stands_below_the_cell_with_cells_and_lines(framework, cause, cell, line):
    book = of(framework)

    assert output(book.cells[2], "stream").endswith("trained\n")
    assert cause in output(book.cells[2], "text/html")
    assert output(book.cells[3], "stream").startswith(f"[('{cause}', '{cell}', {line})")


@pytest.mark.torch
def test_an_error_ends_the_cell_with_its_own_traceback_once():
    book = executed(
        "import torch",
        "%%whygrad\nmodel = torch.nn.Linear(4, 3)\ntorch.nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.full((8,), 3))",
        failing=True,
    )
    errors = [part for part in book.cells[2]["outputs"] if part["output_type"] == "error"]
    shown = "".join("".join(part["traceback"]) for part in errors)

    assert book.cells[2]["outputs"]
    assert [part["ename"] for part in errors][:1] == ["IndexError"]
    assert "Target 3 is out of bounds" in shown
    assert "run_cell_magic" not in shown
    assert "label-out-of-range" in output(book.cells[2], "text/html")
    assert "cell [3]:3" in output(book.cells[2], "text/html")
