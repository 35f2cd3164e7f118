"""The torch function mode: every user-level call of PyTorch passes through here while a step is recorded."""

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Protocol

from torch.overrides import TorchFunctionMode

from whygrad.frontends.torch.calls import Call
from whygrad.frontends.torch.lowering import Function


class Listener(Protocol):
    """What the mode tells of each call."""

    @property
    def listening(self) -> bool:
        """Calls are recorded."""

    def before(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], frame: FrameType) -> Call | None:
        """A call is about to run; None if it is not to be recorded."""

    def after(self, call: Call, result: Any, frame: FrameType) -> None:
        """A recorded call returned."""

    def failed(self, call: Call, problem: BaseException, frame: FrameType) -> None:
        """A recorded call raised."""

    def function(self, function: Callable[..., Any]) -> Function:
        """What is known of a function."""


class RecordingMode(TorchFunctionMode):
    """Passes every call on, and tells the listener. The listener guards itself: nothing of ours may stop the call."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.listener = listener

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if not self.listener.listening:
            return func(*args, **kwargs)
        frame = sys._getframe(1)
        call = self.listener.before(func, args, kwargs, frame)
        if call is None:
            return func(*args, **kwargs)
        try:
            result = func(*args, **kwargs)
        except Exception as problem:
            self.listener.failed(call, problem, frame)
            raise
        if call.info.base == "__iter__":
            items = list(result)
            self.listener.after(call, items, frame)
            return iter(items)
        self.listener.after(call, result, frame)
        return result
