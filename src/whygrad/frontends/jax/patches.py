"""The functions of JAX, optax, equinox and flax.nnx that are watched: each is replaced by one that does the same and tells the recorder."""

import functools
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import jax

from whygrad.frontends import source
from whygrad.frontends.jax import _compat, eager_loops, injections
from whygrad.frontends.jax.batched import CALLS
from whygrad.frontends.jax.derivations import SLOPES, Asked
from whygrad.frontends.jax.modes import Switch
from whygrad.frontends.jax.schedules import standing_in
from whygrad.frontends.jax.states import state_of
from whygrad.frontends.jax.tape import Custom
from whygrad.frontends.jax.transformations import Gathering
from whygrad.frontends.watching import Watching

if TYPE_CHECKING:
    from whygrad.frontends.jax.recorder import JaxRecorder


class Patches:
    """Puts the watching functions in, and takes them out."""

    def __init__(self, recorder: "JaxRecorder") -> None:
        self.recorder = recorder
        self.injections = injections.Injections()
        self._replaced: list[tuple[Any, str, Any]] = []
        self.watching = Watching(set(_LAST), self.arrived)

    def install(self) -> None:
        """All of JAX's, and those of libraries as soon as they are imported."""
        self.put(jax, "jit", self._jit(_compat.ORIGINALS.jit))
        for name in ("value_and_grad", "grad"):
            self.put(jax, name, self._differentiating(name, getattr(_compat.ORIGINALS, name)))
        self.put(jax, "vjp", self._vjp(_compat.ORIGINALS.vjp))
        self.put(jax, "jvp", self._jvp(_compat.ORIGINALS.jvp))
        self.put(jax, "linearize", self._linearize(_compat.ORIGINALS.linearize))
        for name in ("jacfwd", "jacrev", "jacobian"):
            self.put(jax, name, self._jacobian(getattr(_compat.ORIGINALS, name)))
        for name in eager_loops.NAMES:
            self.put(jax.lax, name, self._looping(getattr(jax.lax, name)))
        self._elsewhere()
        for kind in (jax.custom_jvp, jax.custom_vjp):
            self.put(kind, "__call__", self._custom(kind.__call__))
        self.put(_compat.EvalTrace, "process_primitive", self._computing(_compat.EvalTrace.process_primitive))
        self.put(_compat.BatchTrace, "process_primitive", self._mapping(_compat.BatchTrace.process_primitive))
        for owner, name, replaced in _compat.without_shortcuts(self._recording, self.recorder.computed):
            self.put(owner, name, replaced)
        for owner, name, replaced in _compat.within_pmap(self.recorder.jits.wrap):
            self.put(owner, name, replaced)
        self.watching.install()
        self.recorder.keras.waiting.install()
        self.recorder.keras.look()

    def _elsewhere(self) -> None:
        """Libraries that were imported long ago may hold the functions under names of their own: `jit = jax.jit`."""
        known = {id(getattr(_compat.ORIGINALS, name)): getattr(jax, name) for name in ("jit", "value_and_grad", "grad", "vjp")}
        for name, module in list(sys.modules.items()):
            if module is not None and not name.startswith(("jax.", "jax_")) and name != "jax":
                held = [(key, known[id(item)]) for key, item in list(vars(module).items()) if id(item) in known]
                for key, new in held:
                    self.put(module, key, new)

    def _recording(self) -> bool:
        return self.recorder.on and not self.recorder.stopped

    def _computing(self, original: Any) -> Any:
        recorder = self.recorder

        @functools.wraps(original)
        def process_primitive(this: Any, primitive: Any, args: Any, params: Any, /) -> Any:
            loop = recorder.loops.begins(primitive, args, params) if recorder.loops.pending is not None else None
            result = original(this, primitive, args, params)
            if loop is not None:
                loop.outputs = result
            elif not recorder.stopped and recorder.on:
                recorder.computed(primitive, args, params, result)
            return result

        return process_primitive

    def _mapping(self, original: Any) -> Any:
        recorder = self.recorder

        @functools.wraps(original)
        def process_primitive(this: Any, primitive: Any, tracers: Any, params: Any, /) -> Any:
            result = original(this, primitive, tracers, params)
            if recorder.jits.capturing and primitive.name in CALLS and recorder.listening:
                recorder.guarded("vmap", recorder.jits.batched, primitive, tracers, params, result)
            return result

        return process_primitive

    def remove(self) -> None:
        """Everything as it was."""
        self.watching.remove()
        self.recorder.keras.waiting.remove()
        for owner, name, before in reversed(self._replaced):
            setattr(owner, name, before)
        self._replaced = []
        _compat.shortcuts_again()

    def put(self, owner: Any, name: str, new: Any) -> None:
        """Replace one attribute, until all are put back."""
        self._replaced.append((owner, name, vars(owner)[name] if name in vars(owner) else getattr(owner, name)))
        setattr(owner, name, new)

    # --- JAX ----------------------------------------------------------------------------------------------------

    def _jit(self, original: Any) -> Any:
        @functools.wraps(original)
        def jit(*args: Any, **kwargs: Any) -> Any:
            made = original(*args, **kwargs)
            return made if self.recorder.stopped or self.recorder.quiet else self.recorder.jits.wrap(made)

        return jit

    def _looping(self, original: Any) -> Any:
        @functools.wraps(original)
        def loop(*args: Any, **kwargs: Any) -> Any:
            return self.recorder.loops.call(original, args, kwargs)

        return loop

    def _differentiating(self, kind: str, original: Any) -> Any:
        @functools.wraps(original)
        def make(fun: Any, argnums: Any = 0, has_aux: bool = False, **settings: Any) -> Any:  # noqa: FBT001, FBT002 - as JAX has it
            plain = original(fun, argnums, has_aux, **settings)
            return self._asking(kind, original, plain, fun, argnums, has_aux, settings)

        return make

    def _asking(self, kind: str, original: Any, plain: Any, fun: Any, argnums: Any, has_aux: bool, settings: Any) -> Any:  # noqa: FBT001 - as JAX has it
        recorder = self.recorder

        @functools.wraps(plain)
        def differentiated(*args: Any, **kwargs: Any) -> Any:
            places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
            places = tuple(at % len(args) if args else at for at in places)
            pick = _second if kind == "value_and_grad" else _first if has_aux else _whole
            asked = Asked(kind, fun, args, kwargs, places, has_aux, pick)
            recorder.guarded("turns", recorder.turns.look, outside())
            if not recorder.watches():
                return recorder.unwatched(plain, asked)
            return recorder.derive(lambda taped: original(taped, argnums, has_aux, **settings)(*args, **kwargs), asked, outside())

        return differentiated

    def _vjp(self, original: Any) -> Any:
        recorder = self.recorder

        @functools.wraps(original)
        def vjp(fun: Any, *primals: Any, **settings: Any) -> Any:
            if not recorder.watches() or in_library():
                return original(fun, *primals, **settings)
            has_aux = bool(settings.get("has_aux"))
            asked = Asked("vjp", fun, primals, {}, tuple(range(len(primals))), has_aux, lambda _: None)
            return recorder.derive(lambda taped: original(taped, *primals, **settings), asked, outside())

        return vjp

    def _jvp(self, original: Any) -> Any:
        @functools.wraps(original)
        def jvp(fun: Any, primals: Any, *rest: Any, **settings: Any) -> Any:
            return self._forward(fun, tuple(primals), lambda taped: original(taped, primals, *rest, **settings), settings)

        return jvp

    def _linearize(self, original: Any) -> Any:
        @functools.wraps(original)
        def linearize(fun: Any, *primals: Any, **settings: Any) -> Any:
            return self._forward(fun, primals, lambda taped: original(taped, *primals, **settings), settings)

        return linearize

    def _forward(self, fun: Any, primals: tuple[Any, ...], run: Callable[[Any], Any], settings: dict[str, Any]) -> Any:
        recorder = self.recorder
        if not recorder.watches() or in_library():
            return run(fun)
        if not recorder.jits.capturing:
            recorder.unseen += 1
            recorder.limits.append(SLOPES)
            return run(fun)
        asked = Asked("jvp", fun, primals, {}, tuple(range(len(primals))), bool(settings.get("has_aux")), lambda _: None)
        return recorder.derive(run, asked, outside())

    def _jacobian(self, original: Any) -> Any:
        recorder = self.recorder

        @functools.wraps(original)
        def make(fun: Any, argnums: Any = 0, has_aux: bool = False, **settings: Any) -> Any:  # noqa: FBT001, FBT002 - as JAX has it
            plain = original(fun, argnums, has_aux, **settings)

            @functools.wraps(plain)
            def differentiated(*args: Any, **kwargs: Any) -> Any:
                if not recorder.watches() or in_library() or not recorder.jits.capturing:
                    return plain(*args, **kwargs)
                places = tuple(at % len(args) if args else at for at in ((argnums,) if isinstance(argnums, int) else argnums))
                asked = Asked("jacobian", fun, args, kwargs, places, has_aux, lambda _: None)
                return recorder.derive(lambda taped: original(taped, argnums, has_aux, **settings)(*args, **kwargs), asked, outside())

            return differentiated

        return make

    def _custom(self, original: Any) -> Any:
        recorder = self.recorder

        @functools.wraps(original)
        def called(this: Any, *args: Any, **kwargs: Any) -> Any:
            if not recorder.taping or not recorder.listening:
                return original(this, *args, **kwargs)
            recorder.customs.append(_again(original, this, args, kwargs))
            try:
                return original(this, *args, **kwargs)
            finally:
                recorder.customs.pop()

        return called

    # --- libraries ----------------------------------------------------------------------------------------------

    def arrived(self, name: str) -> None:
        """A library was imported; one that is still being imported is patched when it is first used."""
        module = sys.modules[name]
        if getattr(getattr(module, "__spec__", None), "_initializing", False) and not hasattr(module, _LAST[name]):
            _when_complete(module, _LAST[name], lambda: self.patch_library(name))
            return
        self.patch_library(name)

    def patch_library(self, name: str) -> None:
        """Put the patches of one library in."""
        if not self.recorder.stopped:
            library = {"optax": self._optax, "equinox": self._equinox, "flax.nnx": self._nnx}[name]
            self.recorder.guarded("patches", library, sys.modules[name])

    def _equinox(self, equinox: Any) -> None:
        self.put(equinox, "apply_updates", self._applying(equinox.apply_updates))

    def _nnx(self, nnx: Any) -> None:
        self.put(nnx.Module, "train", self._switching("train", nnx.Module.train))
        self.put(nnx.Module, "eval", self._switching("eval", nnx.Module.eval))
        self.put(nnx.Sequential, "__init__", self._listing(nnx.Sequential.__init__))

    def _listing(self, original: Any) -> Any:
        recorder = self.recorder

        @functools.wraps(original)
        def init(model: Any, *entries: Any, **kwargs: Any) -> None:
            original(model, *entries, **kwargs)
            if not recorder.stopped:
                recorder.guarded("nnx", recorder.lists.made, entries, outside())

        return init

    def _switching(self, name: Switch, original: Any) -> Any:
        recorder = self.recorder

        @functools.wraps(original)
        def switch(module: Any, *args: Any, **kwargs: Any) -> Any:
            if recorder.listening:
                recorder.guarded("nnx", recorder.modes.switched, name, module, outside())
            return original(module, *args, **kwargs)

        return switch

    def _optax(self, optax: Any) -> None:
        self.put(optax, "apply_updates", self._applying(optax.apply_updates))
        kind = optax.GradientTransformation
        self.put(optax.MultiSteps, "update", self._gathering(optax.MultiSteps.update))
        for name in [name for name in dir(optax) if not name.startswith("_")]:
            function = getattr(optax, name)
            if name in injections.NAMES:
                self.put(optax, name, self._injecting(name, function, kind))
            elif callable(function) and not isinstance(function, type) and _makes_transformation(function):
                self.put(optax, name, self._constructor(name, function, kind))

    def _gathering(self, original: Any) -> Any:
        optimizers = self.recorder.optimizers

        @functools.wraps(original)
        def update(*args: Any, **kwargs: Any) -> Any:
            optimizers.gathering.append(Gathering(_compat.turns_of(args[0]) if args else 0))
            for moment in [entry.asked for entry in optimizers.all if entry.asked is not None]:
                moment.turns = optimizers.gathering[-1].turns  # it is a part of what was asked for this update
            try:
                return original(*args, **kwargs)
            finally:
                optimizers.gathering.pop()

        return update

    def _constructor(self, name: str, function: Any, kind: Any) -> Any:
        recorder = self.recorder

        @functools.wraps(function)
        def make(*args: Any, **kwargs: Any) -> Any:
            if recorder.stopped or self.injections.repeats():
                return function(*args, **kwargs)
            args, kwargs = recorder.guarded("optax", standing_in, function, args, kwargs) or (args, kwargs)
            result = function(*args, **kwargs)
            if recorder.stopped or not isinstance(result, kind):
                return result
            frame = outside()
            return recorder.guarded("optax", self._watched, name, function, args, kwargs, result, frame) or result

        return make

    def _injecting(self, name: str, original: Any, kind: Any) -> Any:
        """What makes a transformation anew in each update stands for what it makes."""

        @functools.wraps(original)
        def inject(inner: Any, *args: Any, **kwargs: Any) -> Any:
            made = original(inner, *args, **kwargs)
            return self._constructor(name, made, kind) if callable(made) else made

        return inject

    def _watched(self, name: str, function: Any, args: Any, kwargs: Any, result: Any, frame: FrameType | None) -> Any:
        """The same transformation, whose updates are told of."""
        optimizers = self.recorder.optimizers
        entry = optimizers.made(getattr(function, "__name__", name), function, args, kwargs, frame)
        self.injections.made(entry, name)
        original = result.update

        @functools.wraps(original)
        def update(updates: Any, *rest: Any, **more: Any) -> Any:
            outermost = not optimizers.depth and self.recorder.listening
            if outermost:
                self.recorder.guarded("optax", optimizers.updating, entry, updates, state_of(rest, more), outside())
            optimizers.depth += 1
            try:
                with self.injections.by(entry):
                    made = original(updates, *rest, **more)
            finally:
                optimizers.depth -= 1
            if outermost:
                self.recorder.guarded("optax", optimizers.updated, entry, made)
            return made

        begin = result.init

        @functools.wraps(begin)
        def init(params: Any) -> Any:
            if not optimizers.depth and self.recorder.listening:
                self.recorder.guarded("optax", optimizers.starting, entry, params, outside())
            with self.injections.by(entry):
                return begin(params)

        watched = result._replace(init=init, update=update)
        optimizers.finished_making(entry, watched)
        return watched

    def _applying(self, original: Any) -> Any:
        recorder = self.recorder

        @functools.wraps(original)
        def apply_updates(params: Any, updates: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(params, updates, *args, **kwargs)
            if recorder.listening:
                recorder.guarded("optax", recorder.optimizers.applied, params, result, outside())
            return result

        return apply_updates


_LAST = {"optax": "__version__", "equinox": "__version__", "flax.nnx": "register_variable_name"}
"""What a library defines last."""


def _when_complete(module: Any, last: str, then: Callable[[], None]) -> None:
    """Call `then` once the module is complete, at the first use of it after that."""
    kind = type(module)

    class Waiting(kind):  # type: ignore[misc, valid-type]  # whatever kind of module it is
        """A module that is being imported."""

        def __getattribute__(self, name: str) -> Any:
            if not name.startswith("__") and last in object.__getattribute__(self, "__dict__"):
                spec = object.__getattribute__(self, "__dict__").get("__spec__")
                if not getattr(spec, "_initializing", False):
                    object.__setattr__(self, "__class__", kind)
                    then()
                    return getattr(self, name)
            return super().__getattribute__(name)

    module.__class__ = Waiting


def _makes_transformation(function: Any) -> bool:
    module = str(getattr(function, "__module__", ""))
    told = str(getattr(function, "__annotations__", {}).get("return", ""))
    return module.startswith("optax") and ("GradientTransformation" in told or "MultiSteps" in told)


def in_library() -> bool:
    """The caller is a library's, not the user's."""
    frame = outside()
    return frame is None or not source.is_user(frame.f_code)


def outside() -> FrameType | None:
    """The first frame that is not ours."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(source.OURS):
        frame = frame.f_back
    return frame


def _again(original: Any, this: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Custom:
    """How to call a function with a derivative of its own once more, on other arrays."""
    fixed = set(getattr(this, "nondiff_argnums", ()) or ())
    moving = [at for at in range(len(args)) if at not in fixed]
    flat, tree = jax.tree_util.tree_flatten(([args[at] for at in moving], kwargs))

    def again(*arrays: Any) -> list[Any]:
        given, named = jax.tree_util.tree_unflatten(tree, arrays)
        filled = list(args)
        for at, item in zip(moving, given, strict=True):
            filled[at] = item
        return list(jax.tree_util.tree_leaves(original(this, *filled, **named)))

    rule = getattr(this, "bwd", None) or getattr(this, "jvp", None)
    return Custom(again, tuple(flat), str(getattr(this, "__name__", "")), getattr(rule, "__code__", None))


def _first(result: Any) -> Any:
    return result[0]


def _second(result: Any) -> Any:
    return result[1]


def _whole(result: Any) -> Any:
    return result
