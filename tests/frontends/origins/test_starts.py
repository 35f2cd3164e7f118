"""What fills an attribute of a module with one number: found anywhere in the class, where it is one call."""

import sys
from pathlib import Path
from textwrap import dedent, indent
from time import time
from types import ModuleType

import pytest

from whygrad.frontends.origins.program import Program
from whygrad.frontends.origins.starts import filled_in_class, filled_outside, told_where_made
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


OUTSIDE = {
    "a loop over the parameters": "for p in model.parameters():\n    nn.init.zeros_(p)  # this",
    "a loop over names and parameters": "for name, p in model.named_parameters():\n    p.data.fill_(0.0)  # this",
    "a function that layers are given to": "def start(m):\n    if isinstance(m, nn.Linear):\n        nn.init.constant_(m.weight, 0.1)  # this\n        nn.init.zeros_(m.bias)\nmodel.apply(start)",
    "a layer by its name": "nn.init.zeros_(model.head.weight)  # this\nnn.init.zeros_(model.body.weight)",
}
NOT_OUTSIDE = {
    "gradients": "for p in model.parameters():\n    p.grad.zero_()",
    "two of them": "for p in model.parameters():\n    p.data.zero_()\n    p.data.fill_(1)",
    "another layer": "nn.init.zeros_(model.body.weight)",
    "any list of tensors": "for p in buffers:\n    p.zero_()",
    "random numbers": "for p in model.parameters():\n    nn.init.normal_(p)",
}


def outside(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> list[Site]:
    path = folder / "outside_of_all.py"
    path.write_text(text)
    module = ModuleType("outside_of_all")
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, "outside_of_all", module)
    return [site for site in filled_outside(Program(Sources(time())), "head.weight") if site.file == str(path)]


@pytest.mark.parametrize("text", OUTSIDE.values(), ids=OUTSIDE)
def test_the_call_that_fills_what_a_model_gives(tmp_path, text, monkeypatch):
    (site,) = outside(tmp_path, text, monkeypatch)

    assert site.text.endswith("# this")


@pytest.mark.parametrize("text", NOT_OUTSIDE.values(), ids=NOT_OUTSIDE)
def test_nothing_else_outside_is_named(tmp_path, text, monkeypatch):
    assert not outside(tmp_path, text, monkeypatch)
