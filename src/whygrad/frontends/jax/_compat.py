"""Every use of JAX that is not public API, with its fallback. Nothing outside this file knows a private name of jax."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import CodeType
from typing import Any

import jax
import numpy as np
from jax._src import core, source_info_util
from jax._src import pjit as _pjit
from jax._src import pmap as _pmap
from jax._src.interpreters import batching as _batching

TESTED = ("0.10",)


@dataclass(frozen=True, slots=True)
class Originals:
    """JAX's own functions, for our own use and for calls that are handed on."""

    jit: Any = jax.jit
    grad: Any = jax.grad
    value_and_grad: Any = jax.value_and_grad
    vjp: Any = jax.vjp
    jvp: Any = jax.jvp
    linearize: Any = jax.linearize
    jacfwd: Any = jax.jacfwd
    jacrev: Any = jax.jacrev
    jacobian: Any = jax.jacobian


ORIGINALS = Originals()

Trace = core.Trace
Tracer = core.Tracer
Literal = core.Literal
ClosedJaxpr = core.ClosedJaxpr
Jaxpr = core.Jaxpr
EvalTrace = core.EvalTrace
BatchTrace = _batching.BatchTrace


def untested_version() -> str:
    """A sentence for versions that this front end was not tried on, "" for the others."""
    version = str(jax.__version__)
    known = version.startswith(TESTED)
    return "" if known else f"whygrad was tested with jax {', '.join(TESTED)}, this is {version}: some facts may be missing"


def current_trace() -> Any:
    """What handles every primitive that is called now."""
    return core.trace_ctx.trace


def under(trace: Any) -> AbstractContextManager[None]:
    """Within this block `trace` handles every primitive."""
    context: AbstractContextManager[None] = core.set_current_trace(trace)  # type: ignore[no-untyped-call]  # jax has no type for it
    return context


def at_top() -> bool:
    """No transformation is under way: calls compute at once."""
    return bool(core.trace_state_clean())


def is_tracer(item: object) -> bool:
    """The item stands for a value under some transformation."""
    return isinstance(item, Tracer)


def is_array(item: object) -> bool:
    """A value with a dtype and a shape: JAX's own, traced or not, or NumPy's."""
    return isinstance(item, jax.Array | np.ndarray | Tracer)


def plain(item: Any) -> Any:
    """What a tracer of a derivative stands for: an array, or a variable of a program that is being traced."""
    for _ in range(20):
        inner = getattr(item, "primal", None) if is_tracer(item) else getattr(item, "val", None) if _typed(item) else None
        if inner is None:
            return item
        item = inner
    return item


@dataclass(frozen=True, slots=True)
class Mapped:
    """A `vmap` that a value is one row under."""

    size: int
    name: Any
    axis: int
    """Of the rows, in the array that holds them."""
    tag: int
    """The identity of what JAX tells this `vmap` from others by."""
    depth: int
    """How many transformations are around it."""
    token: Any = None
    """What has that identity; held, so that nothing else gets it."""


def mapped(item: Any) -> tuple[Mapped, ...]:
    """The `vmap` that a tracer is a row under, the innermost first; none for what is no tracer of one."""
    found = list[Mapped]()
    inner = plain(item)
    while isinstance(inner, _batching.BatchTracer) and isinstance(inner.batch_dim, int):
        trace, axis = inner._trace, inner._trace.axis_data
        found.append(Mapped(int(axis.size), axis.name, inner.batch_dim, id(trace.tag), _depth(trace), trace.tag))  # tags are all equal
        inner = plain(inner.val)
    return tuple(found)


def _depth(trace: Any) -> int:
    found = 0
    while (trace := getattr(trace, "parent_trace", None)) is not None:
        found += 1
    return found


def behind(item: Any) -> Any:
    """What a tracer stands for, all rows of each `vmap` with it."""
    inner = plain(item)
    while isinstance(inner, _batching.BatchTracer):
        inner = plain(inner.val)
    return inner


