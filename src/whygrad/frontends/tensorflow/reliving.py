"""A compiled step that was not recorded and went wrong: the program's own step is run again from earlier values, until it shows where."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from whygrad.frontends.arrays import numbers
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.rehearsal import value_of

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

DENSE = 8
"""Steps at the start of which the values of the variables are kept every time: rates that are far too large are felt at once."""
EVERY = 32
"""Steps after which they are kept later on: reading a variable takes 5 µs, so that sixty of them cost a small step of 1 ms one per cent."""
LARGEST = 64 * 2**20
"""Bytes of all variables up to which they are kept at all: two such copies are small beside what TensorFlow itself takes."""
MOST = 2 * EVERY + DENSE
"""How often the step is run again at most."""
PATIENCE = 1.0
"""Seconds of computing that running it again may take, or a twentieth of what the program has computed."""


OPAQUE = (tf.resource, tf.variant, tf.string)

Values = tuple[tuple[Any, Any], ...]
"""Variables, each with a value."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The variables as they were when so many steps had run."""

    step: int
    values: Values


@dataclass(frozen=True, slots=True)
class Again:
    """A step on one batch: as it is compiled, and as it is recorded."""

    run: Callable[[], Any]
    rehearse: Callable[[], None]


class Reliving:
    """Keeps the variables of some steps, and goes back to them."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder
        self._kept: deque[Kept] = deque(maxlen=2)
        self._noted = 0
        self._began = time.process_time()
        self._spent = False

    def note(self) -> None:
        """A step is over, or about to be recorded: keep the variables if it is time."""
        self._noted += 1
        if self._spent or (self._noted > DENSE and self._noted % EVERY):
            return
        found = self._values()
        if sum(value.dtype.size * int(np.prod(value.shape)) for _, value in found) > LARGEST:
            self._spent = True
            self._kept.clear()
            return
        self._kept.append(Kept(self.recorder.index, found))

    def _values(self) -> Values:
        living = self.recorder.ledger.values.living()
        with self.recorder.aside():
            return tuple((v, value) for _, v in living if (value := value_of(v)) is not None and value.dtype not in OPAQUE)

    def again(self, index: int, step: Again, others: Iterable[Again] = ()) -> None:
        """Step `index` has given what is not finite: run it from the kept values until it does so again, and record that; else one of others."""
        recorder = self.recorder
        known = any(step.births for step in recorder.steps)
        if self._spent or known or recorder.random_ran or recorder.settings.experiments == "off":
            return
        self._spent = True
        now = self._values()
        try:
            before = _broken(self._kept[0].values) if self._kept else set()
            living = {id(variable) for variable, _ in now}
            usable = (kept for kept in reversed(self._kept) if living == {id(v) for v, _ in kept.values} and _broken(kept.values) <= before)
            tried = tuple(usable)
            kept = next((kept for kept in tried if self._reached(kept, step.run)), None)
            if kept is not None:
                self._recorded(kept, index, step.rehearse)
            elif tried and (found := self._odd_one(tried[0], others)) is not None:
                self._recorded(tried[0], index, found.rehearse)
        except Exception as problem:  # noqa: BLE001 - a fault of ours must not end the program
            recorder.broken("again", problem)
        finally:
            _put(now)
            self._kept.clear()

    def _odd_one(self, kept: Kept, others: Iterable[Again]) -> Again | None:
        """The first of other batches on which the step, from kept values, gives what is not finite; the variables are then as kept."""
        before = _broken(kept.values)
        ends = time.process_time() + max(PATIENCE, (time.process_time() - self._began) / 20)
        with self.recorder.aside():
            for other in others:
                _put(kept.values)
                result = None
                with suppress(Exception):  # what stops the program's own step is no news here
                    result = other.run()
                if not _told_finite(result) or _broken(tuple((v, value_of(v)) for v, _ in kept.values)) - before:
                    _put(kept.values)
                    return other
                if time.process_time() > ends:
                    return None
        return None

    def _reached(self, kept: Kept, run: Callable[[], Any]) -> bool:
        """Whether the step gives something that is not finite again; the variables are then as before it did."""
        with self.recorder.aside():
            return self._searched(kept, run)

    def _searched(self, kept: Kept, run: Callable[[], Any]) -> bool:
        _put(kept.values)
        before_it = _broken(kept.values)
        ends = time.process_time() + max(PATIENCE, (time.process_time() - self._began) / 20)
        for _ in range(MOST):
            before = tuple((variable, value_of(variable)) for variable, _ in kept.values)
            result = None
            with suppress(Exception):  # what stops the program's own step is no news here
                result = run()
            if not _told_finite(result) or _broken(tuple((v, value_of(v)) for v, _ in kept.values)) - before_it:
                _put(before)
                return True
            if time.process_time() > ends:
                return False
        return False

    def _recorded(self, kept: Kept, index: int, rehearse: Callable[[], None]) -> None:
        """Record the step, in the place of the one that went wrong."""
        recorder = self.recorder
        now, recorder.index = recorder.index, index
        with recorder.kinds.one_more(), recorder.optimizers.unchanged():
            recorder.switch_on()
            rehearse()
        recorder.index = now
        recorder.rest()
        recorder.limits.append(
            f"step {index} was not recorded when it ran: one like it was run again from the values that {kept.step} steps had left, on a batch that was at hand"
        )


def _broken(values: Values) -> set[int]:
    """Variables that are not finite; a best loss so far may begin at infinity."""
    return {id(variable) for variable, value in values if not _finite(value)}


def _put(values: Values) -> None:
    """Set variables."""
    for variable, value in values:
        _compat.write(variable, value)


def _told_finite(result: Any) -> bool:
    """The numbers that a step returned are finite: a loss may be NaN where its derivative is none."""
    numbers_told = (_compat.number(item) for item in tf.nest.flatten(result))
    return all(number is None or np.isfinite(number) for number in numbers_told)


def _finite(value: Any) -> bool:
    """Every number of it is finite."""
    array = numbers(value.numpy()) if value is not None and value.dtype.is_floating else None
    return array is None or bool(np.isfinite(array).all())
