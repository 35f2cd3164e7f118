"""The first call of a compiled function traces it. What that makes, and what it refuses, is the program's own: whatever of ours runs the function, runs between tracing and computing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from whygrad.frontends.tensorflow import _compat

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

KERAS = ("multi_step_on_iterator", "one_step_on_iterator", "one_step_on_data")
"""What Keras calls the functions that it compiles for `fit` and `train_on_batch`."""

Go = Callable[[], Any]
OTHERWISE = "this version of TensorFlow traces functions in a way that is not known: the first call of what is compiled was not recorded"


def between(recorder: "TensorFlowRecorder", compiled: Any, names: tuple[str, ...], run: Go, ours: Callable[[Go | None], Any]) -> Any:
    """
    Run what calls a compiled function of one of these names, of a model or by itself; `ours` takes the place of its computation, which it is handed.

    Where tracing raises, `ours` runs afterwards with nothing to compute, on the variables as they would have begun: to see with numbers what was refused.
    """
    parts = _compat.tracing_parts()
    if parts is None:
        return _unseen(recorder, compiled, run, ours)
    quiet, met = recorder.quiet, []

    def traced(go: Go) -> Any:
        met.append(go)
        recorder.quiet, recorder.failing.waits = quiet, False
        return ours(go)

    recorder.quiet, recorder.failing.waits = quiet + 1, True
    try:
        with _traced(parts, names, traced) as unfinished:
            return run()
    except Exception:
        recorder.quiet, recorder.failing.waits = quiet, False
        if not met and _begun(unfinished):
            with suppress(Exception), recorder.optimizers.unchanged():  # the program's own is raised, and nothing was updated
                ours(None)
        raise
    finally:
        recorder.quiet, recorder.failing.waits = quiet, False


def _unseen(recorder: "TensorFlowRecorder", compiled: Any, run: Go, ours: Callable[[Go | None], Any]) -> Any:
    """What is made at a first call is the program's to make: ours begins with the second."""
    if compiled in recorder.called:
        return ours(run)
    recorder.called.add(compiled)
    recorder.limits.append(OTHERWISE)
    return run()


@contextmanager
def _traced(parts: tuple[Any, Any], names: tuple[str, ...], listener: Callable[[Go], Any]) -> Iterator[list[tuple[Any, Any]]]:
    """In here the listener is called in place of the first computation of a function of one of these names; gives the variables that a function did not get to set."""
    concrete, function = parts
    computing, beginning = concrete._call_flat, function._initialize
    waiting, unfinished = [listener], []

    def compute(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not waiting or not _compat.eager() or self._func_graph.name not in names:
            return computing(self, *args, **kwargs)
        return waiting.pop()(lambda: computing(self, *args, **kwargs))

    def begin(self: Any, args: Any, kwds: Any, add_initializers_to: Any = None) -> Any:
        unfinished.append((self, add_initializers_to))
        return beginning(self, args, kwds, add_initializers_to=add_initializers_to)

    concrete._call_flat, function._initialize = compute, begin
    try:
        yield unfinished
    finally:
        concrete._call_flat, function._initialize = computing, beginning


def _begun(unfinished: list[tuple[Any, Any]]) -> bool:
    """Give variables their first values that a function has made and not set; False where that can't be done."""
    try:
        for function, initializers in unfinished:
            if initializers:
                function._initialize_uninitialized_variables(initializers)
    except Exception:  # noqa: BLE001 - a value that depends on what the function is given
        return False
    return True
