"""Which values of a step are the labels. Pure; the same for every framework."""

from collections.abc import Iterable, Iterator

from whygrad.flow.index import StepIndex
from whygrad.ir import Labels, Op, Permute, Scope, Value, Vary, family
from whygrad.loss_contracts import contract_of, input_of, target_of

LAYERS = ("linear", "conv", "embedding", "rnn", "matmul", "bilinear")
"""Kinds of op that read data by weights."""
REWRITTEN_BY = ("layout", "cast")
"""Families of ops that give labels another form and leave their meaning; one-hot rows do as well."""


def permuting(index: StepIndex) -> Permute:
    """The central experiment: the labels in another order, and the inputs that were made of them as they are."""
    return Permute(index.step.labels.values, tuple(sorted(index.made_from_labels)))


def varying(index: StepIndex, name: str) -> Vary:
    """Labels that are all the same, drawn anew: among the classes that a loss of ids tells apart, else 0 and 1."""
    below = index.downstream((name,))
    reading = (op for op in index.loss_ops() if target_of(op) in below)
    return Vary((name,), next((number for op in reading if (number := _classes(index, op)) > 1), 2))


def _classes(index: StepIndex, op: Op) -> int:
    """How many classes a loss of ids tells apart; 0 where it is none, or that is not known."""
    shape, contract = index.value(input_of(op) or "").shape or (), contract_of(op)
    axis = contract.class_axis if contract is not None and "ids" in contract.targets else None
    if axis is None or len(shape) < 2:  # noqa: PLR2004 - rows and classes
        return 0
    return shape[axis] if -len(shape) <= axis < len(shape) else 0


