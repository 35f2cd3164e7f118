"""What fills an attribute of a module with one number: found anywhere in the class, where it is one call."""

from pathlib import Path
from textwrap import dedent, indent
from time import time

import pytest

from whygrad.frontends.origins.program import Program
from whygrad.frontends.origins.starts import filled_in_class
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
