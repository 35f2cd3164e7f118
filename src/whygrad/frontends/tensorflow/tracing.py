"""The first call of a compiled function traces it. What that makes, and what it refuses, is the program's own: whatever of ours runs the function, runs between tracing and computing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tensorflow.python.eager.polymorphic_function import concrete_function, polymorphic_function

from whygrad.frontends.tensorflow import _compat

if TYPE_CHECKING:
    from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder

KERAS = ("multi_step_on_iterator", "one_step_on_iterator", "one_step_on_data")
"""What Keras calls the functions that it compiles for `fit` and `train_on_batch`."""

Go = Callable[[], Any]


def between(recorder: "TensorFlowRecorder", names: tuple[str, ...], run: Go, ours: Callable[[Go | None], Any]) -> Any:
    """
    Run what calls a compiled function of one of these names; `ours` takes the place of its computation, which it is handed.

    Where tracing raises, `ours` runs afterwards with nothing to compute, on the variables as they would have begun: to see with numbers what was refused.
    """
    quiet, met = recorder.quiet, []

    def traced(go: Go) -> Any:
        met.append(go)
        recorder.quiet, recorder.failing.waits = quiet, False
        return ours(go)

    recorder.quiet, recorder.failing.waits = quiet + 1, True
    try:
        with _traced(names, traced) as unfinished:
            return run()
    except Exception:
        recorder.quiet, recorder.failing.waits = quiet, False
        if not met and _begun(unfinished):
            with suppress(Exception), recorder.optimizers.unchanged():  # the program's own is raised, and nothing was updated
                ours(None)
        raise
    finally:
        recorder.quiet, recorder.failing.waits = quiet, False


@contextmanager
def _traced(names: tuple[str, ...], listener: Callable[[Go], Any]) -> Iterator[list[tuple[Any, Any]]]:
    """In here the listener is called in place of the first computation of a function of one of these names; gives the variables that a function did not get to set."""
    computing, beginning = concrete_function.ConcreteFunction._call_flat, polymorphic_function.Function._initialize
    waiting, unfinished = [listener], []

    def compute(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not waiting or not _compat.eager() or self._func_graph.name not in names:
            return computing(self, *args, **kwargs)
        return waiting.pop()(lambda: computing(self, *args, **kwargs))

    def begin(self: Any, args: Any, kwds: Any, add_initializers_to: Any = None) -> Any:
        unfinished.append((self, add_initializers_to))
        return beginning(self, args, kwds, add_initializers_to=add_initializers_to)

    concrete_function.ConcreteFunction._call_flat, polymorphic_function.Function._initialize = compute, begin
    try:
        yield unfinished
    finally:
        concrete_function.ConcreteFunction._call_flat, polymorphic_function.Function._initialize = computing, beginning


def _begun(unfinished: list[tuple[Any, Any]]) -> bool:
    """Give variables their first values that a function has made and not set; False where that can't be done."""
    try:
        for function, initializers in unfinished:
            if initializers:
                function._initialize_uninitialized_variables(initializers)
    except Exception:  # noqa: BLE001 - a value that depends on what the function is given
        return False
    return True
