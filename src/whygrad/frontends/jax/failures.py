"""The call that raised, where it raised before any primitive ran: read off the traceback."""

from collections.abc import Iterator
from types import FrameType, TracebackType

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.library import KIND_OF, known
from whygrad.frontends.jax.tape import Bound, Constant, Numbers

_OPERATORS = {"__matmul__": "matmul", "__add__": "add", "__sub__": "sub", "__mul__": "mul", "__truediv__": "div", "__pow__": "pow"}


def raised_in(problem: BaseException, numbers: Numbers, scope: int | None) -> Bound | None:
    """The library function that the user's code called when it raised, as a call that failed."""
    levels = list(_levels(problem.__traceback__))
    last = max((at for at, level in enumerate(levels) if source.is_user(level.tb_frame.f_code)), default=None)
    if last is None:
        return None
    user = levels[last]
    trace = source.trace(user.tb_frame)
    if trace is None:
        return None
    trace = source.Trace(((user.tb_frame.f_code, user.tb_lasti), *trace.user[1:]), ())
    for level in levels[last + 1 :]:
        frame = level.tb_frame
        name = _name(frame)
        if known(frame.f_code) is not None or name in KIND_OF:
            return _bound(frame, name, trace, numbers, scope)
    return None


def _levels(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(source.OURS):
            yield traceback
        traceback = traceback.tb_next


def _name(frame: FrameType) -> str:
    name = frame.f_code.co_name
    return _OPERATORS.get(name, name)


def _bound(frame: FrameType, name: str, trace: source.Trace, numbers: Numbers, scope: int | None) -> Bound:
    given = {key: frame.f_locals.get(key) for key in source.parameters_of(frame.f_code)}
    arrays = {key: numbers.of(item) for key, item in given.items() if _compat.is_array(item)}
    settings = {key: Constant(item) for key, item in given.items() if isinstance(item, bool | int | float | str)}
    stack = ((frame.f_code, frame.f_lasti),) if known(frame.f_code) is not None else ()
    group = id(frame) if stack else None
    return Bound(None, {}, tuple(arrays.values()), (), trace, stack, group, {**arrays, **settings}, scope=scope, failed=True, native=name)
