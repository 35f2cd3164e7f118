"""From raw calls to the neutral graph of a step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from whygrad.frontends import folding
from whygrad.frontends.arguments import LONGEST, expression_at
from whygrad.frontends.source import Sources, Trace
from whygrad.frontends.tensorflow import _compat
from whygrad.frontends.tensorflow.arguments import written
from whygrad.frontends.tensorflow.calls import Call, Group, Happened
from whygrad.frontends.tensorflow.lowering import data_positions, kind_of, settings_of
from whygrad.frontends.tensorflow.scopes import Activation
from whygrad.frontends.tensorflow.values import Values
from whygrad.ir import Attribute, Event, Graph, Op, Role, Scope, Site, Value, family

DYING = ("relu", "leaky_relu", "hardtanh", "gelu", "silu")
"""Kinds of op behind which units can be dead."""
PASSING = ("cast", "reshape", "copy")
"""Kinds of op inside a layer or a loss that leave a value what it was, under the name that it had."""
REVERSED = {"Sub": "rsub", "RealDiv": "rdiv", "Div": "rdiv", "DivNoNan": "rdiv_no_nan"}
"""Ops whose operands can't change places, and their names with a plain number in front."""
RANKS = ("ExpandDims", "Squeeze")
ON_LOGITS = {"categorical_cross_entropy": "cross_entropy", "binary_cross_entropy": "bce_with_logits"}


@dataclass(slots=True)
class Step:
    """What a graph is built for."""

    parameters: Mapping[int, str] = field(default_factory=dict)
    """Number of a variable to its name."""
    buffers: frozenset[int] = frozenset()
    losses: tuple[str, ...] = ()
    unfolded: frozenset[int] = frozenset()
    """Numbers of groups that stay apart: something went wrong inside."""
    guessing: bool = False
    """Nothing of the loss can be differentiated: copies of unknown origin, made after values left, were made from those."""
    driver: Trace | None = None
    """The call of `fit` or the like, below which no line is the user's."""
    loss_site: Site | None = None
    """Where the loss was chosen that the driver computes."""


