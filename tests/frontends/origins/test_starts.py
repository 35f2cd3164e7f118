"""What fills an attribute of a module with one number: found anywhere in the class, where it is one call."""

from pathlib import Path
from textwrap import dedent, indent
from time import time

import pytest

from whygrad.frontends.origins.program import Program
from whygrad.frontends.origins.starts import filled_in_class, told_where_made
from whygrad.frontends.source import Sources
from whygrad.ir import Site

PROGRAMS = {
    "a call in another method": "def reset(self):\n    nn.init.zeros_(self.down)  # this",
    "a loop over the attributes": "def reset(self):\n    for weight in (self.down, self.up):\n        init.zeros_(weight)  # this",
    "a method of the tensor": "def reset(self):\n    self.down.data.zero_()  # this",
    "where it is made": "def build(self):\n    self.down = nn.Parameter(torch.zeros(4, 8))  # this",
}
SILENT = {
    "random numbers": "def reset(self):\n    nn.init.normal_(self.down)",
    "another attribute": "def reset(self):\n    nn.init.zeros_(self.up)",
    "another object's": "def reset(self, other):\n    nn.init.zeros_(other.down)",
    "two calls": "def reset(self):\n    nn.init.zeros_(self.down)\n    nn.init.ones_(self.down)",
}


def found(folder: Path, text: str) -> list[Site]:
    path = folder / "layer.py"
    path.write_text(
        "class Adapter(nn.Module):\n    def forward(self, x):\n        return x @ self.down.t()\n" + indent(dedent(text), "    ")
    )
    program = Program(Sources(time()))
    scope = program.scope_at(str(path), 3)

    assert scope is not None
    return list(filled_in_class(program, scope, "down"))


@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS)
def test_the_call_that_fills(tmp_path, text):
    (site,) = found(tmp_path, text)

    assert site.text.endswith("# this")


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_nothing_else_is_named(tmp_path, text):
    assert not found(tmp_path, text)


SETUPS = {
    "at the layer": ("self.one = nn.Dense(4, kernel_init=zeros)  # this", True),
    "by way of a dictionary": ("kw = dict(kernel_init=zeros)  # this\nself.one = nn.Dense(4, **kw)", True),
    "of another layer": ("self.two = nn.Dense(4, kernel_init=zeros)\nself.one = nn.Dense(4)", False),
    "of its biases": ("self.one = nn.Dense(4, bias_init=zeros)", False),
}


@pytest.mark.parametrize(("made", "told"), SETUPS.values(), ids=SETUPS)
def test_how_the_weights_of_a_layer_begin_is_found_where_another_method_makes_it(tmp_path, made, told):
    path = tmp_path / "net.py"
    path.write_text(
        f"class Net(nn.Module):\n    def setup(self):\n{indent(made, ' ' * 8)}\n\n    def __call__(self, x):\n        return self.one(x)\n"
    )
    line = len(path.read_text().splitlines())
    program = Program(Sources(time()))
    call = program.call_at(Site(str(path), line))

    assert call is not None
    assert [site.text.endswith("# this") for site in told_where_made(program, call, ("kernel_init",))] == [True] * told
