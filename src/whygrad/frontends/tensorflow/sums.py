"""Gradients that the program adds up in variables of its own, until it hands these to an optimizer."""

from collections.abc import Iterable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends.arrays import wide
from whygrad.frontends.tensorflow.calls import Happened
from whygrad.frontends.tensorflow.scopes import is_tensor

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

ROUNDING = 1e-3
"""Share of its growth by which a sum may differ from what its gradients explain: single precision over many parts stays far below."""

SHARES = ("RealDiv", "Mul", "Identity")
"""Ops that make a multiple of what they are given."""

Arrays = dict[int, NDArray[Any]]


class Sums:
    """Listens to writes and updates; knows what the last update was handed."""

    def __init__(self, recorder: "TensorFlowRecorder") -> None:
        self.recorder = recorder
        self.used: Arrays = {}
        """Number of a parameter to the sum that the last recorded update used."""
        self.since: Arrays | None = {}
        """Number of a parameter to the sum of its gradients in the steps since then; None after a step that was not recorded."""
        self.emptied: list[tuple[int, Happened]] = []
        """Variables set to zero after a backward of this step, by number."""
        self.added: dict[int, Happened] = {}
        """Of variables written to after a backward of this step, the first such write, by number."""
        self.earlier: dict[int, Happened] = {}
        """The same of steps since the last update, where that is a step of its own."""

    def end_step(self) -> None:
        """The step under way is over; a schedule of its own may leave the update to a later one."""
        updated = self.recorder.running.updated
        self.since = None if not self.recorder.on else {} if updated else self._all_since()
        self.earlier = {} if updated else {**self.earlier, **self.added}
        self.emptied, self.added = [], {}

    def written(self, number: int, variable: Any, frame: FrameType) -> None:
        """A variable that is no parameter was written to after a backward."""
        ledger = self.recorder.ledger
        look = ledger.frames.look(frame)
        if variable is None or look.quiet or not look.points:
            return
        if bool(np.any(np.asarray(variable.numpy()))):
            self.added.setdefault(number, Happened("accumulate", ledger.at, (), look.trace))
        else:
            self.emptied.append((number, Happened("clear", ledger.at, (), look.trace)))

    def handed(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        """An update begins: each gradient with its variable."""
        recorder = self.recorder
        found = {into: (number, array) for number, into, array in self._sums(pairs)}
        handed = {number: into for into, (number, _) in found.items()}
        self._tell(self.emptied, handed)
        arrays = {into: array for into, (_, array) in found.items()}
        backward = next((event for event in recorder.ledger.events if event.kind == "backward"), None)
        if self._grew(arrays):
            told = self._tell({**self.earlier, **self.added}.items(), handed)
            for event in [backward] if backward is not None else told[:1]:
                event.attributes["stale"] = len(arrays)
        self.used = arrays

    def _tell(self, writes: Iterable[tuple[int, Happened]], handed: dict[int, int]) -> list[Happened]:
        """The writes to what this update was handed, one event for each place; `handed` gives the parameter of each variable."""
        told: dict[object, Happened] = {}
        for number, event in writes:
            name = self.recorder.assembly.names.get(handed.get(number, -1))
            if name is None:
                continue
            kept = told.setdefault(event.trace.user if event.trace is not None else None, event)
            kept.targets = tuple(dict.fromkeys((*kept.targets, name)))
        self.recorder.ledger.events.extend(told.values())
        return list(told.values())

    def _sums(self, pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[int, int, NDArray[Any]]]:
        """Of gradients that are variables: its number, that of the parameter, what it holds."""
        values = self.recorder.ledger.values
        for gradient, target in pairs:
            if gradient is None:
                continue
            into, inner = values.variable(getattr(target, "_value", target)), getattr(gradient, "_value", gradient)
            name = values.known(inner) if is_tensor(inner) else None
            held = values.seen[name].variable if name is not None else None
            entry = values.variable(inner) if not is_tensor(inner) else None
            number = entry.number if entry is not None else held
            if number is None and name is not None:
                number, inner = self._share(name)
            if into is not None and number is not None and number != into.number:
                yield number, into.number, np.asarray(inner.numpy(), dtype=np.float64)

    def _share(self, name: str) -> tuple[int | None, Any]:
        """The variable that a gradient is a multiple of, by the ops in front of it: its number, and itself."""
        values = self.recorder.ledger.values
        call = self.recorder.call_by_name(name)
        if call is None or call.name not in SHARES:
            return None, None
        held = [seen.variable for item in call.inputs if (seen := values.seen.get(item)) is not None and seen.variable is not None]
        found = next((v for v in values.variables.values() if held[:1] == [v.number]), None)
        variable = found.reference() if found is not None and len(held) == 1 else None
        return (held[0], variable) if variable is not None else (None, None)

    def _grew(self, now: Arrays) -> bool:
        """What the last update used is still in these sums, and the gradients since alone came to it: an average or a momentum shrinks what was there."""
        gradients = self._all_since()
        if gradients is None or not now or now.keys() != self.used.keys() or not now.keys() <= gradients.keys():
            return False
        old, new, own = (np.concatenate([np.ravel(wide(arrays[key])) for key in now]) for arrays in (self.used, now, gradients))
        growth, size = new - old, float(own @ own)
        if not (np.isfinite(size) and size > 0 and np.any(old) and np.any(growth)):
            return False
        rest = growth - own * (float(growth @ own) / size)
        return bool(np.linalg.norm(rest) <= ROUNDING * np.linalg.norm(growth))

    def _all_since(self) -> Arrays | None:
        """The gradients since the last update, with those of the step under way."""
        own = self.recorder.running.gradients
        return (
            None
            if self.since is None
            else {key: np.asarray(own.get(key, 0) + self.since.get(key, 0)) for key in own.keys() | self.since.keys()}
        )
