"""A page for each rule from its docstring, with the programs of its tests, and a table of all of them."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from whygrad.diagnosis import Rule
from whygrad.reports.accuracy import sentence

PROGRAMS = Path(__file__).parents[2] / "tests/rules"
FRAMEWORKS = {"torch": "PyTorch", "tensorflow": "TensorFlow", "jax": "JAX"}


def page(rule: Rule) -> str:
    """One rule's page: its documentation, and the smallest programs that the tests run, with the report on the bad one."""
    parts = [
        f"# {rule.code} {rule.name}",
        f"Gravest severity: {rule.severity}.",
        rule.documentation,
        sentence(rule.code),
        *where(rule),
        *examples(rule),
    ]
    return "\n\n".join(parts) + "\n"


def folder(rule: Rule) -> Path:
    """Where the rule's programs lie."""
    return PROGRAMS.joinpath(*rule.check.__module__.split(".")[-2:])


def where(rule: Rule) -> Iterator[str]:
    """The frameworks in which the fault occurs, and why it does not in the others."""
    reasons = folder(rule) / "elsewhere.toml"
    missing = tomllib.loads(reasons.read_text(encoding="utf-8")) if reasons.is_file() else {}
    occurs = [title for framework, title in FRAMEWORKS.items() if framework not in missing]
    yield "\n\n".join(("## Where it occurs", f"In programs of {', '.join(occurs)}.", *missing.values()))


def examples(rule: Rule) -> Iterator[str]:
    """The bad program, its report and the good program, for each framework that has them."""
    for framework, title in FRAMEWORKS.items():
        bad, report, good = (
            folder(rule) / f"{name}_{framework}.{ending}" for name, ending in (("bad", "py"), ("bad", "txt"), ("good", "py"))
        )
        if bad.is_file() and good.is_file():
            yield f"## Example in {title}\n\n{fenced(bad, 'python')}"
            if report.is_file():
                yield f"What `whygrad run {bad.name}` says:\n\n{fenced(report, 'text')}"
            yield f"Use instead:\n\n{fenced(good, 'python')}"


def fenced(path: Path, language: str) -> str:
    """A file as a block of code."""
    return f"```{language}\n{path.read_text(encoding='utf-8').rstrip()}\n```"


def table(rules: tuple[Rule, ...]) -> str:
    """The table of all rules, with a link to each page."""
    rows = (f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.severity} | {rule.summary} |" for rule in rules)
    return "\n".join(("# Rules", "", "| code | name | gravest | what it finds |", "|---|---|---|---|", *rows, ""))