def layers(item: Any) -> Iterator[Any]:
    """A value, and what stands behind it, transformation by transformation."""
    for _ in range(20):
        yield item
        inner = getattr(item, "primal", None) if is_tracer(item) else None
        if inner is None and (_typed(item) or isinstance(item, _batching.BatchTracer)):
            inner = item.val
        if inner is None:
            return
        item = inner


def rows_first(item: Any) -> Any:
    """The same; of an array, with the rows in front, those of the outermost `vmap` first."""
    inner = plain(item)
    if not isinstance(inner, _batching.BatchTracer):
        return inner
    held, outer = rows_first(inner.val), len(mapped(inner.val))
    axis = inner.batch_dim if isinstance(inner.batch_dim, int) else 0
    return jax.numpy.moveaxis(held, outer + axis, outer) if axis and is_array(held) and not is_tracer(held) else held


def under_vmap() -> bool:
    """Some `vmap` is under way, and nothing else: calls compute at once, for all rows."""
    trace = core.trace_ctx.trace
    inside = isinstance(trace, _batching.BatchTrace)
    while isinstance(trace, _batching.BatchTrace):
        trace = trace.parent_trace
    return inside and isinstance(trace, EvalTrace)


def at_once() -> AbstractContextManager[None]:
    """Within this block calls compute at once, whatever is under way."""
    return under(core.eval_trace)


def _typed(item: object) -> bool:
    return type(item).__name__.startswith("Typed")


def variable(item: Any) -> Any | None:
    """The variable of the traced program that a tracer stands for, all rows of a `vmap` with it; None for what is no such tracer."""
    inner = behind(item)
    found = getattr(inner, "val", None) if is_tracer(inner) and not isinstance(inner, _batching.BatchTracer) else None
    return found if isinstance(found, core.Var) else None


def atom(item: Any) -> Any | None:
    """What stands for a value among the inputs of an equation: its variable, or a constant; None for a tracer of something else."""
    inner = behind(item)
    found = getattr(inner, "val", None) if is_tracer(inner) else None
    return found if isinstance(found, core.Var | Literal) else None if is_tracer(inner) else Literal(inner, core.typeof(inner))  # type: ignore[no-untyped-call]  # jax has no type for it


def handed_out(result: Any) -> tuple[list[Any], tuple[Any, ...]]:
    """What a function that is mapped over devices returned, and how each of it is laid out over them."""
    found, specs = result.unpack_aux()
    return list(found), tuple(specs)


def constant(item: Any) -> Any | None:
    """The number that a tracer stands for, where JAX writes it into the traced program: a scalar that was handed to an indexed update, say."""
    found = getattr(item, "val", None) if is_tracer(item) else None
    return np.asarray(found.val, getattr(found.aval, "dtype", None)) if isinstance(found, Literal) else None


def is_literal(item: object) -> bool:
    """A constant written into a traced program."""
    return isinstance(item, Literal)


def points(traceback: Any) -> tuple[tuple[CodeType, int], ...]:
    """The places of a traceback that JAX keeps with an equation, deepest first."""
    if traceback is None:
        return ()
    codes, offsets = traceback.raw_frames()
    return tuple(zip(codes, offsets, strict=True))


