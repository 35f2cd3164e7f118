"""What holds for the whole tree: no framework is imported, imports point one way, and rules document themselves."""

import ast
import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from whygrad.diagnosis import Rule
from whygrad.rules import load_rules

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src/whygrad").rglob("*.py"))
FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "flax", "transformers", "lightning", "numpy")
HEADINGS = ["What it finds", "Why it matters", "When it is fine", "How sure", "References"]
RANK = {"note": 0, "warning": 1, "error": 2}
FAMILIES = {"1": "labels", "2": "loss", "3": "graph", "4": "update", "5": "magnitude", "6": "workers", "7": "wiring"}
EVERY_RULE = pytest.mark.parametrize("rule", load_rules(), ids=lambda rule: rule.code)
MODULES_WITHOUT_A_FRAMEWORK = [
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
    for path in SOURCES
    # arrays.py, differences.py, fits.py, padded.py, sequences.py, trajectories.py, travel.py and turned.py are for front ends whose framework brings NumPy along
    if path.name
    not in (
        "__init__.py",
        "__main__.py",
        "arrays.py",
        "differences.py",
        "fits.py",
        "padded.py",
        "sequences.py",
        "trajectories.py",
        "travel.py",
        "turned.py",
    )
    and not {"torch", "tensorflow", "jax", "integrations"} & set(path.parts)
]


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT / "src")


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    """The contracts of pyproject.toml over the package below `tree`."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"]
    environment = {"PYTHONPATH": str(tree / "src"), "PATH": "/usr/bin:/bin", "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tree, env=environment)


def test_importing_any_module_imports_no_framework():
    imports = "\n".join(f"import {module}" for module in MODULES_WITHOUT_A_FRAMEWORK)
    answer = python(f"import sys\n{imports}\nprint(*(set({FRAMEWORKS!r}) & set(sys.modules)))")

    assert (answer.stdout.strip(), answer.stderr) == ("", "")


def test_the_test_above_can_fail():
    answer = python(f"import sys\nsys.modules['torch'] = sys\nimport whygrad\nprint(*(set({FRAMEWORKS!r}) & set(sys.modules)))")

    assert answer.stdout.strip() == "torch"


@pytest.mark.slow
def test_imports_point_one_way():
    answer = lint_imports(ROOT)

    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "statement", "complaint"),
    [
        ("rules/__init__.py", "import torch", "whygrad.rules -> torch"),
        ("ir/sites.py", "import whygrad.flow", "whygrad.ir.sites -> whygrad.flow"),
        ("rules/graph/__init__.py", "import whygrad.frontends", "whygrad.rules.graph -> whygrad.frontends"),
        ("utilities.py", "", "whygrad.utilities"),
    ],
)
def test_the_contracts_can_fail(tmp_path, module, statement, complaint):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "src/whygrad" / module).open("a") as file:
        file.write(f"\n{statement}\n")
    answer = lint_imports(tmp_path)

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert complaint in answer.stdout


@pytest.mark.parametrize("package", ["whygrad.ir", "whygrad.flow"])
def test_all_lists_what_the_package_offers(package):
    module = importlib.import_module(package)
    path = Path(str(module.__file__))
    imported = [alias.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom) for alias in node.names]

    assert sorted(module.__all__) == sorted(imported)
    assert len(set(module.__all__)) == len(module.__all__)


@EVERY_RULE
def test_every_rule_documents_itself(rule: Rule):
    headings = [line.removeprefix("## ") for line in rule.documentation.splitlines() if line.startswith("## ")]
    sections = dict.fromkeys(headings, "") | dict(part.split("\n", 1) for part in f"\n{rule.documentation}".split("\n## ")[1:])

    assert headings == HEADINGS
    assert all(body.strip() for body in sections.values())
    assert rule.summary.endswith(".")
    assert not rule.summary.startswith("#")


@EVERY_RULE
def test_every_rule_lies_where_its_code_says(rule: Rule):
    assert rule.check.__module__ == f"whygrad.rules.{FAMILIES[rule.code[2]]}.{rule.name.replace('-', '_')}"


@EVERY_RULE
def test_every_rule_has_tests(rule: Rule):
    folder = rule.name.replace("-", "_")

    assert (ROOT / "tests/rules" / FAMILIES[rule.code[2]] / folder / f"test_{folder}.py").is_file()


def test_codes_and_names_of_rules_are_used_once():
    rules = load_rules()

    assert len({rule.code for rule in rules}) == len({rule.name for rule in rules}) == len(rules)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_files_and_functions_are_short(path: Path):
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    assert len(path.read_text().splitlines()) <= 450
    assert {f.name: length(f) for f in functions if length(f) > 45} == {}
    assert path.stem not in ("utils", "util", "base", "common", "manager", "helpers")


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its documentation."""
    documented = isinstance(function.body[0], ast.Expr) and isinstance(function.body[0].value, ast.Constant)
    first = function.body[1 if documented and len(function.body) > 1 else 0]
    return (function.end_lineno or 0) - first.lineno + 1


def test_every_folder_of_layers_says_what_it_is():
    for folder in ("ir", "rules", "frontends"):
        lines = (ROOT / "src/whygrad" / folder / "README.md").read_text().splitlines()

        assert 10 <= len(lines) <= 30


def test_the_contributor_guide_is_short():
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) < 150


def said_severities() -> list[tuple[str, str, str]]:
    """File, rule and severity of each diagnosis whose text names both."""
    found = []
    for path in (ROOT / "src/whygrad/rules").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Diagnosis":
                given = {key.arg: key.value for key in node.keywords} | dict(zip(("rule", "name", "severity"), node.args, strict=False))
                code = given.get("rule")
                words = [part.value for part in ast.walk(given.get("severity", node.func)) if isinstance(part, ast.Constant)]
                found += [(path.name, str(code.value), str(word)) for word in words if isinstance(code, ast.Constant) and word in RANK]
    return found


@pytest.mark.parametrize("said", sorted(set(said_severities())), ids=" ".join)
def test_no_part_of_a_rule_is_graver_than_the_rule(said: tuple[str, str, str]):
    _, code, severity = said
    rule = next(rule for rule in load_rules() if rule.code == code)

    assert RANK[severity] <= RANK[rule.severity]
