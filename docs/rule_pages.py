"""Write a page for each rule from its docstring, and a table of all of them, into docs/rules."""

from pathlib import Path

from whygrad.diagnosis import Rule
from whygrad.rules import load_rules

FOLDER = Path(__file__).parent / "rules"


def page(rule: Rule) -> str:
    """One rule's page."""
    return f"# {rule.code} {rule.name}\n\nGravest severity: {rule.severity}.\n\n{rule.documentation}\n"


def table(rules: tuple[Rule, ...]) -> str:
    """The table of all rules, with a link to each page."""
    rows = (f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.severity} | {rule.summary} |" for rule in rules)
    return "\n".join(("# Rules", "", "| code | name | gravest | what it finds |", "|---|---|---|---|", *rows, ""))


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(exist_ok=True)
    rules = load_rules()
    for rule in rules:
        (FOLDER / f"{rule.code}.md").write_text(page(rule), encoding="utf-8")
    (FOLDER / "README.md").write_text(table(rules), encoding="utf-8")
    print(f"{len(rules)} pages in {FOLDER}")


if __name__ == "__main__":
    main()
