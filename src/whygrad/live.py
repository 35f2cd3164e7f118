"""`--live`: a display at the bottom of the terminal while the program runs above it, and sentences where there is no terminal.

The program's output is not touched: the terminal is told to scroll only the lines above the display (DECSTBM, which every terminal since the
VT100 has), and each picture goes out in one write that puts the cursor back where the program had it.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from whygrad.delivery import Screen
from whygrad.diagnosis import Diagnosis, Report
from whygrad.ir import Course, Record, Step
from whygrad.reports.figures import counted
from whygrad.reports.live import View, frame, layers_of, told
from whygrad.waiting import TOLD_EVERY, Clock

LINES = 12
"""Of the display; a third of a terminal that is low."""
LOWEST = 12
"""Terminals with fewer lines than this get sentences: a display would leave the program too little."""
EVERY = 0.25
"""Seconds between two pictures: a reader follows no faster."""
SHARE = 20
"""A picture may cost one part in so many of the time: a slow one is drawn less often."""


@dataclass(slots=True)
class Panel:
    """The lower lines of a terminal, kept out of what scrolls."""

    screen: Screen
    rows: int = 0
    columns: int = 0
    held: int = 0
    """Lines that are kept out now."""

    def show(self, view: View) -> bool:
        """Draw; False where there is no room for a display, or no terminal."""
        columns, rows = self.size()
        if rows < LOWEST or os.environ.get("TERM", "") == "dumb":
            return False
        if (columns, rows) != (self.columns, self.rows):
            self.hold(columns, rows)
        lines = frame(view, columns - 1, self.held, color=self.screen.color, unicode=self.screen.unicode)
        painted = "".join(f"\x1b[{rows - self.held + 1 + at};1H\x1b[2K{line}" for at, line in enumerate(lines))
        self.screen.print(f"\x1b7\x1b[?25l{painted}\x1b8\x1b[?25h")
        return True

    def size(self) -> tuple[int, int]:
        """Columns and rows; (0, 0) where there is no terminal."""
        try:
            found = os.get_terminal_size(self.screen.stream.fileno()) if self.screen.stream is not None else (0, 0)
        except (OSError, ValueError):
            return 0, 0
        return found[0], found[1]

    def hold(self, columns: int, rows: int) -> None:
        """Take the lower lines out of what scrolls; lines of the program that stood there move up first."""
        self.release()
        self.columns, self.rows, self.held = columns, rows, min(LINES, rows // 3)
        self.screen.print("\n" * self.held + f"\x1b[{self.held}A" + f"\x1b7\x1b[1;{rows - self.held}r\x1b8")

    def release(self) -> None:
        """Give the lines back, empty."""
        if self.held:
            first = self.rows - self.held + 1
            self.screen.print(f"\x1b7\x1b[r\x1b[{first};1H\x1b[J\x1b8")
            self.rows = self.columns = self.held = 0


@dataclass(slots=True)
class Live:
    """Follows one run; every call comes from the program's own thread, between its steps."""

    screen: Screen
    program: str
    so_far: Callable[[], Record] = Record
    judged: Callable[[Record], Report | None] = lambda _: None
    clock: Clock = time.monotonic
    view: View = field(default_factory=lambda: View(""))
    panel: Panel | None = None
    began: float = 0.0
    due: float = 0.0
    before: View = field(default_factory=lambda: View(""))
    over: bool = False

    def begin(self) -> None:
        """The program is about to start."""
        self.began = self.clock()
        self.view = self.before = View(self.program)
        self.panel = Panel(self.screen)
        self.draw()

    def measuring(self, step: Step, done: int) -> None:
        """A recorded step is about to be run again."""
        self.view = replace(self.view, state=f"measuring step {step.index}, replay {done + 1}")
        if self.clock() >= self.due:
            self.draw()

    def kept(self, step: Step) -> None:
        """A recorded step is over."""
        record = self.so_far()
        self.view = replace(
            self.view, steps=step.index + 1, state=f"step {step.index} recorded", layers=layers_of(step.parameters),
            measures=step.measures, curve=_curve(record), diagnoses=self.found(record),
        )  # fmt: skip
        self.draw()

    def found(self, record: Record) -> tuple[Diagnosis, ...]:
        """Root causes that stand on what is recorded so far, without mere notes."""
        report = self.judged(record)
        shown = report.diagnoses if report is not None else ()
        return tuple(diagnosis for diagnosis in shown if diagnosis.root_cause and diagnosis.severity != "note")

    def passed(self, index: int) -> None:
        """A step is over, recorded or not: this is called for every step of the program, and mostly looks at the clock alone."""
        if self.clock() < self.due:
            return
        recorded = self.view.measures.loss is not None
        self.view = replace(self.view, steps=index + 1, state="watching" if recorded else self.view.state, curve=_curve(self.so_far()))
        self.draw()

    def draw(self) -> None:
        """Draw now, or tell what is new; decide when the next picture is due. After the end the report says all of it."""
        if self.over:
            return
        began = self.clock()
        self.view = replace(self.view, seconds=began - self.began)
        drawn = self.panel is not None and self.panel.show(self.view)
        if not drawn:
            self.tell()
        ended = self.clock()
        self.due = ended + max(EVERY if drawn else TOLD_EVERY, SHARE * (ended - began))

    def tell(self) -> None:
        """Sentences on what is new."""
        lines = list(told(self.before, self.view))
        if not lines and self.view.steps > self.before.steps and self.view.curve:
            lines = [f"{counted(self.view.steps, 'step')}, loss {self.view.curve[0]:.3g} at first and {self.view.curve[-1]:.3g} now"]
        self.before = self.view
        for line in lines:
            self.screen.print(f"whygrad: {line}\n")

    def end(self) -> None:
        """The program is over, or somebody else takes the terminal."""
        self.over = True
        if self.panel is not None:
            self.panel.release()
            self.panel = None


def _curve(record: Record) -> tuple[float, ...]:
    """Of the loss that was seen most often."""
    course = max(record.courses, key=lambda course: course.steps, default=Course(0))
    return course.curve
