"""whygrad inside a program that is already running: what the Python interface and the one-line integrations start and end."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from whygrad.delivery import screen, stderr
from whygrad.diagnosis import Coverage
from whygrad.errors import WhygradError
from whygrad.frontends import FRONT_ENDS, Recording
from whygrad.frontends.raising import raised
from whygrad.frontends.source import Sources
from whygrad.frontends.watching import Watching, watched
from whygrad.ir import Outcome, Record, Step
from whygrad.judging import Choice, fault_line, judge
from whygrad.mending import with_fixes
from whygrad.observing import Audience, Observing
from whygrad.presenting import Report, random_kept
from whygrad.program import Target
from whygrad.session import choose, failed_report, shown
from whygrad.settings import Settings


@dataclass(slots=True)
class Embedded:
    """Watches the frameworks of this process from `start` to `finish`: those that are imported already, and those that come."""

    settings: Settings = field(default_factory=Settings)
    front_ends: Mapping[str, str] = field(default_factory=lambda: FRONT_ENDS)
    folder: Path = field(default_factory=Path.cwd)
    name: str = field(default_factory=lambda: sys.argv[0] or "python")
    """What reports call the program."""
    repeatable: bool = True
    """The name is that of a program which a command can run again."""
    aside: tuple[str, ...] = ()
    """Families of rules that can't judge what is recorded, `WG4` for a step without an update."""
    known: tuple[object, ...] = ()
    """Models and optimizers that the program made before."""
    kept: Callable[[Step], None] = lambda _: None
    """Told of each recorded step, with its measures. What it raises is a fault of ours, and the program goes on."""
    sources: Sources = field(default_factory=lambda: Sources(time.time()))
    observing: Observing | None = None
    _choice: Choice | None = None
    _watching: Watching | None = None

    def start(self) -> bool:
        """Begin to record; False, and nothing else, where some whygrad already watches this process.

        Raises `WhygradError` if it was started before, or for settings that name no rule.
        """
        if self.observing is not None:
            raise WhygradError("this recording was started before", help="make a new one for another run")
        if watched():
            return False
        with random_kept():
            self._choice = chosen = self._rules()
            recording = Recording(self.settings.steps, self.settings.at_step, self.settings.experiments, known=self.known)
            self.observing = Observing(Target(self.name), recording, lambda: chosen.rules, self.front_ends, None, Audience(self.kept))
            self._watching = Watching(self.front_ends, self.observing.attach, patient=True)
            self._watching.install()
        return True

    def _rules(self) -> Choice:
        choice = choose(self.settings)
        return replace(choice, rules=tuple(rule for rule in choice.rules if not rule.code.startswith(self.aside or "-")))

    def finish(self, problem: BaseException | None = None) -> Report:
        """End the recording and judge it; `problem`: what ended the training. Raises `WhygradError` if it never started."""
        if self.observing is None or self._watching is None:
            raise WhygradError("this recording was never started", help="call `start` first")
        self._watching.remove()
        with random_kept():
            self.observing.problem = problem
            record = self.observing.finish(Outcome(0, raised(problem, self.sources) if problem is not None else None))
            return self._judged(record)

    def so_far(self) -> Report:
        """The report on what is recorded until now; the recording goes on."""
        if self.observing is None:
            raise WhygradError("this recording was never started", help="call `start` first")
        return self._judged(self.observing.so_far())

    @property
    def settled(self) -> bool:
        """Every kind of step that was seen has its recorded steps, and for a while nothing new came."""
        return self.observing is not None and self.observing.settled

    def _judged(self, record: Record) -> Report:
        assert self._choice is not None
        try:
            found = with_fixes(judge(record, self._choice, self.folder), self.folder)
        except Exception as problem:  # noqa: BLE001 - told in the report; the program goes on
            found = failed_report(record, fault_line("judging the record failed", problem))
        left = tuple(rule.code for rule in choose(self.settings).rules if rule not in self._choice.rules)
        told: Coverage = replace(found.coverage, not_applicable=(*found.coverage.not_applicable, *left))
        return Report.of(replace(found, coverage=told, repeatable=self.repeatable))


def print_report(report: Report) -> None:
    """The terminal report, on stderr."""
    at = screen(stderr())
    with random_kept():
        at.print("\n" + shown(report, at))
