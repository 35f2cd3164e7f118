"""Exceptions of the user's program, shown without our frames."""

from pathlib import Path
from types import TracebackType

OURS = str(Path(__file__).parent)
IMPORTLIB = "<frozen importlib"


def is_ours(traceback: TracebackType) -> bool:
    """Whether a level of a traceback is a frame of whygrad."""
    return traceback.tb_frame.f_code.co_filename.startswith(OURS)


def _levels(traceback: TracebackType | None) -> list[TracebackType]:
    levels: list[TracebackType] = []
    while traceback is not None:
        levels.append(traceback)
        traceback = traceback.tb_next
    return levels


def _rebuilt(traceback: TracebackType | None) -> TracebackType | None:
    """The same traceback without our frames; where one of ours stood within an import, without the import machinery's too."""
    levels = _levels(traceback)
    through_import = any(is_ours(level) and level.tb_frame.f_code.co_name == "exec_module" for level in levels)
    kept: TracebackType | None = None
    for level in reversed(levels):
        hidden = through_import and level.tb_frame.f_code.co_filename.startswith(IMPORTLIB)
        if not is_ours(level) and not hidden:
            kept = TracebackType(kept, level.tb_frame, level.tb_lasti, level.tb_lineno)
    return kept


def without_our_frames(problem: BaseException, seen: frozenset[int] = frozenset()) -> BaseException:
    """The exception, it and all that it came from relieved of our frames."""
    problem.__traceback__ = _rebuilt(problem.__traceback__)
    inner = problem.exceptions if isinstance(problem, BaseExceptionGroup) else ()
    for other in (problem.__cause__, problem.__context__, *inner):
        if other is not None and id(other) not in seen:
            without_our_frames(other, seen | {id(problem), id(other)})
    return problem
