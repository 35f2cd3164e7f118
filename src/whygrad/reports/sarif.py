"""The report as SARIF 2.1.0, for viewers of code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from whygrad.diagnosis import Diagnosis, Report, Rule
from whygrad.ir import Site
from whygrad.reports.fingerprint import fingerprint

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
PROJECT = "https://pypi.org/project/whygrad/"


def render(report: Report, rules: Iterable[Rule]) -> str:
    """The whole log, of one run."""
    known = tuple(rules)
    order = {rule.code: at for at, rule in enumerate(known)}
    roots = [item for item in report.diagnoses if item.root_cause]
    run = {
        "tool": {
            "driver": {
                "name": "whygrad",
                "version": report.whygrad,
                "informationUri": PROJECT,
                "rules": [described(rule) for rule in known],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "the folder that the program was run from"}}},
        "invocations": [{"executionSuccessful": not report.faults, **_exit(report)}],
        "results": [result(item, order) for item in roots] + [result(item, order, silenced=True) for item in report.suppressed],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _exit(report: Report) -> dict[str, Any]:
    status = report.outcome.exit_status
    return {} if status is None else {"exitCode": status}


def described(rule: Rule) -> dict[str, Any]:
    """A rule as viewers list it, with its documentation as help."""
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "help": {"text": rule.documentation, "markdown": rule.documentation},
        "defaultConfiguration": {"level": rule.severity},
    }


def result(item: Diagnosis, order: dict[str, int], *, silenced: bool = False) -> dict[str, Any]:
    """One root cause."""
    found: dict[str, Any] = {
        "ruleId": item.rule,
        "level": item.severity,
        "message": {
            "text": "\n".join((item.message, *(each.statement for each in item.evidence), *([f"help: {item.help}"] if item.help else [])))
        },
        "partialFingerprints": {"whygrad/v1": fingerprint(item)},
        "properties": {"confidence": item.confidence},
    }
    if item.rule in order:
        found["ruleIndex"] = order[item.rule]
    if item.site is not None:
        found["locations"] = [location(item.site)]
    if item.related:
        found["relatedLocations"] = [
            {**location(other.site), "id": at, "message": {"text": other.message}} for at, other in enumerate(item.related)
        ]
    if item.fix is not None and item.fix.diff:
        changed = list(changes(item.fix.diff))
        told = item.fix.summary + ("" if item.fix.safe else f" (unsafe: {item.fix.changes})")
        found["fixes"] = [{"description": {"text": told}, "artifactChanges": changed}] if changed else []
    if silenced:
        found["suppressions"] = [{"kind": "inSource"}]
    return found


def changes(diff: str) -> Iterator[dict[str, Any]]:
    """A unified diff as replacements of whole lines, file by file."""
    for part in re.split(r"^--- .*\n(?=\+\+\+ )", diff, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        name = head.removeprefix("+++ ").split("\t")[0].removeprefix("b/")
        replacements = [
            replacement(int(start), lines) for start, lines in re.findall(r"^@@ -(\d+).*\n((?:[ +\\-].*\n?|\n)*)", body, re.MULTILINE)
        ]
        yield {"artifactLocation": artifact(name), "replacements": replacements}


def replacement(start: int, body: str) -> dict[str, Any]:
    """One hunk: its old lines give way to its new ones."""
    lines = [line for line in body.splitlines(keepends=True) if not line.startswith("\\")]
    old, new = ([line[1:] for line in lines if not line.startswith(other)] for other in "+-")
    return {
        "deletedRegion": {"startLine": start, "startColumn": 1, "endLine": start + len(old), "endColumn": 1},
        "insertedContent": {"text": "".join(new)},
    }


def artifact(file: str) -> dict[str, Any]:
    """A file below the folder of the run is given relative to it."""
    path = PurePath(file)
    uri = quote(path.as_posix())
    return {"uri": f"file://{uri}"} if path.is_absolute() else {"uri": uri, "uriBaseId": "SRCROOT"}


def location(site: Site) -> dict[str, Any]:
    """A place."""
    return {"physicalLocation": {"artifactLocation": artifact(site.file), "region": region(site)}}


def region(site: Site) -> dict[str, Any]:
    """Lines and columns, as far as they are known."""
    found: dict[str, Any] = {"startLine": max(1, site.line)}
    if site.end_line >= site.line:
        found["endLine"] = site.end_line
    if site.column:
        found["startColumn"] = site.column
        if site.end_column > (site.column if site.end_line in (0, site.line) else 0):
            found["endColumn"] = site.end_column
    if site.text:
        found["snippet"] = {"text": site.text}
    return found
