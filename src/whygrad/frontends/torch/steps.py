"""From recorded calls to the neutral record of a step."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from whygrad.frontends.arguments import LONGEST, expression_at
from whygrad.frontends.source import LIBRARY_FRAMES, Sources, Trace
from whygrad.frontends.torch._compat import is_leaf
from whygrad.frontends.torch.calls import HANDED, WRAP, Call, Happened, Seen
from whygrad.frontends.torch.ledger import Ledger
from whygrad.frontends.torch.lowering import dtype_name
from whygrad.ir import Event, Graph, Op, Role, Scope, Site, Value, family

LIKE = ("zeros_like", "ones_like", "full_like", "fill", "zero")
"""Functions that give one number in the form of a tensor, and leave nothing of what that holds."""


@dataclass(slots=True)
class Activation:
    """One call of a function of the user's, with the tensors that it was given."""

    function: str
    code: object
    arguments: dict[str, str]
    definition: Site
    caller: Trace | None
    unread: tuple[str, ...]
    parent: int | None = None


@dataclass(slots=True)
class Draft:
    """Everything that a step is built from."""

    calls: list[Call]
    events: list[Happened]
    activations: list[Activation] = field(default_factory=list)


class Builder:
    """Builds graphs and events. Keeps the sites that it has decoded."""

    def __init__(self, ledger: Ledger, sources: Sources) -> None:
        self.ledger = ledger
        self.sources = sources
        self.defaults: dict[int, str] = {}
        """Object number to what a value is called that has no variable."""
        self._sites: dict[tuple[object, ...], Site | None] = {}
        self.chosen: Callable[[Call], Site | None] = lambda _: None
        """Where a call was decided that a library's own training makes by itself."""

    def site(self, trace: Trace | None) -> Site | None:
        """The decoded place of a trace."""
        if trace is None:
            return None
        key = (trace.user, trace.library)
        if key not in self._sites:
            self._sites[key] = self.sources.site(trace)
        return self._sites[key]

    def graph(self, calls: Iterable[Call], parameters: Mapping[int, str], losses: set[str], *, guess_returns: bool = False) -> Graph:
        """The ops of some calls, with every value that they read or make. `parameters` maps object numbers to qualified names."""
        calls = kept(calls, parameters)
        returns = self._guessed(calls, parameters) if guess_returns else {}
        ops = tuple(self._op(call, returns.get(call.at, ())) for call in calls)
        return Graph(ops, self._values(ops, parameters, losses))

    def _op(self, call: Call, guessed: tuple[str, ...]) -> Op:
        inputs = tuple(slot.value for slot in call.slots) + (call.came_back or guessed)
        carries = call.carries + (False,) * (len(inputs) - len(call.carries))
        attributes, kind = dict(call.settings), call.kind
        if attributes.pop("overwrites", False):
            inputs, carries = inputs[1:], carries[1:]
        if family(kind) == "create" and kind in ("create", "random"):
            if call.slots and call.info.base in LIKE:
                attributes["like"] = call.slots[0].value
            inputs, carries = (), ()
        if guessed:
            attributes["guessed"] = True
        return Op(
            kind,
            inputs,
            call.made,
            call.info.native,
            carries,
            call.tracking,
            attributes,
            self.chosen(call) or self.site(call.trace),
            call.module,
            call.scope,
            call.failed,
            self.site(call.layer),
        )

    def _guessed(self, calls: list[Call], parameters: Mapping[int, str]) -> dict[int, tuple[str, ...]]:
        """Where nothing of the loss can be differentiated: copies of unknown origin, made after values left, were made from those."""
        moved = set(parameters)
        gone: list[str] = []
        found: dict[int, tuple[str, ...]] = {}
        for call in calls:
            if any(slot.number in moved for slot in call.slots):
                moved.update(call.outputs)
                gone += call.made if call.kind == "leave" else ()
            elif call.kind == "enter" and not call.came_back and gone:
                found[call.at] = tuple(gone[-1:])
                moved.update(call.outputs)
        return found

    def _values(self, ops: tuple[Op, ...], parameters: Mapping[int, str], losses: set[str]) -> dict[str, Value]:
        made = {name: op for op in ops for name in op.outputs}
        names = dict.fromkeys(name for op in ops for name in (*op.inputs, *op.outputs))
        names.update(dict.fromkeys(sorted(losses)))
        names.update(dict.fromkeys(form for op in ops if isinstance(form := op.attributes.get("like"), str)))
        return {name: self.value(name, made.get(name), parameters, losses) for name in names}

    def value(self, name: str, maker: Op | None, parameters: Mapping[int, str], losses: set[str]) -> Value:
        """What is known of a value; `maker` is the op that made it in this step."""
        seen = self.ledger.values.get(name)
        if seen is None:
            return Value(name, "python" if name.startswith("p") else "activation")
        figures = seen.pending.read() if seen.pending is not None else None
        called = (
            parameters.get(seen.number)
            or self.ledger.names.get(seen.number)
            or self.defaults.get(seen.number)
            or _expression(maker, "loss" if name in losses else "")
        )
        return Value(
            name, _role(name, seen, maker, parameters, losses), dtype_name(seen.dtype), seen.shape, figures, called, seen.differentiable
        )

    def events(self, happened: Iterable[Happened], calls: list[Call]) -> tuple[Event, ...]:
        """Events, placed among the ops of the step."""
        starts = [call.at for call in calls]
        return tuple(
            Event(item.kind, _before(starts, item.at), tuple(map(str, item.targets)), self.site(item.trace), dict(item.attributes))  # type: ignore[arg-type]  # the kinds are written in this package alone
            for item in happened
        )

    def scopes(self, activations: Iterable[Activation]) -> tuple[Scope, ...]:
        """The user's functions in which ops ran."""
        return tuple(
            Scope(item.function, dict(item.arguments), item.definition, self.site(item.caller), item.unread, item.parent)
            for item in activations
        )


