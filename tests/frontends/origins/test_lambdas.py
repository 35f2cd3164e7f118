"""Where a Keras `Lambda` does nothing but call a layer that the model does not know of."""

from pathlib import Path
from time import time

import pytest

from whygrad.frontends.origins.lambdas import lambdas
from whygrad.frontends.origins.program import Program
from whygrad.frontends.source import Sources
from whygrad.ir import Framework, Graph, Parameter, Record, Site, Step

MADE = "mix = layers.Dense(24)\n"
FOUND = {
    "in a functional model": "h = layers.Lambda(lambda t: mix(t))(inputs)",
    "with a name of its own": "h = Lambda(lambda t: mix(t), name='mixed')(inputs)",
    "in a list of layers": "model = Sequential([Input((4,)), Lambda(lambda x: mix(x)), Dense(1)])",
}
SILENT = {
    "more than the call": "h = Lambda(lambda t: t + mix(t))(inputs)",
    "another layer": "h = Lambda(lambda t: other(t))(inputs)",
    "something else is passed on": "h = Lambda(lambda t: mix(inputs))(inputs)",
    "told the mode": "h = Lambda(lambda t: mix(t, training=True))(inputs)",
    "two of them": "h = Lambda(lambda t: mix(t))(inputs)\nk = Lambda(lambda t: mix(t))(h)",
    "with a mask of its own": "h = Lambda(lambda t: mix(t), mask=keep)(inputs)",
}


def found(folder: Path, text: str, framework: str = "keras") -> list[str]:
    path = folder / "train.py"
    path.write_text(MADE + text)
    kernel = Parameter("kernel", "w", registered=False, site=Site(str(path), 1, text=MADE.strip()))
    record = Record(frameworks=(Framework(framework, "3"),), steps=(Step(0, graph=Graph(), parameters=(kernel,)),))
    sites = [origin.site for origin in lambdas(Program(Sources(time())), record) if origin.site is not None]
    return [site.text[site.column - 1 : (site.end_column or 1) - 1] for site in sites]


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_the_lambda_around_a_layer(tmp_path: Path, text: str) -> None:
    (one,) = found(tmp_path, text)

    assert "Lambda(lambda" in one
    assert one.count("(") == one.count(")")


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_nothing_where_the_layer_can_not_take_its_place(tmp_path: Path, text: str) -> None:
    assert not found(tmp_path, text)


def test_nothing_without_keras(tmp_path: Path) -> None:
    assert not found(tmp_path, FOUND["in a functional model"], "torch")
