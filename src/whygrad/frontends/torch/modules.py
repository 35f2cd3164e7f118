"""Modules and parameters: which module runs, what the user calls each parameter, and which parameters no module knows."""

import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import dropwhile
from types import FrameType
from typing import Any
from weakref import ReferenceType, ref

from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from whygrad.frontends import source
from whygrad.frontends.torch import keras
from whygrad.frontends.torch.calls import Happened
from whygrad.frontends.torch.holding import held_in, holds, named_in, parts_of
from whygrad.frontends.torch.loadings import Beginnings, Loadings, Redraws
from whygrad.frontends.torch.states import States
from whygrad.frontends.torch.unheld import explained
from whygrad.ir import Frame, Outcome, Site

SEARCHED = 200
"""Variables of a frame that are searched for the module that owns another one."""
MOST_SWITCHES = 16
"""Switches to evaluation mode that are looked at until one is of a model that is trained."""
MODAL = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)
"""Modules that do something else in training than in evaluation."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A parameter and what is known of it."""

    name: str
    tensor: Tensor
    registered: bool
    owner: str
    library: bool
    root: str


class Modules:
    """The stack of running modules, and the models that they belong to."""

    def __init__(self) -> None:
        self.stack: list[nn.Module] = []
        self._roots: dict[int, tuple[ReferenceType[nn.Module], str]] = {}
        self._strays: dict[int, tuple[ReferenceType[Tensor], str, str, bool]] = {}
        self._registered: dict[int, ReferenceType[Tensor]] = {}
        """The models' own parameters by their id, so that they need not be searched for."""
        self._made: dict[int, tuple[ReferenceType[nn.Module], source.Trace]] = {}
        self._names: dict[int, tuple[ReferenceType[nn.Module], str]] = {}
        """By id, which another module may have once this one is gone."""
        self._handles: list[Any] = []
        self._switching: tuple[ReferenceType[nn.Module], bool] | None = None
        self.evaluated: source.Trace | None = None
        """Where a model that an optimizer trains was first switched to evaluation mode."""
        self._switches = 0
        self._settled: dict[int, tuple[ReferenceType[Tensor], str]] = {}
        """Names that a recorded step has, which stay as they are when further models come."""
        self.loadings = Loadings()
        """Parameters that were overwritten from a checkpoint or another parameter."""
        self.redraws = Redraws()
        self.beginnings = Beginnings()
        self.states = States()

    # --- watching -----------------------------------------------------------------------------------------------

    def attach(self, entering: Callable[..., None], leaving: Callable[..., None]) -> None:
        """Be told of every module's call."""
        if not self._handles:
            self._handles = [register_module_forward_pre_hook(entering), register_module_forward_hook(leaving, always_call=True)]

    def release(self) -> None:
        """Stop following."""
        for handle in self._handles:
            handle.remove()
        self._handles, self.stack = [], []

    def enter(self, module: nn.Module, frame: FrameType, given: tuple[object, ...] = ()) -> None:
        """A module's forward begins, on what it is given by position."""
        if not self.stack:
            if not (keras.is_keras(module) and keras.only_shapes(given)):
                self._root(module, source.user_frame(frame))
        elif self._name(module) is None:
            self._name_child(module)
        self.stack.append(module)

    def leave(self, module: nn.Module) -> None:
        """A module's forward is over, or raised."""
        while self.stack and self.stack.pop() is not module:
            pass

    def path(self) -> str:
        """Qualified name of the running module; "" outside, and for the model itself its variable."""
        if self.stack and keras.is_keras(self.stack[-1]):
            return keras.path_of(self.stack)
        return (self._name(self.stack[-1]) or "") if self.stack else ""

    def _name(self, module: nn.Module) -> str | None:
        """Qualified name of a module, if it has one by now."""
        held = self._names.get(id(module))
        return held[1] if held is not None and held[0]() is module else None

    def called(self, module: nn.Module | None) -> str:
        """Qualified name of a module that has run, or the variable of a model; "" where it is not known."""
        if module is None:
            return ""
        return self._name(module) or next((name for model, name in self.models() if model is module), "")

    def layer(self) -> source.Trace | None:
        """Where the running module was made, if it is one of the framework's own."""
        module = self.stack[-1] if self.stack else None
        held = self._made.get(id(module))
        return (
            held[1]
            if module is not None
            and held is not None
            and held[0]() is module
            and type(module).__module__.startswith(("torch.nn", "keras."))
            else None
        )

    def inside_model(self) -> bool:
        """Whether a module that holds parameters is running; losses and activations hold none."""
        return any(map(holds, self.stack))

    # --- models -------------------------------------------------------------------------------------------------

    def _root(self, module: nn.Module, frame: FrameType | None) -> None:
        held = self._roots.get(id(module))
        if held is not None and held[0]() is module:
            return
        if any(module is part for model, _ in self.models() for part in parts_of(model)):
            return
        owner, name = _widest(module, frame)
        parts = {id(part) for part in parts_of(owner)}
        self._roots = {key: held for key, held in self._roots.items() if key not in parts}  # a part may have run by itself before
        self._roots[id(owner)] = (ref(owner), name)
        self._registered.update((id(parameter), ref(parameter)) for parameter in held_in(owner))
        for path, part in owner.named_modules():
            self._names[id(part)] = ref(part), path

    def _name_child(self, module: nn.Module) -> None:
        parent = self.stack[-1]
        prefix = self._name(parent) or ""
        found = next((name for name, child in _attributes(parent) if child is module), type(module).__name__)
        for path, part in module.named_modules():
            full = ".".join(filter(None, (prefix, found, path)))
            if self._name(part) is None:
                self._names[id(part)] = ref(part), full
        registered = any(child is module for child in parent.children())
        if not registered:
            owner = _class_name(parent)
            for path, parameter in named_in(module):
                if not self._knows(parameter):
                    self._strays[id(parameter)] = ref(parameter), ".".join(filter(None, (prefix, found, path))), owner, _is_library(parent)

    def modes(self) -> dict[str, bool]:
        """Path of each module with dropout or batch normalisation to whether it is in training mode."""
        found = {}
        self._switching = None
        for model, variable in self.models():
            for path, part in model.named_modules():
                if isinstance(part, MODAL):
                    found[f"{variable}.{path}".strip(".")] = part.training
                    self._switching = self._switching or (ref(part), part.training)
        return found

    def mode_changed(self) -> bool:
        """The first of these modules is in another mode than in the last recorded step; told once."""
        part = self._switching[0]() if self._switching is not None else None
        if part is None or self._switching is None or part.training == self._switching[1]:
            return False
        self._switching = None
        return True

    def models(self) -> Iterator[tuple[nn.Module, str]]:
        """The models that ran, with the user's variable for each."""
        for reference, name in self._roots.values():
            module = reference()
            if module is not None:
                yield module, name

    def note_leaf(self, tensor: Tensor) -> None:
        """A trainable leaf took part in the running module's forward: remember where the module keeps it, if no module knows it."""
        if self._knows(tensor):
            return
        for module in reversed(self.stack):
            for name, item in _attributes(module):
                if item is tensor and not any(tensor is parameter for parameter in module._parameters.values()):
                    prefix = self._name(module) or ""
                    self._strays[id(tensor)] = (
                        ref(tensor),
                        ".".join(filter(None, (prefix, name))),
                        _class_name(module),
                        _is_library(module),
                    )
                    return

    def _knows(self, tensor: Tensor) -> bool:
        """It is a model's own parameter, or noted already as one that no module knows."""
        stray, own = self._strays.get(id(tensor)), self._registered.get(id(tensor))
        return (stray is not None and stray[0]() is tensor) or (own is not None and own() is tensor)

    def made_at(self, module: nn.Module, trace: source.Trace | None) -> None:
        """Remember where a module was made."""
        if trace is not None:
            self._made[id(module)] = (ref(module), trace)

    def explained(self, outcome: Outcome, site: Callable[[source.Trace | None], Site | None], events: Iterable[Happened]) -> Outcome:
        """The end of the program, with what is known of the modules that it is about."""
        held = ((reference(), trace) for reference, trace in self._made.values())
        made = {id(module): (module, trace) for module, trace in held if module is not None}
        freezing = [item.trace for item in events if item.kind == "freeze"]
        return explained(outcome, made, site, freezing[-1] if freezing else None)

    def switched_off(self, module: nn.Module, held: Container[int], trace: source.Trace | None) -> None:
        """A model was switched to evaluation mode: teachers and judges, which no optimizer holds, are none of ours."""
        if self.evaluated is None and self._switches < MOST_SWITCHES:
            self._switches += 1
            if any(id(parameter) in held for parameter in held_in(module)):
                self.evaluated = trace

    def parameters(self) -> dict[int, Owned]:
        """Id of each known parameter to what is known of it; names are qualified by the model where there are several."""
        found: dict[int, Owned] = {}
        models = [(module, name) for module, name in self.models() if holds(module)]
        held = {id(parameter) for module, _ in models for parameter in held_in(module)}
        # what a model no longer has gives its name to what stands in its place
        settled = {key: name for key, (reference, name) in self._settled.items() if key in held and reference() is not None}
        taken = set(settled.values())
        for module, variable in models:
            owners = {id(p): part for part in parts_of(module) for p in part._parameters.values() if p is not None}
            theirs = {id(tensor): (layer, name) for tensor, layer, name in keras.held_by_layers(module)}
            owners |= {key: layer for key, (layer, _) in theirs.items()}
            library = {id(p): _is_library(part) for part in _user_level(module) for p in held_in(part)}
            prefix = f"{variable}." if len(models) > 1 and variable else ""
            for name, parameter in named_in(module):
                full = settled.get(id(parameter)) or _unused(prefix + theirs.get(id(parameter), (None, name))[1], taken)
                if id(parameter) not in found:
                    taken.add(full)
                    owner = _class_name(owners[id(parameter)])
                    found[id(parameter)] = Owned(full, parameter, True, owner, library.get(id(parameter), False), variable)
        for key, (reference, name, owner, library_) in self._strays.items():
            tensor = reference()
            if tensor is not None and key not in found:
                found[key] = Owned(_unused(name, taken), tensor, False, owner, library_, "")
                taken.add(found[key].name)
        return found

    def settle(self, recorded: Iterable[Owned]) -> None:
        """What a recorded step calls its parameters by."""
        self._settled |= {id(item.tensor): (ref(item.tensor), item.name) for item in recorded if item.registered}

    def places(self) -> dict[int, source.Trace]:
        """Id of each parameter to where the module that holds it was made."""
        made = [(part, trace) for reference, trace in self._made.values() if (part := reference()) is not None]
        found = {id(item): trace for part, trace in made for item in part._parameters.values() if item is not None}
        homes = {id(part): trace for part, trace in made}
        held = (pair for model, _ in self.models() for pair in keras.held_by_layers(model))
        return found | {id(tensor): homes[id(layer)] for tensor, layer, _ in held if id(layer) in homes}

    def bare(self, sources: source.Sources) -> dict[int, Site]:
        """Id of each parameter that a layer of the user's holds by itself, to the line that makes it a part of the layer."""
        made = [(part, trace) for reference, trace in self._made.values() if (part := reference()) is not None]
        lines: dict[tuple[str, str], Site | None] = {}
        return {
            id(item): replace(site, callers=_callers(part, sources.site(trace)))
            for part, trace in made
            for item, site in keras.bare_in(part, sources, lines)
            if site is not None
        }


