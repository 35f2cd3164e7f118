"""Kinds of step: which were seen, and of which more recorded steps are wanted."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST_ATTEMPTS = 4
"""How often recording is switched on again for a kind that then did not come: a rare step must not keep the recorder on."""
PATIENCE = 16
"""Recorded steps of kinds that are complete already, after which recording is switched off while another kind is awaited."""
MOST_AGAIN = 2
"""How often a change of the program's makes it worth while to record more steps."""
MOST_CHANGES = 2
"""How often a step that is made otherwise than before begins new kinds: a schedule that changes the loss in each step must not keep the recorder on."""
MOST_BEGUN = 16
"""How many trainings that begin later on are looked at: a program that makes its step anew in each turn of a loop has as many as turns."""

Key = tuple[frozenset[object], frozenset[object], int]


@dataclass(slots=True)
class Kinds:
    """The kinds seen so far; `wanted` steps of each are recorded."""

    wanted: int
    armed: bool = False
    """Recording begins with the next step."""
    asked: bool = False
    """The step asked for by number was reached."""
    _numbers: dict[Key, int] = field(default_factory=dict)
    _recorded: dict[int, int] = field(default_factory=dict)
    _attempts: dict[int, int] = field(default_factory=dict)
    _idle: int = 0
    _again: int = 0
    _changes: int = 0
    """How often the step has changed so much that what comes is judged by itself."""
    _begun: set[object] = field(default_factory=set)

    def kind(self, optimizers: Iterable[object], sites: Iterable[object]) -> int:
        """The number of the kind of a step: who updated, where the backward was, and since which change."""
        key = (frozenset(optimizers), frozenset(sites), self._changes)
        return self._numbers.setdefault(key, len(self._numbers))

    def wants(self, kind: int) -> bool:
        """Whether another recorded step of this kind is wanted."""
        lacking = self._recorded.get(kind, 0) < self.wanted
        self._idle = 0 if lacking else self._idle + 1
        return lacking

    def recorded(self, kind: int) -> None:
        """A step of this kind was recorded."""
        self._recorded[kind] = self._recorded.get(kind, 0) + 1

    def noticed(self, kind: int) -> None:
        """A step of this kind passed unrecorded: record the next one if steps of it are missing."""
        if self._recorded.get(kind, 0) < self.wanted and self._attempts.get(kind, 0) < MOST_ATTEMPTS:
            self._attempts[kind] = self._attempts.get(kind, 0) + 1
            self._idle = 0
            self.armed = True

    def begun(self, training: object) -> bool:
        """It is known, or so many are that no more are looked at."""
        return training in self._begun or len(self._begun) >= MOST_BEGUN

    def begins(self, training: object) -> None:
        """A training runs, known by this: where it is the first time, a step of it is looked at, which may be of a kind of its own."""
        if not self.begun(training):
            self._begun.add(training)
            self._idle = 0
            self.armed = True

    def again(self) -> None:
        """Something has changed since the steps were recorded: record one more of each kind."""
        if self._again < MOST_AGAIN:
            self._again += 1
            self.wanted += 1
            self.armed = True
            self._attempts.clear()
            self._idle = 0

    def changed(self) -> None:
        """From here on the step is another one: record it as a kind of its own."""
        if self._changes < MOST_CHANGES:
            self._changes += 1
            self.armed = True
            self._attempts.clear()
            self._idle = 0

    @property
    def waited(self) -> bool:
        """No new kind of step has come for long."""
        return self._idle >= PATIENCE

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """While one more step is recorded than were wanted."""
        self.wanted += 1
        try:
            yield
        finally:
            self.wanted -= 1

    @property
    def complete(self) -> bool:
        """Every kind seen since the last change has its recorded steps, or those missing did not come for long."""
        seen = [number for key, number in self._numbers.items() if key[-1] == self._changes]
        return self.waited or all(
            self._recorded.get(kind, 0) >= self.wanted or self._attempts.get(kind, 0) >= MOST_ATTEMPTS for kind in seen
        )