class Builder:
    """Builds graphs and events. Keeps the places that it has decoded."""

    def __init__(self, values: Values, sources: Sources) -> None:
        self.values = values
        self.sources = sources
        self._sites: dict[tuple[object, ...], Site | None] = {}

    def site(self, trace: Trace | None) -> Site | None:
        """The decoded place of a trace."""
        if trace is None:
            return None
        key = (trace.user, trace.library)
        if key not in self._sites:
            self._sites[key] = self.sources.site(trace)
        return self._sites[key]

    # --- ops ----------------------------------------------------------------------------------------------------

    def graph(self, calls: list[Call], step: Step) -> Graph:
        """The ops of some calls, with every value that they read or make."""
        by_at = {call.at: call for call in calls}
        self._fit_ranks(calls)
        made = {name for call in calls for name in call.outputs}
        members = [self._member(call, made, step) for call in calls]
        found = folding.folded(members, frozenset(step.losses))
        ops = tuple(self._op(item, by_at, step) for item in found)
        for name, text in written(ops, PASSING):
            seen = self.values.seen.get(name)
            if seen is not None and not seen.called and seen.variable is None:
                seen.called = text
        return Graph(ops, self.all_values(ops, step))

    def _member(self, call: Call, made: set[str], step: Step) -> folding.Member:
        whole = (
            call.group is not None and call.group.number not in step.unfolded and call.kind != "enter"
        )  # what comes back is no part of who reads it
        group = call.group if whole else None
        names = tuple(call.inputs[at] for at in self._data(call, made))
        return folding.Member(call.at, names, call.outputs, group)

    def _fit_ranks(self, calls: list[Call]) -> None:
        """Where a loss brings its two sides to one rank, the loss is what comes after: these calls are ops of their own."""
        groups = {call.group.number: call.group for call in calls if call.group is not None and "target" in call.group.given}
        for group in groups.values():
            inside = [call for call in calls if call.group is group]
            for what in ("target", "input"):
                chain = self._chain(group, what, inside)
                if any(call.name in RANKS for call in chain):
                    group.arguments[what] = chain[-1].outputs[0]
                    for call in chain:
                        call.group = None

    def _chain(self, group: Group, what: str, inside: list[Call]) -> list[Call]:
        name, found = self.given(group, what), []
        for call in inside:
            if call.name in (*RANKS, "Cast") and call.inputs[:1] == (name,):
                found.append(call)
                name = call.outputs[0]
        return found

    def _data(self, call: Call, made: set[str]) -> tuple[int, ...]:
        positions = data_positions(call.name, len(call.inputs)) if not call.kind else tuple(range(len(call.inputs)))
        return tuple(at for at in positions if not self._constant(call, at, made))

    def _constant(self, call: Call, at: int, made: set[str]) -> bool:
        """A number of the library's or the program's own, and no value of the step."""
        name = call.inputs[at]
        seen = self.values.seen.get(name)
        small = seen is not None and (seen.shape == () or (seen.dtype[:1] in "iu" and seen.shape is not None and len(seen.shape) == 1))
        given = call.group is not None and name in (self.given(call.group, "target"), self.given(call.group, "input"))
        plain = seen is not None and small and not given and not seen.called and seen.variable is None and seen.role is None
        return plain and name not in made and not (at < len(call.watched) and call.watched[at]) and not call.kind

    def _op(self, item: folding.Folded, by_at: Mapping[int, Call], step: Step) -> Op:
        calls = [by_at[member.at] for member in item.members]
        if isinstance(item.group, Group):
            return self._of_group(item, item.group, calls, step)
        call = calls[0]
        names = dict(zip(call.inputs, call.watched, strict=False))
        kind = call.kind or kind_of(call.name, call.attributes)
        derived = call.kind != "" or _compat.has_gradient(call.name)
        inputs = () if family(kind) == "create" and kind in ("create", "random") else item.inputs
        carries = tuple(derived and names.get(name, False) for name in inputs)
        settings = (
            {**settings_of(kind, call.name, call.tensors, call.attributes), **call.settings} if not call.kind else dict(call.settings)
        )
        guess, native = settings.pop("guess", None), settings.pop("native", None)
        if call.name in ("ZerosLike", "OnesLike") and call.inputs:
            settings["like"] = call.inputs[0]
        if isinstance(guess, str) and step.guessing and not inputs:
            inputs, carries, settings["guessed"] = (guess,), (False,), True
        return self._finished(
            call, kind, inputs, item.outputs, carries, dict(settings), step, native=str(native or _native(call, item.inputs))
        )

    def _of_group(self, item: folding.Folded, group: Group, calls: list[Call], step: Step) -> Op:
        names = self._ordered(item.inputs, group)
        follows = {name for call in calls for name, watched in zip(call.inputs, call.watched, strict=False) if watched}
        attributes = dict(group.attributes)
        target = self.given(group, "target")
        if target is not None and target in names:
            attributes["target"] = names.index(target)
        elif "target" in group.given and len(names) > 1:
            attributes["target"] = 1
        names = () if family(group.kind) == "create" else names
        carries = tuple(name in follows for name in names)
        kind = self._kind_of(group, item.inputs)
        given = self.given(group, "input")
        if kind != group.kind and given is not None:
            attributes["given"] = given
        return self._finished(calls[0], kind, names, item.outputs, carries, attributes, step, native=group.native)

    def _kind_of(self, group: Group, inputs: tuple[str, ...]) -> str:
        """Keras goes back to the scores behind a softmax or sigmoid, where it still knows them: then the loss is one on logits."""
        given = self.given(group, "input")
        back = (
            given is not None
            and given not in inputs
            and any(seen.differentiable for name in inputs if (seen := self.values.seen.get(name)) is not None)
        )
        return ON_LOGITS.get(group.kind, group.kind) if back else group.kind

    def given(self, group: Group, what: str) -> str | None:
        """The name of the value that a function was given as its target or its input."""
        if what in group.arguments:
            return group.arguments[what]
        return self.values.of_object(group.given[what]) if group.given.get(what) is not None else None

    def _ordered(self, inputs: tuple[str, ...], group: Group) -> tuple[str, ...]:
        """What a loss judges first, then its target, then the rest; for a layer, its data before its weights."""
        if "target" not in group.given:
            data = [name for name in inputs if self._is_data(name)]
            return (*data, *(name for name in inputs if not self._is_data(name)))
        first, target = self.given(group, "input"), self.given(group, "target")
        if target not in inputs:
            fixed = [name for name in inputs if name != first and not self._followed(name)]
            target = fixed[0] if fixed else None
        if first not in inputs:
            first = next((name for name in inputs if name != target), None)
        lead = [name for name in (first, target) if name is not None]
        return (*lead, *(name for name in inputs if name not in lead))

    def _followed(self, name: str) -> bool:
        seen = self.values.seen.get(name)  # plain numbers are not there
        return seen is not None and seen.differentiable

    def _is_data(self, name: str) -> bool:
        return name in self.values.seen and self.values.seen[name].variable is None

    def _finished(
        self,
        call: Call,
        kind: str,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        carries: tuple[bool, ...],
        attributes: dict[str, Attribute],
        step: Step,
        *,
        native: str,
    ) -> Op:
        layer = call.layer
        made = self.site(layer.made) if layer is not None else None
        path = layer.path if layer is not None else ""
        site = self.place(call, kind, made, step)
        return Op(kind, inputs, outputs, native, carries, call.tracking, attributes, site, path, call.scope, call.failed, made)

    def place(self, call: Call, kind: str, made: Site | None, step: Step) -> Site | None:
        """The user's line: of the call itself; below `fit`, where the layer was made or the loss was chosen."""
        driven = call.trace is not None and step.driver is not None and call.trace.user[:1] == step.driver.user[:1]
        if not driven:
            return self.site(call.trace)
        if call.layer is not None:
            return made or self.site(call.trace)
        below_loss = family(kind) == "loss" or any("compile_utils" in code.co_filename for code, _ in call.trace.library if call.trace)  # type: ignore[union-attr]  # it is there where driven
        return step.loss_site if below_loss and step.loss_site is not None else self.site(call.trace)

    # --- values -------------------------------------------------------------------------------------------------

    def all_values(self, ops: Iterable[Op], step: Step, more: Iterable[str] = ()) -> dict[str, Value]:
        """Every value that some ops read or make, and some others."""
        ops = tuple(ops)
        made = {name: op for op in ops for name in op.outputs}
        losses = {name for op in ops if family(op.kind) == "loss" for name in op.inputs}
        dying = {name for op in ops if op.kind in DYING for name in op.outputs}
        forms = (form for op in ops if isinstance(form := op.attributes.get("like"), str))
        names = dict.fromkeys((*(name for op in ops for name in (*op.inputs, *op.outputs)), *step.losses, *more, *forms))
        for name in names:
            external = name not in made or not made[name].tracking
            seen = self.values.seen.get(name)
            whole = name in losses or (external and seen is not None and seen.variable is None)
            self.values.measure(name, whole=whole, rows=name in losses, units=name in dying)
        return {name: self.value(name, made.get(name), step) for name in names}

    def value(self, name: str, maker: Op | None, step: Step) -> Value:
        """What is known of a value; `maker` is the op that made it in this step."""
        seen = self.values.seen.get(name)
        if seen is None:
            return Value(name, "python" if name.startswith("p") else "activation")
        called = step.parameters.get(seen.variable or -1, "") or seen.called or _expression(maker, step, self.site(step.driver))
        if not called and maker is not None and maker.kind in PASSING and maker.inputs:
            first = self.values.seen.get(maker.inputs[0])
            called = first.called if first is not None else ""
        through = maker is not None and any(maker.carried(at) for at in range(len(maker.inputs)))
        differentiable = seen.differentiable or (through and seen.dtype in ("f16", "bf16", "f32", "f64", "c64", "c128"))
        return Value(name, self._role(name, maker, step), seen.dtype, seen.shape, seen.statistics, called, differentiable)

    def _role(self, name: str, maker: Op | None, step: Step) -> Role:
        seen = self.values.seen[name]
        if name in step.losses:
            return "loss"
        if seen.variable is not None:
            return "parameter" if seen.variable in step.parameters else "buffer"
        if seen.role is not None:
            return seen.role
        if maker is None:
            return "state" if seen.carried and seen.differentiable else "input"
        return "constant" if maker.kind == "create" else "activation"

    # --- events and scopes --------------------------------------------------------------------------------------

    def events(self, happened: Iterable[Happened], ops: tuple[Op, ...], calls: list[Call]) -> tuple[Event, ...]:
        """Events, placed among the ops of the step."""
        at_of = {name: call.at for call in calls for name in call.outputs}
        starts = [max((at_of[name] for name in op.outputs if name in at_of), default=0) for op in ops]
        ordered = sorted(happened, key=lambda item: item.at)
        return tuple(
            Event(
                item.kind,  # type: ignore[arg-type]  # the kinds are written in this package alone
                sum(start < item.at for start in starts) if ops else 0,
                item.targets,
                self.site(item.trace),
                dict(item.attributes),
            )
            for item in ordered
        )

    def scopes(self, activations: Iterable[Activation]) -> tuple[Scope, ...]:
        """The user's functions in which ops ran."""
        return tuple(
            Scope(item.function, dict(item.arguments), self.sources.definition(item.code), self.site(item.caller), item.unread, item.parent)
            for item in activations
        )


def _native(call: Call, inputs: tuple[str, ...]) -> str:
    """The name of the op; another one where a number, which is no value of the step, stands in front: `1 - x` is not `x - 1`."""
    two = call.inputs[:2]  # one alone, where a call raised that was given an array of NumPy's
    turned = call.name in REVERSED and len(set(two)) > 1 and inputs == call.inputs[1:]
    return call.name if call.kind else f"tf.{REVERSED[call.name] if turned else call.name}"


def _expression(maker: Op | None, step: Step, driver: Site | None) -> str:
    """The expression that made a value, where the user gave it no name; below `fit` the layer that made it."""
    site = maker.site if maker is not None else None
    if maker is not None and maker.made is not None and step.driver is not None and maker.module:
        return maker.module
    below = site is not None and driver is not None and (site.file, site.line) == (driver.file, driver.line)
    if maker is None or site is None or maker.made is not None or site is step.loss_site or below:
        return ""
    text = expression_at(site)
    return text if len(text) <= LONGEST else ""
