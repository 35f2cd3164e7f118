"""Keras' layers and models: where each was made, what the user calls it, and the parameters that it holds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any
from weakref import ReferenceType, ref

from whygrad.frontends import source
from whygrad.frontends.tensorflow.calls import Layer, Seen
from whygrad.frontends.tensorflow.values import Values, Variable

SEARCHED = 200
"""Variables of a frame that are searched for a name."""
MODAL = ("Dropout", "BatchNormalization", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout", "AlphaDropout")
"""Layers that do something else in training than in evaluation."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A parameter and what is known of it."""

    name: str
    entry: Variable
    variable: Any
    """The `tf.Variable`."""
    trainable: bool
    registered: bool
    owner: str
    library: bool
    made: source.Trace | None


class Layers:
    """The layers that were made, and the models that ran."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[ReferenceType[Any], source.Trace]] = {}
        self._roots: dict[int, tuple[ReferenceType[Any], str]] = {}
        self._registered: set[int] = set()
        """Numbers of the models' own variables."""
        self._names: dict[int, str] = {}
        """Number of a plain variable to what the user calls it."""
        self._given: dict[int, str] = {}
        """Number of a parameter to the name that it was told by first: one more model later on must not give it another."""
        self.asked: set[int] = set()
        """Numbers of the variables that a gradient was asked by."""
        self._holders: dict[int, tuple[str, bool]] = {}
        """Number of a plain variable to the class of the layer that read it first, and whether that is a library's."""

        self._homes: dict[int, source.Trace | None] = {}
        """Number of a plain variable that one of Keras' layers holds to the place that made the layer."""

    # --- watching -----------------------------------------------------------------------------------------------

    def made(self, layer: Any, trace: source.Trace | None) -> None:
        """A layer, a loss or an optimizer was made."""
        if trace is not None:
            self._made[id(layer)] = (ref(layer), trace)

    def place(self, layer: Any) -> source.Trace | None:
        """Where it was made."""
        held = self._made.get(id(layer))
        return held[1] if held is not None and held[0]() is layer else None

    def describe(self, parts: list[Any]) -> Layer | None:
        """The innermost of some running layers, outermost first."""
        parts = [part for part in parts if part is not None]
        if not parts:
            return None
        self.root(parts[0])
        inner = parts[-1]
        shown = parts[1:] if len(parts) > 1 or is_model(parts[0]) else parts
        return Layer("/".join(str(part.name) for part in shown), self.place(inner) if builtin(inner) else None, builtin(inner))

    def root(self, model: Any) -> None:
        """A model, or a layer by itself, runs."""
        if id(model) in self._roots and self._roots[id(model)][0]() is model:
            return
        if any(part is model for owner, _ in self.roots() for part in parts_of(owner)):
            return
        parts = {id(part) for part in parts_of(model)}
        self._roots = {key: held for key, held in self._roots.items() if key not in parts}
        self._roots[id(model)] = (ref(model), "")

    def roots(self) -> Iterator[tuple[Any, str]]:
        """The models that ran, with the user's variable for each."""
        for reference, name in list(self._roots.values()):
            model = reference()
            if model is not None:
                yield model, name

    def name_all(self, frames: Iterable[FrameType], values: Values) -> None:
        """Look among the variables in sight for models and plain variables without a name."""
        unnamed = {key for key, (_, name) in self._roots.items() if not name}
        plain = {
            id(v): entry.number
            for entry, v in values.living()
            if entry.number not in self._names and (entry.value in values.seen or entry.number in self.asked)
        }
        for frame in frames:
            for name, item in _in_sight(frame):
                if id(item) in unnamed:
                    unnamed.discard(id(item))
                    self._roots[id(item)] = (self._roots[id(item)][0], name)
                inner = getattr(item, "_value", None) if type(item).__module__.startswith("keras.") else item
                if id(inner) in plain:
                    self._names.setdefault(plain[id(inner)], name)

    def unknown(self, number: int) -> bool:
        """Nothing is known yet of who holds this variable."""
        return number not in self._holders and number not in self._registered

    def read(self, entry: Variable, holder: Any) -> None:
        """A variable was read in a layer's call."""
        variable = entry.reference()
        known = builtin(holder)
        own = next((v for v in getattr(holder, "_trainable_variables", ()) if getattr(v, "_value", v) is variable), None) if known else None
        self._holders[entry.number] = ("", False) if known and own is None else (class_name(holder), not user_class(holder) and not known)
        if own is not None:
            self._names.setdefault(entry.number, f"{holder.name}/{own.name}")
            self._homes[entry.number] = self.place(holder)
        attribute = next((name for name, item in vars(holder).items() if item is variable), "")
        if attribute:
            self._names.setdefault(entry.number, f"{holder.name}/{attribute}")

    # --- parameters ---------------------------------------------------------------------------------------------

    def parameters(self, values: Values) -> dict[int, Owned]:
        """Number of each parameter to what is known of it; names are qualified by the model where there are several."""
        found: dict[int, Owned] = {}
        taken = set(self._given.values())
        models = [(model, name) for model, name in self.roots() if getattr(model, "weights", None)]
        for model, name in models:
            for owned in self._of_model(model, f"{name or model.name}." if len(models) > 1 else "", values):
                if owned.entry.number not in found:
                    found[owned.entry.number] = self._told(owned, taken)
        self._registered.update(found)
        for owned in self._plain(values, found, modular=bool(models)):
            found[owned.entry.number] = self._told(owned, taken)
        return found

    def _told(self, owned: Owned, taken: set[str]) -> Owned:
        """Under the one name that it has in the whole record, which is added to those that are taken."""
        name = self._given.get(owned.entry.number) or unused(owned.name, taken)
        self._given[owned.entry.number] = name
        taken.add(name)
        return Owned(name, *_rest(owned))

    def buffers(self, values: Values) -> frozenset[int]:
        """Numbers of the models' own variables that are never trained: running means."""
        held = (v for model, _ in self.roots() for layer in parts_of(model) for v in getattr(layer, "_non_trainable_variables", ()))
        return frozenset(entry.number for v in held if (entry := values.variable(getattr(v, "_value", v))) is not None)

    def _of_model(self, model: Any, prefix: str, values: Values) -> Iterator[Owned]:
        trained = {id(v) for v in model.trainable_variables}
        library = not user_class(model) and not builtin(model)
        for layer in parts_of(model):
            for variable in getattr(layer, "_trainable_variables", ()):
                inner = getattr(variable, "_value", variable)
                entry = values.variable(inner)
                if entry is not None:
                    made = (entry.made if in_own_method(layer, entry.made) else None) or self.place(layer) or entry.made
                    name = prefix + _relative(str(getattr(variable, "path", variable.name)), str(model.name))
                    yield Owned(name, entry, inner, id(variable) in trained, True, class_name(layer), library, made)

    def _plain(self, values: Values, known: Mapping[int, Owned], *, modular: bool) -> Iterator[Owned]:
        """Trainable variables that took part and that no model knows."""
        for entry, variable in values.living():
            seen: Seen | None = values.seen.get(entry.value)
            asked = entry.number in self.asked
            if entry.number in known or (seen is None and not asked) or not getattr(variable, "trainable", False):
                continue
            if not floating(variable) and not asked:
                continue
            owner, library = self._holders.get(entry.number, ("", False))
            name = self._names.get(entry.number) or (seen.called if seen else "") or str(variable.name).removesuffix(":0")
            made = self._homes.get(entry.number) or entry.made
            yield Owned(name, entry, variable, True, not (modular and owner), owner, library, made)

    def modes(self, training: Mapping[str, bool]) -> dict[str, bool]:
        """Path of each layer with dropout or batch normalisation that ran to whether it was in training mode."""
        return dict(training)


