"""Loops of `jax.lax` outside of every jitted function: JAX compiles them all the same, so that each is looked at like a jitted function."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from whygrad.frontends.jax import _compat

if TYPE_CHECKING:
    from whygrad.frontends.jax.plans import Capture, Plan
    from whygrad.frontends.jax.recorder import JaxRecorder

NAMES = ("scan", "fori_loop", "while_loop", "map")
"""The functions of `jax.lax` that make a loop."""
PRIMITIVES = ("scan", "while")


@dataclass(slots=True)
class Pending:
    """A loop whose body is being traced."""

    capture: "Capture"
    key: tuple[int, ...]
    plan: "Plan | None" = None
    outputs: Sequence[Any] = ()


@dataclass(slots=True)
class Known:
    """What a body asked for when it was traced; JAX remembers the trace, and so is this."""

    functions: tuple[Any, ...]
    """Held, so that their identities stay theirs."""
    capture: "Capture"
    plan: "Plan | None" = None


@dataclass(slots=True)
class EagerLoops:
    """All such loops of a program."""

    recorder: "JaxRecorder"
    known: dict[tuple[int, ...], Known] = field(default_factory=dict)
    pending: Pending | None = None

    def call(self, original: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The program runs a loop."""
        recorder = self.recorder
        if not recorder.listening or recorder.taping or recorder.jits.capturing or self.pending is not None or not _compat.at_top():
            return original(*args, **kwargs)
        functions = tuple(item for item in (*args, *kwargs.values()) if callable(item))
        key = tuple(id(function) for function in functions)
        pending = self.pending = Pending(recorder.jits.begin(), key)
        try:
            result = original(*args, **kwargs)
        finally:
            self.pending = None
            recorder.jits.end(pending.capture)
        if pending.capture:
            self.known[key] = Known(functions, pending.capture, pending.plan)
        if pending.plan is not None:
            recorder.guarded("loop", recorder.called if recorder.on else recorder.passed, pending.plan, pending.outputs)
        return result

    def begins(self, primitive: Any, args: Sequence[Any], params: Mapping[str, Any]) -> Pending | None:
        """The loop is about to run, and everything in it is traced; None for any other primitive."""
        pending, self.pending = self.pending, None
        if pending is None or primitive.name not in PRIMITIVES or not self.recorder.jits.end(pending.capture):
            self.pending = pending
            return None
        self.recorder.guarded("loop", self._before, pending, primitive, args, params)
        return pending

    def _before(self, pending: Pending, primitive: Any, args: Sequence[Any], params: Mapping[str, Any]) -> None:
        known = self.known.get(pending.key)
        capture = pending.capture or (known.capture if known is not None else None)
        if capture is None:
            return
        body = params["jaxpr" if primitive.name == "scan" else "body_jaxpr"]
        plan = known.plan if known is not None and known.capture is capture else None
        if plan is None or plan.body is not body.jaxpr:
            plan = self.recorder.jits.planned(capture, _compat.program_of(primitive, args, params))
            plan.body = body.jaxpr
        pending.plan = plan
        if known is not None:
            known.plan = plan
        if self.recorder.on:
            self.recorder.jits.entered(plan, args)
