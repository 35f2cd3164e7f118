"""What docs/examples holds to be copied, and the hook that the repository offers: run as a project would run them."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # without types of its own

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs/examples"
SCRIPTS = str(Path(sys.executable).parent)
LOSSES = {True: "cross_entropy(model(x), y)", False: "cross_entropy(model(x).detach().requires_grad_(), y)"}
PROGRAM = """
import argparse

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=5)
epochs = parser.parse_args().epochs
torch.manual_seed(0)
x = torch.randn(64, 4)
y = (x[:, 0] > 0).long()
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(epochs):
    for x, y in zip(x.split(16), y.split(16)):
        optimizer.zero_grad()
        torch.nn.functional.{loss}.backward()
        optimizer.step()
"""


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command with whygrad on its path, and everything that it keeps in a folder of its own."""
    names = {f"GIT_{who}_{what}": "someone@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {
        **os.environ, **names, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "PRE_COMMIT_HOME": str(folder / ".cache"),
        "OMP_NUM_THREADS": "1", "PRE_COMMIT_COLOR": "never",
    }  # fmt: skip
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False)


def repository(folder: Path, files: dict[str, str]) -> Path:
    """A git repository with these files committed."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    for command in ("init --quiet", "add .", "commit --quiet --no-verify -m files"):
        made = run("git", *command.split(), folder=folder)
        assert made.returncode == 0, made.stderr
    return folder


def accept(folder: Path, loss: str) -> None:
    """A baseline that holds what is found in the program with this loss."""
    (folder / "train.py").write_text(PROGRAM.format(loss=loss))
    made = run("whygrad", "check", "--baseline", "whygrad-baseline.json", "--update-baseline", "train.py", "--epochs", "1", folder=folder)
    assert made.returncode == 0, made.stderr


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("sound", [True, False])
def test_the_hook_of_the_repository_lets_a_sound_program_pass_and_stops_another(tmp_path: Path, sound: bool):
    hooks = repository(tmp_path / "hooks", {".pre-commit-hooks.yaml": (ROOT / ".pre-commit-hooks.yaml").read_text()})
    head = run("git", "rev-parse", "HEAD", folder=hooks).stdout.strip()
    config = {"repos": [{"repo": str(hooks), "rev": head, "hooks": [{"id": "whygrad", "args": ["train.py", "--epochs", "2"]}]}]}
    files = {".pre-commit-config.yaml": yaml.safe_dump(config), "train.py": PROGRAM.format(loss=LOSSES[sound])}
    project = repository(tmp_path / "project", files)

    told = run("pre-commit", "run", "--all-files", folder=project)

    assert (told.returncode == 0) is sound, told.stdout + told.stderr
    assert ("error[WG301]" in told.stdout) is not sound


@pytest.mark.slow
@pytest.mark.torch
def test_the_example_for_pre_commit_runs_as_it_stands(tmp_path: Path):
    project = repository(tmp_path / "project", {"train.py": PROGRAM.format(loss=LOSSES[False])})
    shutil.copy(EXAMPLES / "pre-commit-config.yaml", project / ".pre-commit-config.yaml")
    accept(project, LOSSES[False])
    run("git", "add", ".", folder=project)

    accepted = run("pre-commit", "run", "--all-files", "--hook-stage", "pre-push", folder=project)
    accept(project, LOSSES[True])
    (project / "train.py").write_text(PROGRAM.format(loss=LOSSES[False]))
    unknown = run("pre-commit", "run", "--all-files", "--hook-stage", "pre-push", folder=project)

    assert "Passed" in accepted.stdout, accepted.stdout + accepted.stderr
    assert unknown.returncode == 1


@pytest.mark.slow
@pytest.mark.torch
def test_the_commands_of_the_workflow_leave_what_it_uploads(tmp_path: Path):
    workflow = yaml.safe_load((EXAMPLES / "github-workflow.yml").read_text())
    (steps,) = (job["steps"] for job in workflow["jobs"].values())
    (command,) = (shlex.split(step["run"]) for step in steps if step.get("run", "").startswith("whygrad"))
    wanted = {file for step in steps for key in ("path", "sarif_file") for file in step.get("with", {}).get(key, "").split()}
    accept(tmp_path, LOSSES[True])
    (tmp_path / "train.py").write_text(PROGRAM.format(loss=LOSSES[False]))

    told = run(*command, folder=tmp_path)

    assert told.returncode == 1, told.stderr
    assert "::error file=train.py" in told.stderr
    assert "whygrad.sarif" in wanted
    assert wanted <= {path.name for path in tmp_path.iterdir()}