def _callers(module: nn.Module, made: Site | None) -> tuple[Frame, ...]:
    """The calls that led to the module's own `__init__`."""
    ways = made.with_callers if made is not None else ()
    own = {f"{part.__qualname__.replace('<locals>.', '')}.__init__" for part in type(module).__mro__}
    outside = dropwhile(lambda way: way.function in own, ways)
    return tuple(Frame(way.file, way.line, way.function, way.text) for way in outside)


def _unused(name: str, taken: set[str]) -> str:
    """The name, numbered where another model without a variable has it already."""
    number, full = 1, name
    while full in taken:
        number += 1
        full = f"{name} ({number})"
    return full


def _widest(module: nn.Module, frame: FrameType | None) -> tuple[nn.Module, str]:
    """The largest module among the variables in sight that contains `module`, and its variable."""
    best, name = module, ""
    size = sum(1 for _ in parts_of(module))
    while frame is not None:
        for variable, item in _variables(frame):
            if isinstance(item, nn.Module) and (item is module or any(part is module for part in parts_of(item))):
                count = sum(1 for _ in parts_of(item))
                if count > size or (item is best and not name):
                    best, name, size = item, variable, count
        frame = source.user_frame(frame.f_back)
    return best, name


def _variables(frame: FrameType) -> Iterator[tuple[str, Any]]:
    for name, item in list(frame.f_locals.items())[:SEARCHED]:
        if name != "self" or not isinstance(item, nn.Module):
            yield name, item
        if name == "self":
            yield from list(vars(item).items())[:SEARCHED] if hasattr(item, "__dict__") else ()
            if isinstance(item, nn.Module):
                yield from item._modules.items()
                yield "", item


