"""What is gathered of parameters while a step runs: gradients after the backward, gradients that an update finds, what it changes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import ReferenceType, ref

import torch
from torch import Tensor

from whygrad.frontends.torch.distances import wide
from whygrad.frontends.torch.identity import version_of
from whygrad.frontends.torch.statistics import sample_of
from whygrad.ir import GradientState

SNAPSHOT = 65_536
"""Entries of a parameter that are kept to measure its update: whole for small ones, an even sample of large ones."""


LEFT = 3
"""Looks in a row without a gradient: a layer that is dropped in every second step, or trained by another optimizer in turn, has one at some of them."""
SHORT = (torch.float16, torch.bfloat16)
"""Dtypes in which an ordinary update may be smaller than the distance to the next number."""


@dataclass(slots=True)
class Figures:
    """One parameter in one step."""

    gradient: GradientState = "none"
    gradient_norm: float | None = None
    at_update: GradientState | None = None
    norm: float | None = None
    update_norm: float | None = None
    moved: float | None = None
    rounded: float | None = None
    symmetric: bool = False
    unwritten: bool = False
    sample: Tensor | None = None


@dataclass(slots=True)
class First:
    """A parameter as it was when first recorded."""

    reference: "ReferenceType[Tensor]"
    sample: Tensor
    total: float
    name: str = ""
    owned: bool = False
    """A model has it, or had it."""
    gradient_seen: bool = False
    changed: bool = False
    trainable: bool = True
    without: int = 0
    """Looks in a row at which it had no gradient, though it had one when it was recorded."""

    def look(self) -> None:
        """See whether it has changed by now; once is enough."""
        parameter = self.reference()
        if parameter is None:
            return
        # what was frozen after it had been trained keeps the gradient of that time
        self.gradient_seen = self.gradient_seen or (parameter.requires_grad and parameter.grad is not None)
        if not self.changed:
            now = sample_of(parameter, SNAPSHOT)
            same = now.shape == self.sample.shape and bool(torch.equal(now, self.sample))
            self.changed = not (same and _same(_total(parameter), self.total))

    def finite(self) -> bool:
        """Whether it holds numbers alone now; what has gone is taken to have."""
        parameter = self.reference()
        return parameter is None or bool(torch.isfinite(sample_of(parameter, SNAPSHOT)).all())


@dataclass(slots=True)
class ParameterWatch:
    """All parameters, by id."""

    figures: dict[int, Figures] = field(default_factory=dict)
    first: dict[int, First] = field(default_factory=dict)
    used: dict[int, tuple["ReferenceType[Tensor]", int]] = field(default_factory=dict)
    """Gradients that an update has used: id of the parameter to the gradient and its version then."""

    def begin_step(self) -> None:
        """Forget the last step's figures."""
        self.figures = {}

    def after_backward(self, parameters: list[Tensor]) -> None:
        """Note every parameter's gradient, and keep what an update will change."""
        norms = gradient_norms(parameters)
        for parameter, norm in zip(parameters, norms, strict=True):
            figures = self.figures.setdefault(id(parameter), Figures())
            figures.gradient, figures.gradient_norm = gradient_state(norm), norm
            if figures.sample is None:
                self._snapshot(parameter, figures)

    def written(self, parameter: Tensor, gradient: Tensor | None) -> None:
        """The program itself has, or writes, the gradient of a parameter."""
        figures = self.figures.setdefault(id(parameter), Figures())
        figures.gradient_norm = None if gradient is None else float(wide(gradient.detach()).norm())
        figures.gradient = gradient_state(figures.gradient_norm)

    def _snapshot(self, parameter: Tensor, figures: Figures) -> None:
        sample = sample_of(parameter, SNAPSHOT).clone()
        figures.sample, figures.norm = sample, _scaled_norm(sample, parameter.numel())
        if id(parameter) not in self.first:
            self.first[id(parameter)] = First(ref(parameter), sample, _total(parameter), trainable=parameter.requires_grad)
        figures.symmetric = _symmetric(parameter)

    def before_update(self, parameters: list[Tensor]) -> None:
        """Note what an optimizer finds when it begins."""
        for parameter, norm in zip(parameters, gradient_norms(parameters), strict=True):
            self.figures.setdefault(id(parameter), Figures()).at_update = gradient_state(norm)

    def idle(self, parameters: list[Tensor]) -> bool:
        """An optimizer found no gradient at all when it began."""
        found = [self.figures[id(parameter)].at_update for parameter in parameters if id(parameter) in self.figures]
        return bool(found) and all(state in ("none", "zero") for state in found)

    def after_update(self, parameters: list[Tensor], *, measured: bool) -> None:
        """Note which gradients are used up, and how far each parameter moved."""
        for parameter in parameters:
            if parameter.grad is not None:
                self.used[id(parameter)] = (ref(parameter.grad), version_of(parameter.grad))
            if measured:
                self.moved(parameter)

    def moved(self, parameter: Tensor) -> None:
        """Measure how far a parameter moved since the backward."""
        figures = self.figures.get(id(parameter))
        if figures is not None and figures.sample is not None:
            now = sample_of(parameter, SNAPSHOT)
            if now.shape == figures.sample.shape:
                figures.update_norm = _scaled_norm(now - figures.sample, parameter.numel())
                figures.moved = float((now != figures.sample).double().mean()) if now.numel() else None
                figures.rounded = _rounded(parameter, now == figures.sample)

    def stale(self, parameters: list[Tensor]) -> int:
        """How many parameters still hold, unchanged, a gradient other than zero that an update has used."""
        held = [p for p in parameters if p.grad is not None and self._is_used(p, p.grad)]
        return sum(1 for norm in gradient_norms(held) if norm != 0)

    def _is_used(self, parameter: Tensor, gradient: Tensor) -> bool:
        entry = self.used.get(id(parameter))
        return entry is not None and entry[0]() is gradient and entry[1] == version_of(gradient)

    def look(self) -> None:
        """See which parameters have changed by now, and which have a gradient."""
        for entry in self.first.values():
            if not entry.changed or not entry.gradient_seen:
                entry.look()

    def thawed(self, held: Mapping[int, str]) -> bool:
        """A parameter that was frozen when it was recorded gets gradients now, and no optimizer holds it; told once."""
        frozen = [(entry, entry.reference()) for key, entry in self.first.items() if not entry.trainable and key not in held]
        late = [entry for entry, tensor in frozen if tensor is not None and tensor.requires_grad and tensor.grad is not None]
        for entry in late:
            entry.trainable = True
        return bool(late)

    def left(self, held: Mapping[int, str]) -> bool:
        """What an optimizer holds and had a gradient when it was recorded has had none for long: the forward may read another one by now. Told once."""
        found = False
        for key, entry in self.first.items():
            tensor = entry.reference() if key in held and entry.gradient_seen else None
            gone = tensor is not None and tensor.requires_grad and tensor.grad is None
            entry.without = entry.without + 1 if gone else 0
            found = found or entry.without == LEFT
        return found

    def name(self, names: Mapping[int, str], of_models: frozenset[int]) -> None:
        """Give each first sight the parameter's qualified name; those of models are told by their ids."""
        for key, entry in self.first.items():
            entry.name = names.get(key, entry.name)
            entry.owned |= key in of_models

    def of_model(self, parameter: Tensor) -> str:
        """The name that it had in a model, which may be gone by now; "" for what no model ever had."""
        entry = self.first.get(id(parameter))
        return entry.name if entry is not None and entry.owned and entry.reference() is parameter else ""


