"""Keeps faults of ours away from the user's program."""

import functools
import threading
from collections.abc import Callable
from typing import Any


def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that is called from the user's program: a fault in it ends the recording, never the program."""

    @functools.wraps(method)
    def safe(self: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = getattr(self, "recorder", self)
        if recorder.stopped or threading.get_ident() != recorder.thread:
            return None
        recorder.quiet += 1
        try:
            return method(self, *args, **kwargs)
        except Exception as problem:  # noqa: BLE001 - the program must not notice
            recorder.broken(method.__name__, problem)
            return None
        finally:
            recorder.quiet -= 1

    return safe