class _Search:
    """The sets of values that the search asks for."""

    def __init__(self, index: StepIndex, *, making: bool) -> None:
        self.index = index
        self.making = making
        parameters = {p.value for p in index.step.parameters}
        self.trained = index.downstream(frozenset(parameters))
        self.batch = tuple(dict.fromkeys(name for event in index.events("batch") for name in event.targets))
        self.entering = self._entering(parameters)

    def _entering(self, parameters: set[str]) -> frozenset[str]:
        """Data that meets parameters first: the model's inputs and what they were made from."""
        made = self._weights(parameters)
        self.met = frozenset(
            name
            for op in self.index.graph.ops
            if not parameters.isdisjoint(op.inputs) or (op.kind in LAYERS and not made.isdisjoint(op.inputs))
            for name in op.inputs
            if name not in self.trained
        )
        return self._above(self.met)

    def _weights(self, parameters: set[str]) -> set[str]:
        """What stands for parameters: what is made of them without data, or by an update within the step, as an inner loop makes it."""
        data, found = self.index.downstream(self.batch), set(parameters)
        for op in self.index.graph.ops:
            read = found.intersection(op.inputs)
            alone = not data.intersection(op.inputs) and read.issuperset(self.trained.intersection(op.inputs))
            updated = op.kind in ("add", "sub") and any(self._same_shape(name, op) for name in read)
            if read and (alone or updated):
                found.update(op.outputs)
        return found - parameters

    def _same_shape(self, name: str, op: Op) -> bool:
        """What the op makes has a parameter's shape, perhaps for each of several tasks."""
        shape, made = self.index.value(name).shape, self.index.value(op.output).shape if op.outputs else None
        return shape is not None and made is not None and len(shape) > 1 and made[-len(shape) :] == shape

    def _above(self, names: Iterable[str]) -> frozenset[str]:
        found = set(names)
        for op in reversed(self.index.graph.ops):
            if not found.isdisjoint(op.outputs):
                found.update(name for name in op.inputs if name not in self.trained)
        return frozenset(found)

    def candidate(self, name: str) -> bool:
        """Whether a value could be labels: more than one entry, not made by parameters, not the model's own input, not a constant."""
        value = self.index.value(name)
        single = value.shape is not None and _entries(value.shape) <= 1
        outside = name not in self.entering or self.makes_inputs(name)
        return not single and name not in self.trained and outside and not self._constant(name)

    def alone(self, name: str) -> bool:
        """The one label of one example: a single number that the program did not fill in itself."""
        value = self.index.value(name)
        single = value.shape is not None and _entries(value.shape) == 1
        return single and name not in self.trained and name not in self.entering and not self.counted(name)

    def makes_inputs(self, name: str) -> bool:
        """The program computes the model's input from it, row by row, and the input is not it in another form: `x = glyphs[y] + noise`."""
        if not self.making or name in self.met:
            return False
        shape = self.index.value(name).shape or ()
        inputs = [self.index.value(other) for other in self.index.downstream((name,)) & self.met]
        return bool(inputs) and all(
            value.shape is not None
            and value.shape[:1] == shape[:1]
            and _entries(value.shape) != _entries(shape)
            and self.index.origin(self._before_rows(value.name)) != self.index.origin(name)
            for value in inputs
        )

    def _before_rows(self, name: str) -> str:
        """Of one-hot rows, the ids."""
        base = self.index.origin(name)
        made = self.index.producer.get(base)
        return made[1].inputs[0] if made is not None and made[1].kind == "one_hot" and made[1].inputs else base

    def _constant(self, name: str) -> bool:
        """Filled with one number by the program: a GAN's ones, a mask."""
        roots = {op.kind for op in self._makers(name)}
        figures = self.index.value(name).statistics
        uniform = figures is not None and figures.minimum is not None and figures.minimum == figures.maximum
        return bool(roots) and roots <= {"create"} and (uniform or figures is None)

    def counted(self, name: str) -> bool:
        """Made of nothing but constants of the program, `arange` among them."""
        roots = {op.kind for op in self._makers(name)}
        return bool(roots) and roots <= {"create"}

    def _makers(self, name: str) -> Iterator[Op]:
        for value in self._above([name]):
            made = self.index.producer.get(value)
            if made is None:
                yield Op("enter")
            elif not made[1].inputs:
                yield made[1]

    def root(self, name: str) -> str:
        """The earliest form of a label that still has one entry or row for each example and that the model does not read."""
        best, batch = name, _first_axis(self.index.value(name))
        while name in self.index.producer:
            op = self.index.producer[name][1]
            whole = [i for i in op.inputs if self.candidate(i) and not self.counted(i)]
            before = [i for i in whole if _first_axis(self.index.value(i)) == batch or self._repeated(i, op)]
            if len(before) != 1 or not (family(op.kind) in REWRITTEN_BY or op.kind == "one_hot"):
                break
            if _named(self.index.value(name)) and before[0] not in self.batch and not _named(self.index.value(before[0])):
                break
            name = best = before[0]
            batch = _first_axis(self.index.value(name))
            if name in self.batch:
                break
        return best

    def _repeated(self, name: str, op: Op) -> bool:
        """The op repeats it along a new first axis, for each member of an ensemble: in another order its rows would be the same."""
        shape, wide = self.index.value(name).shape, self.index.value(op.output).shape if op.outputs else None
        return op.kind == "expand" and shape is not None and wide is not None and wide[1:] == shape


def find_labels(index: StepIndex, *, making: bool = False) -> Labels:
    """The labels of a step and how they were found, or why there are none.

    `making`: a program may make its inputs from its labels. Only for front ends whose replay holds the inputs (`Permute.held`).
    """
    search = _Search(index, making=making)
    if not index.losses and not any(op.failed for op in index.graph.ops):
        return Labels(reason="nothing was differentiated")
    tiers = (
        ("target", _targets(search)),
        ("batch", _batch(search)),
        ("operand", _operands(search)),
        ("argument", _arguments(search)),
        ("batch", _unread(search)),
    )
    for how, names in tiers:
        found = tuple(dict.fromkeys(search.root(name) for name in names))
        if found:
            return Labels(found, how)
    return Labels(reason=_reason(search))


def _targets(search: _Search) -> Iterator[str]:
    """Passed to a loss function as its target."""
    for op in search.index.loss_ops():
        position = op.attributes.get("target")
        if isinstance(position, int) and position < len(op.inputs) and search.candidate(op.inputs[position]):
            yield op.inputs[position]


def _batch(search: _Search) -> Iterator[str]:
    """Parts of a batch that reach the loss without entering the model."""
    for name in search.batch:
        if name in search.index.shapes_loss and search.candidate(name) and not _read_by_module(search, name):
            yield name


def _read_by_module(search: _Search, name: str) -> bool:
    below = search.index.downstream((name,))
    light = below - search.trained
    return any(op.module and family(op.kind) != "loss" and not light.isdisjoint(op.inputs) for op in search.index.graph.ops)


