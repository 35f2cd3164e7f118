"""Write the pages that are made from the package itself: rules, losses, error messages, commands. `python docs/site/every_page.py`, then `mkdocs build`."""

import json
from collections.abc import Iterator
from pathlib import Path

import command_page
import error_page
import loss_page
import rule_pages

from whygrad.reports.json_report import schema
from whygrad.rules import load_rules

DOCS = Path(__file__).parents[1]


def pages() -> Iterator[tuple[str, str]]:
    """Every made page: its path below docs/ and its text."""
    rules = load_rules()
    yield "rules/README.md", rule_pages.table(rules)
    yield from ((f"rules/{rule.code}.md", rule_pages.page(rule)) for rule in rules)
    yield "reference/losses.md", loss_page.page()
    yield "reference/errors.md", error_page.page({rule.code: rule for rule in rules})
    yield "reference/commands.md", command_page.page()
    yield "reference/report-schema.json", json.dumps(schema(), indent=1) + "\n"


def main() -> None:
    """Write all pages."""
    count = 0
    for path, text in pages():
        target = DOCS / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        count += 1
    print(f"{count} pages below {DOCS}")


if __name__ == "__main__":
    main()