def traced(jitted: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[ClosedJaxpr, list[Any]]:
    """The program of a jitted function for these arguments, traced at most once, and its flat inputs."""
    if hasattr(_pjit, "_infer_params") and hasattr(jitted, "_fun") and hasattr(jitted, "_jit_info"):
        found, flat = _pjit._infer_params(jitted._fun, jitted._jit_info, tuple(args), dict(kwargs))
        return found.params["jaxpr"], list(flat)
    return jitted.trace(*args, **kwargs).jaxpr, jax.tree_util.tree_leaves((args, kwargs))


def shown(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The same arguments, as JAX traces them; an array that a call took for itself is gone, and its shape stands for it."""
    found: tuple[tuple[Any, ...], dict[str, Any]] = jax.tree_util.tree_map(_shape, (args, kwargs))
    return found


def _shape(leaf: Any) -> Any:
    if not isinstance(leaf, jax.Array) or isinstance(leaf, jax.core.Tracer) or not leaf.is_deleted():
        return leaf
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, weak_type=leaf.weak_type)  # type: ignore[no-untyped-call]  # JAX's own has no types


def without_shortcuts(recording: Callable[[], bool], told: Callable[..., None]) -> Iterator[tuple[Any, str, Any]]:
    """What to put in the place of JAX's own, so that calls of compiled functions are seen while recording: no short way past Python."""
    shortcut, running = getattr(_pjit, "_get_fastpath_data", None), getattr(_pjit, "_run_python_pjit", None)
    if shortcut is None or running is None or not hasattr(_pjit, "jit_p"):
        return

    def data(*args: Any, **kwargs: Any) -> Any:
        return None if recording() else shortcut(*args, **kwargs)

    def run(p: Any, args_flat: Any, *rest: Any) -> Any:
        result = running(p, args_flat, *rest)
        if recording() and at_top():
            told(_pjit.jit_p, args_flat, p.params, result[1])
        return result

    yield _pjit, "_get_fastpath_data", data
    yield _pjit, "_run_python_pjit", run


def within_pmap(wrap: Callable[[Any], Any]) -> Iterator[tuple[Any, str, Any]]:
    """What to put in the place of JAX's own, so that the compiled function that a `pmap` calls is watched as any other."""
    original = getattr(_pmap, "_cached_shard_map", None)
    if original is None or not hasattr(_pmap, "CachedShardMap"):
        return
    known: dict[int, tuple[Any, Any]] = {}

    def cached(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        held, watched = known.get(id(found), (None, None))
        if held is not found:
            watched = found._replace(jitted_f_with_shardings=wrap(found.jitted_f_with_shardings))
            known[id(found)] = found, watched
        return watched

    yield _pmap, "_cached_shard_map", cached


def shortcuts_again() -> None:
    """
    Let JAX find its short way past Python again, once nothing is recorded.

    JAX asks once for each function and shape, and remembers a no for ever: 0.3 ms at each call, against 0.02 ms. What was compiled is kept elsewhere.
    """
    for name in ("_cpp_pjit_cache_fun_only", "_cpp_pjit_cache_explicit_attributes"):
        clear = getattr(getattr(_pjit, name, None), "clear", None)
        if clear is not None:
            clear()


def bind(primitive: Any, params: Mapping[str, Any], inputs: Sequence[Any]) -> list[Any]:
    """Call a primitive with the parameters that stand in an equation."""
    found = primitive.get_bind_params(dict(params))
    if isinstance(found, tuple):
        functions, rest = found
        result = primitive.bind(*functions, *inputs, **rest)
    else:
        result = primitive.bind(*inputs, **found)
    return list(result) if primitive.multiple_results else [result]


def program_of(primitive: Any, args: Sequence[Any], params: Mapping[str, Any]) -> ClosedJaxpr:
    """The program that calls one primitive; what stands in its parameters is not traced again."""
    closed: ClosedJaxpr = jax.make_jaxpr(lambda *inputs: bind(primitive, params, inputs))(*args)
    return closed


def sliced(closed: ClosedJaxpr, wanted: Sequence[Any]) -> Callable[..., list[Any]]:
    """A function from a program's inputs to some of its variables."""
    jaxpr = closed.jaxpr

    def run(*inputs: Any) -> list[Any]:
        environment: dict[Any, Any] = dict(zip(jaxpr.constvars, closed.consts, strict=True))
        environment.update(zip(jaxpr.invars, inputs, strict=True))
        for equation in needed(jaxpr, wanted):
            read = [item.val if is_literal(item) else environment[item] for item in equation.invars]
            with equation.ctx.manager:
                made = bind(equation.primitive, equation.params, read)
            environment.update(zip(equation.outvars, made, strict=True))
        return [item.val if is_literal(item) else environment[item] for item in wanted]

    return run


def between(closed: ClosedJaxpr, given: Any, wanted: Any) -> Callable[[Any], Any] | None:
    """A function from one variable of a program to another one that is computed of it and of nothing else; None where there is more to it."""
    jaxpr, living, found = closed.jaxpr, {wanted}, []
    for equation in reversed(jaxpr.eqns):
        if given not in equation.outvars and not living.isdisjoint(equation.outvars):
            found.append(equation)
            living.update(item for item in equation.invars if not is_literal(item))
    constants = dict(zip(jaxpr.constvars, closed.consts, strict=True))
    made = {item for equation in found for item in equation.outvars}
    if living - made - {given} - constants.keys():
        return None

    def run(value: Any) -> Any:
        environment = {**constants, given: value}
        for equation in found[::-1]:
            read = [item.val if is_literal(item) else environment[item] for item in equation.invars]
            environment.update(zip(equation.outvars, bind(equation.primitive, equation.params, read), strict=True))
        return environment[wanted]

    return run


def needed(jaxpr: Jaxpr, wanted: Sequence[Any]) -> list[Any]:
    """The equations that these variables are computed by, in order."""
    living = {item for item in wanted if not is_literal(item)}
    found = []
    for equation in reversed(jaxpr.eqns):
        if not living.isdisjoint(equation.outvars):
            found.append(equation)
            living.update(item for item in equation.invars if not is_literal(item))
    return found[::-1]


AVERAGING = ("reduce_sum", "div", "mul", "convert_element_type", "jit", "pjit", "reshape", "squeeze")
"""What makes one loss of many."""


def averaged(jaxpr: Jaxpr, variable: Any) -> Any:
    """What a program hands out for a loss: its own variable, or the sum or mean of its entries."""
    if variable is None or not _dimensions(variable):
        return variable
    reached = {variable}
    for equation in jaxpr.eqns:
        read = [item for item in equation.invars if not is_literal(item)]
        if equation.primitive.name in AVERAGING and read and reached.issuperset(read):
            reached.update(equation.outvars)
    handed = (item for item in jaxpr.outvars if not is_literal(item) and item in reached and not _dimensions(item))
    return next(handed, variable)


def _dimensions(variable: Any) -> tuple[int, ...]:
    return tuple(getattr(variable.aval, "shape", ()))


def inner_programs(params: Mapping[str, Any]) -> Iterator[tuple[str, ClosedJaxpr]]:
    """The programs within an equation: bodies of loops, branches, functions."""
    for name, item in params.items():
        for part in item if isinstance(item, tuple | list) else (item,):
            if isinstance(part, ClosedJaxpr):
                yield name, part
            elif isinstance(part, Jaxpr):
                yield name, ClosedJaxpr(part, ())


def function_file(closed: Any) -> str:
    """The file of the function that a program was traced from; "" where that is unknown."""
    told = getattr(getattr(getattr(closed, "jaxpr", closed), "debug_info", None), "func_src_info", None) or ""
    _, _, place = str(told).rpartition(" at ")
    return place.rpartition(":")[0]


def library_function(closed: Any, libraries: tuple[str, ...]) -> str:
    """The name of the function that a program was traced from, where it is a library's; "" for the user's own."""
    info = getattr(getattr(closed, "jaxpr", closed), "debug_info", None)
    name, _, _ = str(getattr(info, "func_src_info", None) or "").rpartition(" at ")
    return name if function_file(closed).startswith(libraries) else ""


def argument_names(closed: Any) -> tuple[str, ...]:
    """The names of a program's inputs as its function has them: `params['w']`."""
    info = getattr(getattr(closed, "jaxpr", closed), "debug_info", None)
    return tuple(str(name) for name in (getattr(info, "arg_names", None) or ()))


def result_names(closed: Any) -> tuple[str, ...]:
    """The paths of a program's outputs: `result[0]['w']`."""
    info = getattr(getattr(closed, "jaxpr", closed), "debug_info", None)
    return tuple(str(name) for name in (getattr(info, "result_paths", None) or ()))


def without_names() -> AbstractContextManager[Any]:
    """Our own equations carry none of the program's name scopes."""
    context: AbstractContextManager[Any] = source_info_util.reset_name_stack()
    return context


def turns_of(several: Any) -> int:
    """The calls of an `optax.MultiSteps` that make one update; 0 where a schedule of the program's decides."""
    every = getattr(several, "_every_k_schedule", None)
    turns = every(0) if callable(every) and getattr(every, "__module__", "").startswith("optax.") else 0
    return turns if isinstance(turns, int) else 0
