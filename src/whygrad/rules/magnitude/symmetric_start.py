"""WG511: units that start equal and stay equal."""

import re
from collections.abc import Iterator, Sequence

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.origins import started_at
from whygrad.idioms import idiom, speaks, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Parameter, Site, Value, family
from whygrad.rules import rule
from whygrad.rules.phrases import listed, places, plural
from whygrad.rules.remedies import remedy, setting

_LAYERS = ("linear", "conv", "rnn", "matmul")
_TABLES = ("embedding", "index")

_FILLING = ("constant_", "zeros_", "ones_", "fill_", "zero_")
"""What PyTorch programs fill parameters with."""
_MADE_WITH = re.compile(r"(\w+)\((?=[^()]*\bkernel_init=)")
"""The layer of flax that is told how its weights begin."""


@rule("WG511", "symmetric-start", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    All units of a hidden layer start equal, get equal gradients, and stay equal for ever.

    ## What it finds
    Weights of a hidden layer all of whose rows are the same, in every recorded step, with gradients whose rows are the same as well: all
    zeros, `torch.ones`, `nn.init.constant_`. A table of an embedding and the layer behind it that are both all zeros. In JAX, also a stack of whole layers that were drawn with one key, as of experts.

    ## Why it matters
    However wide the layer, it acts as a single unit. With zeros in two layers in a row the gradient of both is zero.

    ## When it is fine
    A last layer, a residual branch or an adapter's second half may start at zero: other units tell their gradients apart, and after the
    first update their rows differ. Then nothing is said. Biases and gains of normalisations are meant to start equal.

    ## How sure
    Measured at the first recorded step and again after an update.

    ## References
    Goodfellow, Bengio and Courville, "Deep Learning", section 8.4, on breaking symmetry.
    """
    for steps in index.kinds.values():
        moved = steps if altered(steps) else [step for step in steps if step.step.updated]
        # timid: one step alone can't show that the rows stay equal
        if len(moved) > 1:
            stay = frozenset.intersection(*(staying(step) for step in moved))
            found = [p for p in moved[0].step.parameters if p.trainable and p.name in stay and hidden(moved[0], p)]
            if found:
                yield diagnosis(index, moved[0], found)


def altered(steps: Sequence[StepIndex]) -> bool:
    """A parameter is another one in the last step than in the first: an update lies between them, by whatever made it."""
    first, last = ({p.name: p.norm for p in step.step.parameters if p.trainable} for step in (steps[0], steps[-1]))
    return any(norm is not None and last.get(name) not in (None, norm) for name, norm in first.items())


def staying(step: StepIndex) -> frozenset[str]:
    """The parameters whose rows, and those of their gradients, are equal in this step."""
    return frozenset(p.name for p in step.step.parameters if p.symmetric)


def hidden(step: StepIndex, parameter: Parameter) -> bool:
    """It is the weight of a layer whose output goes through another layer with parameters of its own."""
    weights = {name for p in step.step.parameters if p.trainable for name in arranged(step, p.value)}
    for op in (op for name in arranged(step, parameter.value) for op in step.consumers.get(name, ())):
        if (op.kind in _TABLES and deaf(parameter)) or (op.kind in _LAYERS and not is_bias(step, op, parameter, weights)):
            below = step.downstream(op.outputs)
            return any(reads_as_data(other, below, weights) for other in step.graph.ops if other is not op)
    return False


def deaf(parameter: Parameter) -> bool:
    """All zeros, and no gradient comes to it: rows of a table are told apart by which of them are read, as long as some are fed."""
    return parameter.norm == 0 and parameter.gradient == "zero"


def arranged(step: StepIndex, name: str) -> tuple[str, ...]:
    """A weight and its transposes, by which a layer that is written out reads it."""
    return (name, *(op.output for op in step.consumers.get(name, ()) if op.kind == "transpose"))


def is_bias(step: StepIndex, op: Op, parameter: Parameter, weights: set[str]) -> bool:
    """It has fewer axes than another weight of the layer: biases of attention have one for the heads, and are meant to start equal; a GRU may keep two in two rows."""
    shape, given = step.value(parameter.value).shape or (), [name for name in op.inputs if name in weights]
    rank = len(shape)
    # timid: weights of two inputs look the same
    if op.kind == "rnn" and rank == 2 and shape[0] == 2 and len(given) > 2:  # noqa: PLR2004 - two rows; the layer's two weights and their biases
        return True
    return any(len(step.value(name).shape or ()) > rank for name in op.inputs if name in weights)


def reads_as_data(op: Op, below: frozenset[str], weights: set[str]) -> bool:
    """A layer that has the output of the other one as its data."""
    return (
        op.kind in _LAYERS
        and family(op.kind) in ("layer", "arithmetic")
        and op.inputs[:1] != ()
        and op.inputs[0] in below
        and not weights.isdisjoint(op.inputs[1:])
    )


def _deaf(step: StepIndex, found: list[Parameter]) -> Iterator[Fact]:
    """With gradients of zero behind it, only biases learn, and these see no more than the labels' mean; where no weight but zeros is trained, nothing does."""
    if any(parameter.gradient == "zero" for parameter in found):
        yield Fact("insensitive", str(step.step.kind))
        yield Fact("vanishes", str(step.step.kind))
        yield from (Fact("no-gradient", p.name) for p in step.step.parameters if p.gradient == "zero" and p.norm == 0)


KEYS_APART = "draw each layer with a key of its own: `jax.random.split(key, ...)` before the loop over them, or `jax.vmap` over its keys"
"""What to do about a stack of layers, which only JAX programs have."""


def diagnosis(index: Index, step: StepIndex, found: list[Parameter]) -> Diagnosis:
    """What is said, where the first layer is made."""
    names = [parameter.name for parameter in found]
    value = step.value(found[0].value)
    stack = is_stack(index, value)
    by_row = stack or (speaks_torch(index) and not multiplied_by(step, value))
    units = (value.shape[0] if by_row else value.shape[-1]) if value.shape else 0
    zero = found[0].gradient == "zero"
    part = "layers" if stack else "rows" if by_row else "columns"
    started = started_at(index, found[0])
    return Diagnosis(
        rule="WG511",
        name="symmetric-start",
        severity="warning",
        confidence="measured",
        message=_message(step, found[0], units, stack=stack),
        site=started or found[0].site,
        label="the layers of this stack hold the same numbers"
        if stack
        else "weights begin so"
        if started
        else f"its weights are equal in every {part[:-1]}",
        related=places((found[0].site if started else None, _what_is_there(found[0].site))),
        evidence=(
            Evidence(
                f"the {part} of {listed(names)} are the same, and so are the {part} of {'its' if len(names) == 1 else 'their'} gradient{', which is 0' if zero else ''}, before and after an update",
                "units",
                units,
            ),
            Evidence(f"{plural(len(names), 'parameter')} of this kind", "parameters", len(names)),
        ),
        help=KEYS_APART if stack else idiom(index, "random start"),
        facts=frozenset(Fact("symmetric", name) for name in names),
        explains=frozenset(
            {
                Fact("stands", str(step.step.kind)),
                *_deaf(step, found),
                *(Fact("dead", name) for name in (*step.values, *(p.name for p in step.step.parameters))),
            }
        ),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names[:1]),
        remedy=None if stack else _remedy(index, found[0], started),
    )