def _attributes(module: nn.Module) -> Iterator[tuple[str, Any]]:
    """A module's tensors and modules under the names that the user's code has for them, registered or not, in lists and dictionaries too."""
    yield from module._modules.items()
    for name, item in vars(module).items():
        if name in ("_modules", "_buffers", "_parameters"):
            continue
        yield name, item
        if isinstance(item, list | tuple) and len(item) <= SEARCHED:
            yield from ((f"{name}[{at}]", part) for at, part in enumerate(item))
        elif isinstance(item, Mapping) and len(item) <= SEARCHED and not name.startswith("_"):
            yield from ((f"{name}[{key!r}]", part) for key, part in item.items())


def _class_name(module: nn.Module) -> str:
    return f"{type(module).__module__}.{type(module).__qualname__}"


def _is_library(module: nn.Module) -> bool:
    """Whether the class of a module comes from an installed library other than torch."""
    name = type(module).__module__
    file = getattr(sys.modules.get(name), "__file__", None)
    return bool(file) and not name.startswith(("torch.", "keras.")) and str(file).startswith(source.LIBRARIES)


def _user_level(model: nn.Module) -> Iterator[nn.Module]:
    """Modules whose class is not one of torch's own layers, outermost first."""
    return (part for part in model.modules() if not type(part).__module__.startswith(("torch.", "keras.")))
