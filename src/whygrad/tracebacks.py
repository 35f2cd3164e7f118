"""Exceptions of the user's program, shown without our frames."""

from pathlib import Path
from types import TracebackType

OURS = str(Path(__file__).parent)
DISPATCHER = "handle_torch_function"
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
    detours = _detours(levels)
    kept: TracebackType | None = None
    for level in reversed(levels):
        hidden = through_import and level.tb_frame.f_code.co_filename.startswith(IMPORTLIB)
        if not is_ours(level) and not hidden and id(level) not in detours:
            kept = TracebackType(kept, level.tb_frame, level.tb_lasti, level.tb_lineno)
    return kept


def _detours(levels: list[TracebackType]) -> set[int]:
    """Levels that are there only because a call passed through us: PyTorch's dispatcher, and the function that entered it before it ran again."""
    found: set[int] = set()
    for at, level in enumerate(levels):
        if at and is_ours(level) and levels[at - 1].tb_frame.f_code.co_name == DISPATCHER:
            found.add(id(levels[at - 1]))
            after = next((other for other in levels[at:] if not is_ours(other)), None)
            before = levels[at - 2] if at > 1 else None
            if after is not None and before is not None and after.tb_frame.f_code is before.tb_frame.f_code:
                found.add(id(before))
    return found


def without_our_frames(problem: BaseException, seen: frozenset[int] = frozenset()) -> BaseException:
    """The exception, it and all that it came from relieved of our frames."""
    problem.__traceback__ = _rebuilt(problem.__traceback__)
    inner = problem.exceptions if isinstance(problem, BaseExceptionGroup) else ()
    for other in (problem.__cause__, problem.__context__, *inner):
        if other is not None and id(other) not in seen:
            without_our_frames(other, seen | {id(problem), id(other)})
    return problem
