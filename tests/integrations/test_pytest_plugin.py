"""The fixture and the marker, in a pytest of its own."""

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
TESTS = """
    import pytest, torch
    from torch import nn
    from torch.nn import functional as F

    batch = torch.randn(16, 6), torch.randint(0, 3, (16,))

    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)
        def forward(self, x):
            return self.last(self.first(x).detach())

    def train(model):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(model(batch[0]), batch[1]).backward()
            optimizer.step()

    def test_sound(whygrad):
        whygrad.assert_learns(nn.Linear(6, 3), F.cross_entropy, batch)

    def test_cut(whygrad):
        whygrad.assert_learns(Cut(), F.cross_entropy, batch)

    @pytest.mark.whygrad
    def test_marked_sound():
        train(nn.Linear(6, 3))

    @pytest.mark.whygrad
    def test_marked_cut():
        train(Cut())

    @pytest.mark.whygrad(fail_on="never")
    def test_marked_but_never_failing():
        train(Cut())

    @pytest.mark.whygrad
    def test_failing_by_itself():
        train(Cut())
        raise ValueError("its own")

    def test_without():
        train(Cut())
"""


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("workers", ["0", "2"])
def test_failures_are_reports_also_under_xdist(tmp_path: Path, workers: str) -> None:
    from textwrap import dedent

    (tmp_path / "test_training.py").write_text(dedent(TESTS))
    plugins = ["-p", "whygrad.integrations.pytest_plugin", "-p", "xdist"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", workers, *plugins, "--strict-markers", "-q", "-rN", "test_training.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TOP / "src"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert "3 failed, 4 passed" in done.stdout
    assert "this model does not learn from these labels" in done.stdout
    assert done.stdout.count("error[WG301] detached") == 3
    assert "return self.last(self.first(x).detach())" in done.stdout
    assert "ValueError: its own" in done.stdout


def test_the_entry_point_is_a_plugin() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]

    assert hasattr(import_module(project["entry-points"]["pytest11"]["whygrad"]), "pytest_runtest_call")