def _operands(search: _Search) -> Iterator[str]:
    """Meets the model's output outside every module, in a loss written by hand."""
    for op in search.index.graph.ops:
        joins = family(op.kind) in ("arithmetic", "select", "loss", "opaque") and not search.trained.isdisjoint(op.inputs)
        if joins and not op.module and (op.failed or not search.index.shapes_loss.isdisjoint(op.outputs)) and not _fed_on(search, op):
            yield from (
                name for name in op.inputs if search.candidate(name) and _rows_match(search, op, name) and not _drawn(search, op, name)
            )


def _fed_on(search: _Search, op: Op) -> bool:
    """A layer reads what it makes: a mixture of real and of made examples that a critic is asked about."""
    below = search.index.downstream(op.outputs)
    readers = (other for other in search.index.graph.ops if other.kind in LAYERS and not below.isdisjoint(other.inputs))
    parameters = {p.value for p in search.index.step.parameters}
    return any(not parameters.isdisjoint(other.inputs) for other in readers)


def _drawn(search: _Search, op: Op, name: str) -> bool:
    """Noise that the program draws while it computes the loss, or numbers that it counts: row numbers, weights."""
    made = search.index.producer.get(name)
    drawn = made is not None and made[1].kind in ("random", "sample") and not search.makes_inputs(name)
    return search.counted(name) or (drawn and not (op.kind == "sub" and _drawn_first(search, name)))


def _drawn_first(search: _Search, name: str) -> bool:
    """It is drawn before any parameter is read, as targets that are made up beside the inputs; noise that meets an output by a difference is drawn for its shape."""
    ops = search.index.graph.ops
    first = next((at for at, op in enumerate(ops) if not search.trained.isdisjoint(op.inputs)), len(ops))
    return any(name in op.outputs for op in ops[:first])


def _rows_match(search: _Search, op: Op, name: str) -> bool:
    """One side has a row for each of the other's: weights of classes and the like have not."""
    mine = _first_axis(search.index.value(name))
    others = {_first_axis(search.index.value(other)) for other in op.inputs if other in search.trained}
    return mine is None or not others or mine in others or op.failed


def _arguments(search: _Search) -> Iterator[str]:
    """Given to a function of the user's that makes the loss from the model's output, and unused there."""
    making = {
        op.scope
        for op in search.index.graph.ops
        if not search.index.shapes_loss.isdisjoint(op.outputs) and not search.trained.isdisjoint(op.inputs) and not op.module
    }
    scopes = search.index.step.scopes
    for at in sorted(enclosing(making, scopes)):
        arguments = scopes[at].arguments
        if any(value in search.trained for value in arguments.values()):
            beside = {value for value in arguments.values() if value not in search.trained}
            # timid: of several, one may be the time or the noise that an input was made with
            yield from (v for v in arguments.values() if search.candidate(v) and (beside == {v} or v not in search.entering))


def enclosing(making: Iterable[int | None], scopes: tuple[Scope, ...]) -> set[int]:
    """Scopes and those that they were called from."""
    found: set[int] = set()
    for at in making:
        level = at
        while level is not None and level not in found:
            found.add(level)
            level = scopes[level].parent
    return found


def _unread(search: _Search) -> Iterator[str]:
    """Parts of a batch that nothing reads."""
    for name in search.batch:
        if search.candidate(name) and name not in search.index.shapes_loss and not _read_by_module(search, name):
            yield name


def _reason(search: _Search) -> str:
    targets = [op.inputs[p] for op in search.index.loss_ops() if isinstance(p := op.attributes.get("target"), int) and p < len(op.inputs)]
    if any(name in search.entering for name in targets):
        return "the loss compares with the model's own input"
    if any(name in search.trained for name in targets):
        return "the loss compares two outputs of the program's models"
    if any(search.alone(name) for name in targets):
        return "each step has one example with one label, which has no other order to be tried"
    if targets:
        return "the loss compares with a constant"
    return "no value beside the model's input and parameters reaches the loss"


def _named(value: Value) -> bool:
    """The user's code has a variable for it, and not only an expression."""
    return value.called.replace(".", "_").isidentifier()


def _entries(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _first_axis(value: Value) -> int | None:
    return value.shape[0] if value.shape else None