def _message(step: StepIndex, first: Parameter, units: int, *, stack: bool) -> str:
    """What stays as it began, and what that means; a table whose entries are all zero, like the layer behind it, learns nothing at all."""
    if deaf(first) and any(op.kind in _TABLES for op in step.consumers.get(first.value, ())):
        return f"`{first.name}` and the layer behind it are all zeros: no gradient comes to either"
    return f"all {units} {'layers in' if stack else 'units of'} `{first.name}` start equal and stay equal: {'they act as one' if stack else 'the layer acts as one unit'}"


def _what_is_there(site: Site | None) -> str:
    """Of a parameter that was made while nobody looked no more is known than where it is read."""
    return "it is read here" if site is not None and site.function.endswith((".forward", ".__call__")) else "the layer is made here"


def _remedy(index: Index, first: Parameter, started: Site | None) -> Remedy | None:
    """The layer's own initialisation; for a tensor that is filled where it is made, random numbers."""
    made = first.site
    if _CONSTANT.search(_text(started or made)):
        return drawn(index, started or made)
    filled = _FILLED.search(_text(started))
    if started is not None and first.owner.startswith("torch.nn.modules."):  # which drew their weights before these were filled
        return remedy("leave the layer its own initialisation", Edit("drop", started))
    if started is not None and filled is not None and speaks_torch(index):
        changes = "the numbers are drawn as Glorot and Bengio have it"
        return remedy("begin with random numbers", Edit("callee", started, f"{filled[1]}xavier_uniform_", (filled[2],)), changes=changes)
    written = started.text[started.column - 1 : started.end_column - 1] if started is not None and started.end_column else ""
    if written[:1] in ("'", '"') and speaks(index, "tensorflow"):  # which may be the start of several layers
        return remedy("begin with random numbers", Edit("replace", started, '"glorot_uniform"')) if started is not None else None
    own = setting(made, "kernel_initializer")
    return remedy(
        "leave the layer its own initialisation",
        own,
        otherwise=_own_start(started if started is not None and _MADE_WITH.search(started.text) else made or started),
    )


def multiplied_by(step: StepIndex, value: Value) -> bool:
    """It stands on the right of a matrix product: its columns are the units."""
    return any(op.kind == "matmul" and value.name in op.inputs[1:] for op in step.consumers.get(value.name, ()))


def is_stack(index: Index, value: Value) -> bool:
    """Matrices of random numbers, one behind the other, as `vmap` and `scan` read them."""
    figures = value.statistics
    return speaks(index, "jax") and len(value.shape or ()) > 2 and figures is not None and bool(figures.std)  # noqa: PLR2004 - more than a matrix


_CONSTANT = re.compile(r"\b(zeros|ones)\(")
"""What fills a tensor with one number; how its layer draws its weights is not asked there."""


_FILLED = re.compile(r"\b((?:\w+\.)*)(zeros_|ones_)\(")


def _text(site: Site | None) -> str:
    return site.text if site is not None else ""


def drawn(index: Index, site: Site | None) -> Remedy | None:
    """Random numbers of the usual size for a tensor of that shape, in the place of equal ones."""
    if site is None:
        return None
    return remedy(
        "begin with random numbers",
        Edit("swap", site, spelling(index, "random start"), ("zeros", "ones")),
        changes="the numbers are drawn as Glorot and Bengio have it",
    )


def _own_start(site: Site | None) -> tuple[Edit | None, ...]:
    """The same for flax, else without the call that fills the weights; biases may well begin with zeros."""
    if site is None:
        return ()
    flax = _MADE_WITH.search(site.text)
    return (setting(site, "kernel_init", calls=(flax[1],)),) if flax else (Edit("drop", site, calls=_FILLING, written="weight"),)
