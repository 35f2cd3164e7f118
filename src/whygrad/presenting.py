"""The report that Python code is given: the same data, with the forms in which people look at it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from html import escape
from typing import Literal

from whygrad import diagnosis
from whygrad.reports import json_report

Gate = Literal["error", "warning", "never"]
WIDTH = 100
HEIGHT = 640
"""Of the report in a notebook, in pixels: it scrolls."""


@contextmanager
def random_kept() -> Iterator[None]:
    """What libraries draw from Python's own generator while they are imported is none of the program's business."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


@dataclass(frozen=True, slots=True, repr=False)
class Report(diagnosis.Report):
    """What whygrad found. Printed, it is the report of the command; at the end of a notebook cell it shows itself.

    `healthy` is True where nothing was found, False with an error or a warning, and None where nothing could be judged (`reason` says why).
    `diagnoses` holds what was found, root causes first; `measures` the figures, `measures.label_sensitivity` above all.
    """

    @classmethod
    def of(cls, found: diagnosis.Report) -> "Report":
        """The same report with these forms."""
        return cls(**{field.name: getattr(found, field.name) for field in fields(diagnosis.Report)})

    @property
    def root_causes(self) -> tuple[diagnosis.Diagnosis, ...]:
        """The diagnoses that nothing else explains, the surest and gravest first."""
        return tuple(item for item in self.diagnoses if item.root_cause)

    def gates(self, fail_on: Gate = "error") -> bool:
        """Whether a diagnosis is as grave as this."""
        grave = {"error": ("error",), "warning": ("error", "warning"), "never": ()}[fail_on]
        return any(item.severity in grave for item in self.diagnoses)

    def __str__(self) -> str:
        with random_kept():
            from whygrad.reports import terminal  # noqa: PLC0415 - rich draws from Python's generator while it is imported

            return terminal.render(self, width=WIDTH).rstrip("\n")

    def json(self) -> str:
        """The JSON report."""
        return json_report.render(self)

    def __repr__(self) -> str:
        return str(self)

    def html(self) -> str:
        """The report as one page that needs nothing else."""
        with random_kept():
            from whygrad.reports import html  # noqa: PLC0415 - jinja2 is loaded only for those who ask

            return html.render(self)

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that its style and script stay apart from the notebook's."""
        page = escape(self.html(), quote=True)
        return f'<iframe srcdoc="{page}" sandbox="allow-scripts" title="whygrad" style="width:100%;height:{HEIGHT}px;border:0"></iframe>'
