"""Why a model gets no useful gradient from its labels: measured, with the line."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whygrad.api import Run, TrainingFault, Watch, assert_learns, diagnose, learns, recording, watch
    from whygrad.errors import WhygradError
    from whygrad.presenting import Report

__version__ = "0.1.0"
__all__ = [
    "Report",
    "Run",
    "TrainingFault",
    "Watch",
    "WhygradError",
    "assert_learns",
    "diagnose",
    "learns",
    "load_ipython_extension",
    "recording",
    "watch",
]

_ELSEWHERE = {"Report": "presenting", "WhygradError": "errors"}


def __getattr__(name: str) -> Any:
    """What this package offers is loaded when it is first used, so that importing it costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'whygrad' has no attribute {name!r}")
    found = getattr(import_module(f"whygrad.{_ELSEWHERE.get(name, 'api')}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext whygrad`: the cell magic `%%whygrad`."""
    import_module("whygrad.integrations.notebook").load(shell)
