"""The part of WG307 about tensors that a model computes when it is made, of leaves that ask for a gradient: `torch.randn(n, requires_grad=True) * 0.3`."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, gist, matching
from whygrad.idioms import speaks_torch
from whygrad.ir import Op, family
from whygrad.rules.phrases import listed, places, typed
from whygrad.rules.statements import bound

_NOTHING = re.compile(r"NoneType")


def computed_once(index: Index) -> Iterator[Diagnosis]:
    """One for each such tensor that two recorded steps of a kind read, and that was computed before them."""
    told = set[str]()
    for steps in index.kinds.values() if speaks_torch(index) and index.record.optimizers else ():
        for step in steps[1:]:
            for op in _computed(steps[0], step):
                name = bound(op.site)
                if name.startswith("self.") and name not in told:
                    told.add(name)
                    yield _diagnosis(index, step, op, name)


def _computed(first: StepIndex, step: StepIndex) -> Iterator[Op]:
    """Ops whose one result both steps read, that a gradient comes back to, and whose own input nothing was made of but numbers."""
    known = {p.value for p in step.step.parameters}
    given = {value for scope in step.step.scopes for value in scope.arguments.values()}
    numbers = {name for name in step.producer if _is_leaf(step, name)}
    for op in step.graph.ops:
        if numbers.isdisjoint(op.inputs):
            continue
        leaves = [name for name, open_ in zip(op.inputs, op.carrying, strict=True) if open_]
        same = op.output in first.producer and op.output in first.consumers and op.output in step.gets_gradient
        # timid: what a function is given may be the model's input, whose derivative is asked for, as of the points of a differential equation
        apart = known.isdisjoint((*leaves, op.output)) and given.isdisjoint((*leaves, op.output))
        if same and leaves and apart and not _asked(step, op) and numbers.issuperset(leaves):
            yield op


def _is_leaf(step: StepIndex, name: str) -> bool:
    op = step.producer[name][1]
    return family(op.kind) in ("create", "opaque", "layout") and not any(op.carrying)


def _asked(step: StepIndex, op: Op) -> bool:
    """A derivative by it, or by what it was computed from, is asked for."""
    readers = (other for name in (op.output, *op.inputs) for other in step.consumers.get(name, ()))
    return any(other.kind in ("opaque", "write") and other is not op for other in readers)


def _diagnosis(index: Index, step: StepIndex, op: Op, name: str) -> Diagnosis:
    value = step.value(op.output)
    reader = next((found.site for found in step.consumers.get(op.output, ()) if found.site), None)
    return Diagnosis(
        rule="WG307",
        name="unregistered-parameter",
        severity="error",
        confidence="proved",
        message=f"`{name}` is the result of a calculation and no parameter: the model does not know it, and no optimizer trains it",
        site=op.site,
        label="computes a tensor, once, from one that asks for a gradient",
        related=places(
            (reader, "the forward reads it here"),
            (next((o.site for o in index.record.optimizers if o.site), None), "this optimizer does not get it"),
        ),
        evidence=(
            Evidence(f"{typed(value)} is the same value in steps {_steps(index, step, op)}, and the gradient of the loss comes back to it"),
            Evidence("what it was computed from asks for a gradient, and no model and no optimizer holds it"),
        ),
        help=f"make a parameter of the numbers themselves: `{name} = nn.Parameter(…)`, with the calculation inside of the brackets and without `requires_grad=True`",
        facts=frozenset({Fact("unregistered", op.output), Fact("unmoved", op.output)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(name,),
    )


def _steps(index: Index, step: StepIndex, op: Op) -> str:
    found = [str(one.step.index) for one in index.kinds[step.step.kind] if op.output in one.consumers]
    return " and ".join((", ".join(found[:-1]), found[-1]))


def asked_of_result(index: Index) -> Iterator[Diagnosis]:
    """A program without an optimizer that stopped at a `.grad` of None: what it holds was computed from a leaf on the very line that made the leaf."""
    if not speaks_torch(index) or index.record.optimizers:
        return
    for failure, _ in matching(index, _NOTHING):
        step, text = failure.step, failure.site.text if failure.site else ""
        found = list(_on_the_leaf_s_line(step)) if step is not None and ".grad" in text else []
        if step is not None and found:
            yield _of_results(failure, step, found)


def _on_the_leaf_s_line(step: StepIndex) -> Iterator[tuple[Op, str]]:
    """Ops that alone read a leaf, on its line, and the name that the line gives their result."""
    leaves = {p.value: p.site.line_of_code for p in step.step.parameters if p.site is not None}
    for op in step.graph.ops:
        read = [name for name in op.inputs if name in leaves]
        name = bound(op.site)
        alone = len(read) == 1 and len(step.consumers.get(read[0], ())) == 1
        if alone and name and op.site is not None and leaves[read[0]] == op.site.line_of_code and op.output in step.gets_gradient:
            yield op, name


def _of_results(failure: Failure, step: StepIndex, found: list[tuple[Op, str]]) -> Diagnosis:
    first, names = found[0][0], [name for _, name in found]
    return Diagnosis(
        rule="WG307",
        name="unregistered-parameter",
        severity="error",
        confidence="proved",
        message=f"{listed(names)} {'is the result' if len(names) == 1 else 'are results'} of a calculation and no parameter: the gradient goes to what it was made of, and `.grad` is None",
        site=first.site,
        label="computes a tensor from one that asks for a gradient, which nobody holds",
        related=places(*((op.site, "so does this") for op, _ in found[1:]), (failure.site, "the program stops here")),
        evidence=(
            Evidence(
                f"{typed(step.value(first.output))} is made by `{first.kind}` on the line that makes the tensor which asks for a gradient"
            ),
            Evidence(f"{failure.type}: {gist(failure.message)[:160]}", "exception"),
        ),
        help=f"ask for the gradient last: `{names[0]} = (…).requires_grad_()`, with the calculation inside of the brackets and without `requires_grad=True`",
        facts=frozenset(Fact("unmoved", op.output) for op, _ in found),
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names),
    )