_FUNCTION = re.compile(r"[A-Za-z_][\w.]*\(")


def _expression(maker: Op | None, within: str) -> str:
    """The expression that made a value, where the user gave it no name: `tokens[:, 1:]`; of a long call its function alone, `torch.cat(…)`. `within`: what it is called within a trainer."""
    site = maker.site if maker is not None else None
    if maker is None or site is None or site.column < 1:
        return ""
    if site == maker.made and maker.module:
        return maker.module
    if _within_trainer(site):
        return within
    if 0 < len(text := expression_at(site)) <= LONGEST:
        return text
    function = _FUNCTION.match(site.text, site.column - 1)
    return f"{function[0]}…)" if function is not None and len(function[0]) < LONGEST else ""


def _within_trainer(site: Site) -> bool:
    """A statement of its own that went deep into libraries, `trainer.fit(model, data)`: what is computed there is not what it gives."""
    code = site.text.partition("#")[0].rstrip()
    whole = not code[: site.column - 1].strip(" \t)].") and (site.end_line > site.line or site.end_column > len(code))
    return whole and len(site.library) >= LIBRARY_FRAMES


def _before(starts: list[int], at: int) -> int:
    low, high = 0, len(starts)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if starts[middle] < at else (low, middle)
    return low


def _role(name: str, seen: Seen, maker: Op | None, parameters: Mapping[int, str], losses: set[str]) -> Role:
    if name in losses:
        return "loss"
    if seen.number in parameters:
        return "parameter"
    if seen.role:
        return seen.role  # type: ignore[return-value]  # set in this package alone, to roles of the table
    if seen.carried or (maker is None and seen.graphed):
        return "state"
    if maker is None:
        return "input"
    return "constant" if maker.kind == "create" else "activation"


def kept(calls: Iterable[Call], parameters: Mapping[int, str]) -> list[Call]:
    """Without what initialised a parameter: to the step, a parameter is where everything begins."""
    return [
        call for call in calls if call.full or call.failed or not call.outputs or _given(call) or not parameters.keys() >= set(call.outputs)
    ]


def _given(call: Call) -> bool:
    """The parameter was given what other parameters made: that is where their gradient is lost."""
    return call.info.native == WRAP or HANDED in call.settings


def leaves(calls: Iterable[Call]) -> dict[int, Tensor]:
    """Trainable leaves that took part: object number to tensor."""
    found: dict[int, Tensor] = {}
    for call in calls:
        for slot in call.slots:
            tensor = slot.held
            if tensor is not None and is_leaf(tensor) and tensor.requires_grad:
                found[slot.number] = tensor
    return found


@dataclass
class Alone:
    """Names that tell the leaves of a step apart: all of a list are called by a loop's variable, and figures are kept by name."""

    calls: Sequence[Call]
    first: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By the user's name: when the first leaf of it was used, and what it is called."""
    counts: dict[str, int] = field(default_factory=dict)

    def named(self, number: int, name: str) -> str:
        """The name for this leaf. One that was met after another of its name was used is that one's next version, and keeps the name."""
        if name in self.first and number > self.first[name][0]:
            return self.first[name][1]
        at = self.counts[name] = self.counts.get(name, 0) + 1
        chosen = name if at == 1 else f"{name} ({at})"
        if name not in self.first:
            self.first[name] = self.used(number), chosen
        return chosen

    def used(self, number: int) -> int:
        """The number of the first value that was computed from a leaf; numbers are given in the order in which objects are met."""
        return self.uses.get(number, number)

    @cached_property
    def uses(self) -> dict[int, int]:
        """Each object to the number of the first other one that was computed from it. Linear in the calls."""
        found: dict[int, int] = {}
        for call in self.calls:
            for slot in call.slots:
                if call.outputs and slot.number not in call.outputs:
                    found.setdefault(slot.number, min(call.outputs))
        return found
