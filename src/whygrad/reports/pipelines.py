"""The report for pipelines: annotations as GitHub's runners read them, and a JUnit file as most servers do."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from whygrad.diagnosis import Diagnosis, Report
from whygrad.reports.excerpts import CONTROL

LEVELS = {"error": "error", "warning": "warning", "note": "notice"}


def annotations(report: Report) -> str:
    """One line for each root cause: `::error file=train.py,line=10,…::…`."""
    return "".join(f"{annotation(item)}\n" for item in report.diagnoses if item.root_cause)


def annotation(item: Diagnosis) -> str:
    """One line, with the escapes of https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""
    words = dict(_place(item))
    words["title"] = f"{item.rule} {item.name}"
    settings = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in words.items())
    text = "\n".join((item.message, *(each.statement for each in item.evidence), *([f"help: {item.help}"] if item.help else [])))
    return f"::{LEVELS[item.severity]} {settings}::{_escaped(text)}"


def _place(item: Diagnosis) -> Iterator[tuple[str, str]]:
    site = item.site
    if site is None:
        return
    yield "file", site.file
    yield "line", str(site.line)
    if site.column and site.end_line in (0, site.line):
        yield "col", str(site.column)
        yield "endColumn", str(max(site.column, site.end_column - 1))


def _escaped(text: str, also: str = "") -> str:
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def junit(report: Report) -> str:
    """One test case for each rule that judged; a root cause is its failure, a run that could not be judged an error."""
    roots = [item for item in report.diagnoses if item.root_cause and item.severity != "note"]
    suites = ET.Element("testsuites", name="whygrad")
    suite = ET.SubElement(suites, "testsuite", name="whygrad", tests=str(len(report.coverage.judged) or 1), failures=str(len(roots)))
    suite.set("errors", str(int(report.healthy is None)))
    for code in report.coverage.judged:
        case = ET.SubElement(suite, "testcase", classname=_plain(report.program), name=code)
        for item in (item for item in roots if item.rule == code):
            failure = ET.SubElement(case, "failure", message=_plain(item.message), type=f"{item.rule} {item.name}")
            failure.text = _plain("\n".join((*_source(item), *(each.statement for each in item.evidence), item.help)))
    if report.healthy is None:
        case = ET.SubElement(suite, "testcase", classname=_plain(report.program), name="judged")
        ET.SubElement(case, "error", message=_plain(report.reason or "nothing was judged"))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _source(item: Diagnosis) -> Iterator[str]:
    """The place, and the line that stands there."""
    if item.site is not None:
        yield f"{item.site.file}:{item.site.line}"
        if item.site.text.strip():
            yield f"  {item.site.text.strip()}"


def _plain(text: str) -> str:
    """Text without the characters that XML has no way to write."""
    return "\n".join(CONTROL.sub("?", line) for line in text.encode("utf-8", "replace").decode().split("\n"))
