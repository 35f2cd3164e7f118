"""What decides for evaluation mode is followed from flax' normalisation to the literal, the option or the comparison."""

import ast
import sys
import time
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from whygrad.frontends.origins.modes import modes_of
from whygrad.frontends.origins.program import Program
from whygrad.frontends.source import Sources
from whygrad.ir import Frame, Graph, Op, Record, Site, Step

NET = """
    class Net(nn.Module):
        training: bool

        def __call__(self, x, train):
            return nn.BatchNorm(use_running_average={told})(x)

"""
DECIDED = {
    "a literal at the layer": ("True", "net = Net(True)  # no\nnet.apply(v, x, train=True)"),
    "an argument of the call": ("not train", "net = Net(True)\nnet.apply(v, x, train=False)  # decided"),
    "the same by its place": ("not train", "net = Net(True)\nnet.apply(v, x, False)  # decided"),
    "a name that the call hands on": ("not train", "on = mode == 'fit'  # decided\nnet.apply(v, x, train=on)"),
    "a field of the module": ("not self.training", "on = mode == 'fit'  # decided\nnet = Net(on)\nnet.apply(v, x, True)"),
    "one that another module is told otherwise": (
        "not self.training",
        "on = mode == 'fit'  # decided\nnet, other = Net(on), Net(False)\nnet.apply(v, x, True)",
    ),
}
UNKNOWN = {
    "its default": ("not train", "net = Net(True)\nnet.apply(v, x)"),
    "two that are open": ("not self.training", "a, b = Net(one()), Net(two())\nnet.apply(v, x, True)"),
    "an option of a library's": ("not train", "from absl.flags import on\nnet.apply(v, x, train=on)"),
}


def found(told: str, rest: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], Path]:
    file = folder / "program_of_a_user.py"
    file.write_text(dedent(NET).replace("{told}", told) + rest + "\n")
    module = ModuleType("program_of_a_user")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "program_of_a_user", module)
    text = file.read_text()
    call = next(node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Return))
    assert call is not None
    applied = next(at for at, line in enumerate(text.splitlines(), 1) if "net.apply" in line)
    site = Site(
        str(file), call.lineno, call.lineno, call.col_offset + 1, (call.end_col_offset or 0) + 1, "Net.__call__",
        callers=(Frame(str(file), applied, "<module>"),),
    )  # fmt: skip
    op = Op("batch_norm", ("x",), ("h",), site=site, attributes={"training": False})
    origins = modes_of(Program(Sources(time.time() + 10)), Record(steps=(Step(0, graph=Graph((op,), {})),)))
    return [origin.site.line for origin in origins if origin.site is not None], file


@pytest.mark.parametrize(("told", "rest"), DECIDED.values(), ids=DECIDED)
def test_what_decides_for_evaluation_mode_is_found(told: str, rest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, file = found(told, rest, tmp_path, monkeypatch)
    wanted = [at for at, line in enumerate(file.read_text().splitlines(), 1) if "# decided" in line or "average=True" in line]

    assert lines == wanted


@pytest.mark.parametrize(("told", "rest"), UNKNOWN.values(), ids=UNKNOWN)
def test_where_nothing_is_known_nothing_is_said(told: str, rest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(told, rest, tmp_path, monkeypatch)[0] == []
