"""The two protocols between a front end and the rest: it offers a `Replay` of a recorded step, and reports to an `Observer`."""

from typing import Protocol

from whygrad.ir import Birth, Intervention, Measures, Record, Step, Trial


class Replay(Protocol):
    """A recorded step that can be run again, on copies, with one thing changed. All randomness is held."""

    def baseline(self) -> Measures:
        """The step unchanged, twice: loss, gradient norm, noise floor, whether it reproduced the recorded gradients bit for bit."""

    def run(self, intervention: Intervention) -> Trial:
        """The step with one thing changed; never raises for what can't be done, the trial says why instead."""

    def births(self, index: int) -> tuple[Birth, ...]:
        """Where numbers that are not finite are born when the step, number `index` of the run, is run again; never raises."""


class Observer(Protocol):
    """What a front end tells, and asks, while the program runs."""

    problem: BaseException | None
    """What ended the program, once it has ended; its frames still hold their variables."""

    def examine(self, step: Step, replay: Replay) -> Step:
        """Called while the step can still be replayed, before the update: returns it with its measures and trials filled in."""

    def keep(self, step: Step) -> None:
        """Called when a recorded step is over."""

    def ended(self, index: int, complete: bool) -> None:  # noqa: FBT001 - two facts about the step, in the order of every other call
        """Called after every step, recorded or not, with its number in the run.

        `complete`: every kind of step seen so far has its recorded steps. May raise `whygrad.program.Stop` (a `BaseException`), which the
        front end lets pass, to end the program (`check`).
        """

    def draft(self, record: Record) -> None:
        """Called after each recorded step with all that is known so far, so that a crash loses nothing."""

    def fault(self, where: str, problem: BaseException) -> None:
        """Called for a fault of whygrad itself; recording has ended, the program goes on."""
