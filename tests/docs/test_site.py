"""The documentation site: made from the package, built strictly, true to what frameworks say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import error_page
import every_page
import pytest

from whygrad.cli import whygrad
from whygrad.loss_contracts import CONTRACTS
from whygrad.rules import load_rules

ROOT = Path(__file__).parents[2]
RUN = """
import sys, tomllib
for number, entry in enumerate(tomllib.load(open(sys.argv[1], "rb"))["error"]):
    try:
        exec(entry["code"], {})
    except Exception as problem:
        print(number, type(problem).__name__, str(problem).replace(chr(10), " "))
"""


@pytest.fixture(scope="module")
def raised() -> dict[int, str]:
    """What each program of the table raises."""
    answer = subprocess.run([sys.executable, "-c", RUN, str(error_page.TABLE)], capture_output=True, text=True, check=True, cwd=ROOT)
    lines = (line.split(" ", 1) for line in answer.stdout.splitlines() if line.split(" ", 1)[0].isdigit())
    return {int(number): text for number, text in lines}


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("number", range(len(error_page.entries())), ids=lambda at: error_page.entries()[at]["message"][:40])
def test_each_program_of_the_error_page_raises_its_message(number: int, raised: dict[int, str]):
    entry: dict[str, Any] = error_page.entries()[number]

    assert raised[number].startswith(entry["raised"] + " ")
    assert re.search(".*".join(map(re.escape, entry["message"].split("…"))), raised[number])


def test_every_rule_of_the_error_page_exists():
    known = {rule.code for rule in load_rules()}
    named = {code for entry in error_page.entries() for code in entry["rules"]}

    assert named <= known


def test_every_loss_and_every_rule_has_its_place():
    made = dict(every_page.pages())

    assert all(f"`{kind}`" in made["reference/losses.md"] for kind in CONTRACTS)
    assert all(f"rules/{rule.code}.md" in made for rule in load_rules())


def test_every_command_is_on_the_page_of_commands():
    answer = subprocess.run([sys.executable, "-m", "whygrad", "--help"], capture_output=True, text=True, check=True)
    commands = [line.split()[0] for line in answer.stdout.partition("Commands:")[2].splitlines() if line.strip()]

    assert commands
    assert all(f"## `whygrad {command}`" in dict(every_page.pages())["reference/commands.md"] for command in commands)


def options_of(command: click.Command) -> set[str]:
    """Every option of a command and of those below it, by its long name."""
    own = {max(param.opts, key=len) for param in command.params if isinstance(param, click.Option)}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return own.union(*(options_of(each) for each in below))


def test_every_option_is_on_the_page_of_commands_and_used_by_a_test():
    page = dict(every_page.pages())["reference/commands.md"]
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    found = options_of(whygrad)

    assert len(found) > 20
    assert [option for option in sorted(found) if option not in page] == []
    assert [
        option for option in sorted(found) if f'"{option}"' not in tests and f"{option} " not in tests and f"{option}=" not in tests
    ] == []


def built(folder: Path) -> subprocess.CompletedProcess[str]:
    """The site, built as `make docs` does; every page that is generated is there. Quiet would be blind: warnings are counted where they are logged."""
    shutil.copytree(ROOT / "docs", folder / "docs", dirs_exist_ok=True)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    shutil.copy(ROOT / "mkdocs.yml", folder)
    for path, text in every_page.pages():
        (folder / "docs" / path).parent.mkdir(exist_ok=True)
        (folder / "docs" / path).write_text(text, encoding="utf-8")
    return subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict"], capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_does_not_with_a_broken_link(tmp_path: Path):
    answer = built(tmp_path)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (tmp_path / "site/rules/WG101/index.html").is_file()

    (tmp_path / "docs/extra.md").write_text("[nowhere](nowhere.md) [no place](limits.md#nowhere)\n")
    broken = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert broken.returncode == 1
    assert "nowhere.md" in broken.stderr
    assert "#nowhere" in broken.stderr
