"""What every trainer's callback does with its watch: stop or raise where that was asked for, and tell the report once."""

from dataclasses import dataclass

from whygrad.api import TrainingFault, Watch
from whygrad.embedded import Embedded, print_report
from whygrad.presenting import Gate, Report
from whygrad.settings import Settings


def gate(stop_on: Gate, *, raises: bool) -> Gate:
    """What ends a training: to raise means for errors, where nothing else is said."""
    return "error" if raises and stop_on == "never" else stop_on


@dataclass(slots=True)
class Trained:
    """A training that a callback watches."""

    watch: Watch
    quiet: bool
    raises: bool
    report: Report | None = None
    """What was found, once it was told."""

    @classmethod
    def by(cls, settings: Settings, stop_on: Gate, *, quiet: bool, raises: bool) -> "Trained":
        """One that is not watched yet."""
        return cls(Watch(Embedded(settings), stop_on=gate(stop_on, raises=raises)), quiet, raises)

    def is_over(self) -> bool:
        """Between steps: whether the training is to stop for a fault that is sure. Raises `TrainingFault` instead, if that was asked for."""
        try:
            self.watch.check()
        except TrainingFault:
            if self.raises:
                self.report = self.watch.report
                raise
            return True
        return False

    def ended(self, problem: BaseException | None = None) -> None:
        """The training is over: judge, print, and raise `TrainingFault` if that was asked for. `problem`: what ended it, which then goes on by itself."""
        told = self.report is not None
        self.report = self.watch.finish(problem)
        if self.report is None or told:
            return
        if not self.quiet and not isinstance(problem, TrainingFault):
            print_report(self.report)
        if self.raises and problem is None and self.report.gates(self.watch.stop_on):
            raise TrainingFault(self.report)
