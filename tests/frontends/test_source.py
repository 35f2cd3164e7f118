"""What counts as the user's own code."""

import math
import subprocess
import sysconfig
from pathlib import Path

import pytest

from whygrad.frontends.places import assigned_at
from whygrad.frontends.source import Sources, is_user
from whygrad.ir.files import read_record

COMMANDS = Path(sysconfig.get_path("scripts"))


def code_in(file):
    """Code of a file of that name."""
    return compile("0", str(file), "exec")


@pytest.mark.parametrize("command", ["whygrad", "pytest", "torchrun"])
def test_commands_of_packages_are_not_the_users_own(command):
    assert not is_user(code_in(COMMANDS / command))


@pytest.mark.parametrize("file", [COMMANDS / "train.py", Path("train.py").resolve(), Path("whygrad").resolve(), COMMANDS.parent / "train"])
def test_programs_are(file):
    assert is_user(code_in(file))


class Trainer:
    """A method with a variable."""

    def step(self, model):
        variables = model.decoder
        return list(variables)


def test_an_assignment_stands_in_the_function_that_other_places_name():
    code = Trainer.step.__code__

    found = assigned_at(Sources(math.inf), code, "variables", code.co_firstlineno + 2)

    assert found is not None
    assert (found.function, found.text) == ("Trainer.step", "        variables = model.decoder")


def test_the_command_itself_is_no_caller_of_what_the_program_does(tmp_path):
    (tmp_path / "train.py").write_text("import torch\nlayer = torch.nn.Linear(2, 1)\nlayer(torch.ones(4, 2)).sum().backward()\n")
    kept = tmp_path / "run.whygrad"

    subprocess.run([COMMANDS / "whygrad", "run", "--record", kept, "train.py"], cwd=tmp_path, capture_output=True, check=False)

    step = read_record(kept).record.steps[0]
    sites = [*(op.site for op in step.graph.ops), *(parameter.site for parameter in step.parameters)]
    places = [site for site in sites if site is not None]
    assert places
    assert {frame.file for site in places for frame in site.with_callers} == {str(tmp_path / "train.py")}
