"""whygrad inside a program that is already running: what the one-line integrations start and end."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from whygrad.delivery import screen, stderr
from whygrad.diagnosis import Report
from whygrad.errors import WhygradError
from whygrad.frontends import FRONT_ENDS, Recording
from whygrad.frontends.raising import raised
from whygrad.frontends.source import Sources
from whygrad.frontends.watching import watched
from whygrad.ir import Outcome
from whygrad.judging import judge
from whygrad.observing import Observing
from whygrad.program import Target
from whygrad.session import choose, shown
from whygrad.settings import Settings


@dataclass(slots=True)
class Embedded:
    """Watches the frameworks that are already imported, from `start` to `finish`."""

    settings: Settings = field(default_factory=Settings)
    front_ends: Mapping[str, str] = field(default_factory=lambda: FRONT_ENDS)
    folder: Path = field(default_factory=Path.cwd)
    sources: Sources = field(default_factory=lambda: Sources(time.time()))
    observing: Observing | None = None

    def start(self) -> bool:
        """Begin to record; False, and nothing else, where `whygrad run` already watches this process.

        Raises `WhygradError` if it was started before, or if no framework that whygrad knows is imported.
        """
        if self.observing is not None:
            raise WhygradError("this recording was started before", help="make a new one for another run")
        if watched():
            return False
        names = [name for name in self.front_ends if name in sys.modules]
        if not names:
            raise WhygradError(
                "no framework that whygrad knows is imported",
                help=f"import one of {', '.join(self.front_ends)} before the recording starts",
            )
        recording = Recording(self.settings.steps, self.settings.at_step, self.settings.experiments)
        self.observing = Observing(Target(sys.argv[0] or "python"), recording, choose(self.settings).rules, self.front_ends, None)
        for name in names:
            self.observing.attach(name)
        return True

    def finish(self, problem: BaseException | None = None) -> Report:
        """End the recording and judge it; `problem`: what ended the training. Raises `WhygradError` if it never started."""
        if self.observing is None:
            raise WhygradError("this recording was never started", help="call `start` first")
        record = self.observing.finish(Outcome(0, raised(problem, self.sources) if problem is not None else None))
        return judge(record, choose(self.settings), self.folder)


def print_report(report: Report) -> None:
    """The terminal report, on stderr."""
    at = screen(stderr())
    at.print("\n" + shown(report, at))