def without_gradient(parameters: list[Tensor]) -> frozenset[int]:
    """Ids of the parameters that have no gradient, or zeros: what a backward adds there is its own."""
    return frozenset(id(p) for p, norm in zip(parameters, gradient_norms(parameters), strict=True) if norm is None or norm == 0)


def gradient_norms(parameters: list[Tensor]) -> list[float | None]:
    """L2 norm of each parameter's gradient, None where it has none; read from the device at once."""
    dense = [
        p.grad.detach() if p.grad.layout is torch.strided else p.grad.detach().coalesce().values() for p in parameters if p.grad is not None
    ]
    norms = iter(
        torch.stack([torch.linalg.vector_norm(g, dtype=torch.float64 if not g.is_complex() else None).abs().cpu() for g in dense]).tolist()
        if dense
        else []
    )
    return [None if p.grad is None else next(norms) for p in parameters]


def gradient_state(norm: float | None) -> GradientState:
    """Whether there is a gradient, and of what sort, from its norm."""
    if norm is None:
        return "none"
    if not math.isfinite(norm):
        return "non-finite"
    return "zero" if norm == 0 else "finite"


def _symmetric(parameter: Tensor) -> bool:
    """All rows are equal, and those of the gradient are as well, or all columns, as of matrices that `x @ w` is written with: they will be for ever."""
    gradient = parameter.grad
    if parameter.dim() < 2 or gradient is None or gradient.layout is not torch.strided:  # noqa: PLR2004 - a matrix
        return False
    values, moved = parameter.detach(), gradient.detach()
    return _alike(values, moved) or (values.dim() == 2 and _alike(values.T, moved.T))  # noqa: PLR2004 - a matrix


def _alike(values: Tensor, gradient: Tensor) -> bool:
    """There are several rows, all equal, and so are those of the gradient."""
    if values.shape[0] < 2 or not torch.equal(values[0], values[1]):  # noqa: PLR2004 - two rows tell most apart
        return False
    return bool((values == values[:1]).all()) and bool((gradient == gradient[:1]).all())


def _scaled_norm(sample: Tensor, count: int) -> float:
    """The norm of the whole, from an even sample of it."""
    return float(wide(sample).norm()) * math.sqrt(count / max(1, sample.numel()))


def _total(parameter: Tensor) -> float:
    return float(wide(parameter.detach()).sum())


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _rounded(parameter: Tensor, still: Tensor) -> float | None:
    """Of the entries with a gradient, the share that an update left as they were; of half precision alone."""
    if parameter.dtype not in SHORT or parameter.grad is None or parameter.grad.layout is not torch.strided:
        return None
    with_gradient = sample_of(parameter.grad, SNAPSHOT) != 0
    return float(still[with_gradient].double().mean()) if bool(with_gradient.any()) else None
