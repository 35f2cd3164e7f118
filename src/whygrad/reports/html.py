"""The report as one page that needs nothing else: no network, no other file.

Names and source lines are the user's and untrusted: the template escapes them, the picture's data stand in a block that no browser runs, and a
Content-Security-Policy lets only our own script and style through, by their digests.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from importlib.resources import files
from math import isfinite
from typing import Any

from jinja2 import Environment, Template
from markupsafe import Markup, escape

from whygrad.diagnosis import Fix, Gauge, Picture, Report, Scalar
from whygrad.ir import Site
from whygrad.reports.curves import curve
from whygrad.reports.excerpts import excerpt, neighbours, place, tame
from whygrad.reports.figures import counted, figure, gradient_sentence, labels_sentence, run_sentence, sensitivity_sentence
from whygrad.reports.repairs import row_name

SCRIPTS = ("dagre.min.js", "report.js")
STYLE = "report.css"
PAGE = "report.html.j2"
WIDTH = 240
"""Characters of a source line; the page scrolls sideways."""
UNKNOWN = "–"
"""Stands where a figure would."""


def render(report: Report) -> str:
    """The whole page."""
    scripts, style = tuple(_text(name) for name in SCRIPTS), _text(STYLE)
    return _page().render(
        report=report,
        headline=headline(report),
        standing=standing(report),
        roots=[item for item in report.diagnoses if item.root_cause],
        cards=list(cards(report)),
        facts=list(facts(report)),
        path=report.picture.path,
        curve=curve(report.picture, tried(report)),
        data=data(report.picture),
        style=Markup(style),  # noqa: S704 - our own file
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own files
        policy=policy(scripts, style),
    )


def tried(report: Report) -> Fix | None:
    """The fix whose patched program was run, if there was one."""
    return next((item.fix for item in report.diagnoses if item.fix is not None and item.fix.curve), None)


def _text(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(
        ticked=ticked, figure=figure, measured=measured, place=place, marked=marked, counted=counted, neighbours=neighbours,
        gradient_of=gradient_of, patch=patch, row_name=row_name,
    )  # fmt: skip
    return environment


def _page() -> Template:
    return _environment().from_string(_text(PAGE))


def policy(scripts: tuple[str, ...], style: str) -> str:
    """The Content-Security-Policy: nothing from anywhere but what has these digests."""
    allowed = " ".join(_digest(script) for script in scripts)
    return f"default-src 'none'; script-src {allowed}; style-src {_digest(style)}; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def ticked(text: str) -> Markup:
    """Text with what stands in backticks set as code."""
    parts = tame(text).split("`")
    if len(parts) % 2 == 0:
        return escape(tame(text))
    pieces = (Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts))
    return Markup("").join(pieces)


def marked(site: Site) -> Markup:
    """The source line with the place marked."""
    shown = excerpt(site, WIDTH)
    if shown is None:
        return Markup("")
    before, inside = shown.text[: shown.start], shown.text[shown.start : shown.start + shown.length]
    return Markup("{}<mark>{}</mark>{}").format(before, inside, shown.text[shown.start + shown.length :])


def measured(value: Scalar) -> str:
    """A figure of a fix; words stay words."""
    return figure(value) if isinstance(value, float | int) else tame(str(value))


def headline(report: Report) -> str:
    """The one sentence."""
    if report.healthy is None:
        return f"nothing was judged: {report.reason or 'there is no training step in the record'}"
    leader = next((item for item in report.diagnoses if item.root_cause), None)
    return leader.message if leader is not None else "no fault found"


def standing(report: Report) -> str:
    """What a sound run rests on: how much was asked of it."""
    return f"{counted(len(report.coverage.judged), 'rule')} judged this run, {run_sentence(report)}" if report.healthy else ""


def cards(report: Report) -> Iterator[tuple[str, str, str]]:
    """The few figures that lead: what, how much, in words that do not say the figure again."""
    if not report.steps_recorded:
        return
    sensitivity, norm, loss = report.measures.label_sensitivity, report.measures.gradient_norm, report.measures.loss
    if report.labels.values:
        large = figure(sensitivity) if sensitivity is not None and isfinite(sensitivity) else UNKNOWN
        yield "label sensitivity", large, sensitivity_sentence(report.measures).removeprefix(f"{large} ")
    yield "gradient norm", UNKNOWN if norm is None else figure(norm), gradient_sentence(report).removeprefix(f"norm {figure(norm)}; ")
    yield "loss", UNKNOWN if loss is None else figure(loss), "not known" if loss is None else "at the judged step"
    yield "updates", str(report.updates), f"in {counted(report.outcome.steps_seen, 'step')}"


def gradient_of(gauge: Gauge) -> str:
    """A parameter's gradient in a word or a figure."""
    finite = gauge.trainable and gauge.gradient == "finite" and gauge.gradient_norm is not None
    return figure(gauge.gradient_norm) if finite else gauge.gradient if gauge.trainable else "frozen"


def patch(diff: str) -> Markup:
    """A diff with its lines told apart by colour as well as by their signs."""
    return Markup("\n").join(_coloured(tame(line)) for line in diff.rstrip().splitlines())


def _coloured(line: str) -> Markup:
    sort = {"+": "added", "-": "gone"}.get(line[:1])
    return escape(line) if sort is None or line.startswith(("+++", "---")) else Markup('<span class="{}">{}</span>').format(sort, line)


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """What stands folded at the end: how the run went, and what could not be seen."""
    yield "run", run_sentence(report)
    if report.steps_recorded:
        yield "labels", labels_sentence(report)
    for kind in report.kinds if len(report.kinds) > 1 else ():
        yield f"kind {kind.id}", f"{counted(kind.parameters, 'parameter')} with a gradient, steps {', '.join(map(str, kind.steps))}"
    yield "rules", f"{counted(len(report.coverage.judged), 'rule')} judged this run"
    for code, reason in report.coverage.unable.items():
        yield code, f"could not judge: {reason}"
    for item in report.suppressed:
        yield "silenced", f"{item.rule}: {item.message}"
    for limit in report.limits:
        yield "limit", limit
    for fault in report.faults:
        yield "fault of whygrad", fault.splitlines()[0]


def data(picture: Picture) -> Markup:
    """The picture as JSON that can't end the block it stands in."""
    plain = {
        "blocks": [asdict(block) for block in picture.blocks],
        "arrows": picture.arrows,
        "gauges": [asdict(each) for each in picture.gauges],
    }
    text = json.dumps(_finite(plain), ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))  # noqa: S704 - no character is left that HTML reads


def _finite(value: Any) -> Any:
    """JSON has no NaN: numbers that are none become words."""
    if isinstance(value, float) and not isfinite(value):
        return figure(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
