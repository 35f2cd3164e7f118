"""What chooses the parameters that a part of optax' freezes: followed back from the call to the line that says so."""

from pathlib import Path
from textwrap import dedent
from time import time

import pytest

from whygrad.frontends.origins.choices import chosen_at
from whygrad.frontends.origins.program import Program
from whygrad.frontends.source import Sources
from whygrad.ir import Site

PROGRAMS = {
    "a tree": (
        """
        mask = {"trunk": True, "head": True}  # this
        tx = optax.masked(optax.set_to_zero(), mask)
        """
    ),
    "a tree, by its name": (
        """
        kinds = {"trunk": "frozen", "head": "frozen"}  # this
        tx = optax.multi_transform(param_labels=kinds, transforms={"frozen": optax.set_to_zero()})
        """
    ),
    "a lambda for each parameter": (
        """
        labels = jax.tree_util.tree_map_with_path(
            lambda path, _: "trained" if "head" in path else "frozen", params)  # this
        tx = optax.multi_transform({"trained": optax.adam(0.1), "frozen": optax.set_to_zero()}, labels)
        """
    ),
    "a function for each parameter": (
        """
        def label(path, leaf):
            return "trained" if path[0] == "head" else "frozen"  # this

        labels = flax.traverse_util.path_aware_map(label, params)
        tx = optax.multi_transform({"trained": optax.adam(0.1), "frozen": optax.set_to_zero()}, labels)
        """
    ),
    "a function of the whole": (
        """
        def chosen(params):
            found = {key: key != "classifier" for key in params}  # this
            return found

        tx = optax.masked(optax.set_to_zero(), chosen)
        """
    ),
    "a tree that is put together of its leaves": (
        """
        def chosen(params):
            flat = flatten_dict(params)
            labels = {path: "frozen" if path[0] == "head" else "trained" for path in flat}  # this
            return unflatten_dict(labels)

        tx = optax.multi_transform({"trained": optax.adam(0.1), "frozen": optax.set_to_zero()}, chosen)
        """
    ),
    "a function that is called": (
        """
        def chosen(params):
            return {key: key != "classifier" for key in params}  # this

        mask = chosen(params)
        tx = optax.freeze(mask)
        """
    ),
}
SILENT = {
    "on the line itself": "tx = optax.masked(optax.set_to_zero(), {'head': True})  # call",
    "a parameter of nobody's": "def held_by_nobody(mask):\n    return optax.masked(optax.set_to_zero(), mask)",
    "another function": "mask = {'head': True}\ntx = numpy.where(mask, mask)",
}


def found(folder: Path, text: str, word: str) -> Site | None:
    path = folder / "train.py"
    path.write_text(dedent(text))
    lines = path.read_text().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if word in line)
    line = lines[at - 1]
    start = line.index(word) + 1
    made = Site(str(path), at, at, start, len(line.partition("  #")[0]) + 1, text=line)
    return chosen_at(Program(Sources(time())), made)


@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS)
def test_the_line_that_chooses(tmp_path, text):
    word = next(word for word in ("optax.masked", "optax.multi_transform", "optax.freeze") if word in text)
    site = found(tmp_path, text, word)

    assert site is not None
    assert site.text.endswith("# this")


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_nothing_else_is_named(tmp_path, text):
    assert found(tmp_path, text, "numpy.where" if "numpy" in text else "optax.masked") is None
