"""Where the factor of a layer's penalty stands, when the layer is given its regulariser by a name."""

import ast
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from time import time

import pytest

from whygrad.frontends.origins.penalties import penalties
from whygrad.frontends.origins.program import Program
from whygrad.frontends.source import Sources
from whygrad.ir import Graph, Parameter, Record, Site, Step

LAYER = "model = Sequential([Dense(8, kernel_regularizer=decay)])"

PROGRAMS = {
    "a variable": f"decay = regularizers.l2(2.0)  # this\n{LAYER}",
    "a number with a name": f"DECAY = 2.0  # this\ndecay = regularizers.l2(DECAY)\n{LAYER}",
    "a number with a name in the layer's call": "DECAY = 2.0  # this\nmodel = Sequential([Dense(8, kernel_regularizer=l2(DECAY))])",
    "an entry of a table": (
        "SETTINGS = {\n    'rate': 0.1,\n    'decay': 2.0,  # this\n}\nmodel = Dense(8, kernel_regularizer=l2(l=SETTINGS['decay']))"
    ),
}
SILENT = {
    "in the layer's own call": "model = Dense(8, kernel_regularizer=regularizers.l2(2.0))",
    "of its biases": "decay = l2(2.0)\nmodel = Dense(8, bias_regularizer=decay)",
    "by a word": "model = Dense(8, kernel_regularizer='l2')",
    "no penalty": "decay = 2.0\nmodel = Dense(8)",
    "a parameter that nobody gives": "def layer(decay):\n    return Dense(8, kernel_regularizer=decay)",
}


def found(folder: Path, text: str) -> list[str]:
    path = folder / "train.py"
    path.write_text(dedent(text))
    nodes = ast.walk(ast.parse(path.read_text()))
    at = next(node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Dense")
    text = path.read_text().splitlines()[at.lineno - 1]
    site = Site(str(path), at.lineno, at.lineno, at.col_offset + 1, (at.end_col_offset or 0) + 1, text=text)
    kernel = Parameter(name="dense.kernel", value="w", site=site)
    steps = (Step(0, graph=Graph(), parameters=(kernel,)), Step(1, graph=Graph(), parameters=(replace(kernel, value="w.1"),)))
    origins = tuple(penalties(Program(Sources(time())), Record(steps=steps)))

    assert all(origin.values == ("w", "w.1") for origin in origins)
    return [origin.site.text for origin in origins if origin.site is not None]


@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS)
def test_the_line_that_has_the_number(tmp_path: Path, text: str) -> None:
    (line,) = found(tmp_path, text)

    assert line.endswith("# this")


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_nothing_where_the_layer_has_it_itself_or_nobody_knows(tmp_path: Path, text: str) -> None:
    assert not found(tmp_path, text)
