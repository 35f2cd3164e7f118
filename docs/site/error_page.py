"""The page of common error messages, from `errors.toml`."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whygrad.diagnosis import Rule

TABLE = Path(__file__).parent / "errors.toml"
HEAD = """# Error messages and what causes them

The line that raised is seldom the line to mend. For each message: what brings programs there, and the rules that tell the causes apart. Search this page
for the text of your message, or run `whygrad run` on the program: the report names the line where the fault was made.
"""


def entries() -> list[dict[str, Any]]:
    """The table: framework, exception, message, rules, cause, and a program that raises it."""
    found: list[dict[str, Any]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))["error"]
    return found


def page(rules: Mapping[str, Rule]) -> str:
    """The whole page, by framework."""
    parts = [HEAD]
    for framework in dict.fromkeys(entry["framework"] for entry in entries()):
        parts.append(f"## {framework}")
        parts += [section(entry, rules) for entry in entries() if entry["framework"] == framework]
    return "\n\n".join(parts) + "\n"


def section(entry: Mapping[str, Any], rules: Mapping[str, Rule]) -> str:
    """One message."""
    links = "\n".join(f"- [{code} {rules[code].name}](../rules/{code}.md): {rules[code].summary}" for code in entry["rules"])
    program = f"The smallest program that raises it:\n\n```python\n{entry['code'].strip()}\n```"
    heading = _code(f"{entry['raised']}: {entry['message']}")
    parts = [f"### {heading}", entry["cause"], links, program]
    return "\n\n".join(part for part in parts if part)


def _code(text: str) -> str:
    """Text set as code, which may hold backticks itself."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"