def in_own_method(layer: Any, trace: source.Trace | None) -> bool:
    """A method of a layer that the program defines, such as `build`, asked for the weight."""
    if trace is None or not trace.user or not user_class(layer):
        return False
    own = (getattr(method, "__code__", None) for kind in type(layer).__mro__ for method in vars(kind).values())
    return any(code is trace.user[0][0] for code in own)


def _rest(owned: Owned) -> tuple[Variable, Any, bool, bool, str, bool, source.Trace | None]:
    return owned.entry, owned.variable, owned.trainable, owned.registered, owned.owner, owned.library, owned.made


def unused(name: str, taken: set[str]) -> str:
    """The name, numbered where another variable has it already."""
    number, full = 1, name
    while full in taken:
        number += 1
        full = f"{name} ({number})"
    return full


def _relative(path: str, root: str) -> str:
    return path.removeprefix(f"{root}/")


def parts_of(model: Any) -> Iterator[Any]:
    """A model's layers, itself among them."""
    flatten = getattr(model, "_flatten_layers", None)
    try:
        yield from flatten() if flatten is not None else (model,)
    except Exception:  # noqa: BLE001 - a model that can't list its layers has none for us
        yield model


def floating(variable: Any) -> bool:
    """It holds floating or complex numbers."""
    dtype = getattr(variable, "dtype", None)
    return bool(getattr(dtype, "is_floating", False) or getattr(dtype, "is_complex", False))


def is_model(layer: Any) -> bool:
    """Whether a layer is one of Keras' models."""
    return any(base.__name__ == "Model" and base.__module__.startswith("keras.") for base in type(layer).__mro__)


def builtin(layer: Any) -> bool:
    """Whether a layer's class is Keras' own."""
    return type(layer).__module__.startswith(("keras.", "tensorflow."))


def user_class(layer: Any) -> bool:
    """Whether a layer's class is the user's own."""
    import sys

    file = getattr(sys.modules.get(type(layer).__module__), "__file__", None)
    return not file or not str(file).startswith(source.LIBRARIES)


def class_name(layer: Any) -> str:
    """Class of a layer with its module path."""
    return f"{type(layer).__module__}.{type(layer).__qualname__}"


def _in_sight(frame: FrameType) -> Iterator[tuple[str, Any]]:
    for name, item in list(frame.f_locals.items())[:SEARCHED]:
        if name != "self":
            yield name, item
        elif hasattr(item, "__dict__"):
            yield from list(vars(item).items())[:SEARCHED]
