"""A step of a compiled program, run eagerly once before the real one, with everything put back afterwards."""

import io
import random
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

import numpy as np

from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.belongings import Belongings

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

OURS = 0x77_68_79_67
"""Seed from which a rehearsal draws the seeds of its ops; any would do."""


class Rehearsal:
    """Variables, generators of random numbers and what is held in Python as they were, and variables that were made meanwhile as they began."""

    def __init__(self, recorder: "TensorFlowRecorder", roots: Iterable[Any]) -> None:
        self.recorder = recorder
        self._roots = roots
        self._belongings = Belongings(())
        self._kept: list[tuple[Any, Any]] = []
        self._random: tuple[Any, Any, Any] | None = None
        self._drawn = False
        """A variable was made that begins with random numbers: layers that are built once draw once."""

    def made(self, variable: Any) -> None:
        """A variable was made during the rehearsal."""
        value = value_of(variable)
        self._drawn |= not _of_one_number(value)
        if value is not None:
            self._kept.append((variable, value))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Whatever is changed in here is put back at the end."""
        self._keep()
        self.recorder.random_ran = False
        before = sys.stdout
        try:
            with redirect_stdout(io.StringIO()), warnings.catch_warnings(), _compat.functions_eager():
                warnings.simplefilter("ignore")
                yield
        finally:
            sys.stdout = before
            self._restore()

    def _keep(self) -> None:
        with self.recorder.aside():
            found = ((variable, value_of(variable)) for _, variable in self.recorder.ledger.values.living())
            self._kept = [(variable, value) for variable, value in found if value is not None]
            self._belongings = Belongings((_compat.global_names(), *self._roots))
        # a kernel that draws goes on from where it is: with seeds of their own, ours are not the program's
        held = _compat.with_seeds((OURS, random.Random(OURS)))  # noqa: S311 - the seeds of a rehearsal
        self._random = (random.getstate(), np.random.get_state(), held)  # noqa: NPY002 - the program's own generator

    def _restore(self) -> None:
        with self.recorder.aside():
            for variable, value in self._kept:
                if not _same(variable, value):
                    _compat.write(variable, value)
                    self.recorder.ledger.values.written(variable._handle)
        self._belongings.put_back()
        if self._random is not None and not self._drawn:
            random.setstate(self._random[0])
            np.random.set_state(self._random[1])  # noqa: NPY002 - the program's own generator
        if self._random is not None and self._random[2] is not None:
            _compat.with_seeds(self._random[2])
        self._kept, self._random = [], None


def value_of(variable: Any) -> Any:
    """The present value, which shares memory until the variable is written to; None for one without a value, as those are that a graph was saved with."""
    try:
        return _compat.read(variable) if isinstance(variable._handle, _compat.EagerTensor) else None
    except (tf.errors.OpError, AttributeError, ValueError):
        return None


def _of_one_number(value: Any) -> bool:
    """Zeros, ones and the like, such as what an optimizer keeps."""
    if value is None or value.dtype in (tf.resource, tf.variant, tf.string):
        return False
    entries = np.asarray(value.numpy()).ravel()
    return bool(entries.size == 0 or (entries == entries[0]).all())


def _same(variable: Any, value: Any) -> bool:
    """It still holds these very bits."""
    now = value_of(variable)
    if now is None or value.dtype in (tf.resource, tf.variant, tf.string):
        return True
    one, other = np.asarray(now.numpy()), np.asarray(value.numpy())
    return one.shape == other.shape and one.tobytes() == other.tobytes()
