"""WG315: a gradient asked with respect to an integer."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, gist, matching
from whygrad.idioms import idiom, speaks, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Parameter, Site
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, places, typed
from whygrad.rules.remedies import GIVEN, in_front, remedy, setting

REFUSED = re.compile(
    r"[Oo]nly Tensors of floating point (?:and complex )?dtype can require gradients|requires real- or complex-valued inputs", re.IGNORECASE
)
"""What PyTorch says (torch 2.13, four places with two spellings), and what JAX does."""
WHOLE = re.compile(r"[iu]\d+|bool")
_NOTHING = re.compile(r"NoneType|None values|No gradients provided")
"""What Python, TensorFlow and Keras say of a gradient that is None."""
_NAME = re.compile(r"[A-Za-z_][\w.]*")


@rule("WG315", "integer-parameter", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A gradient is asked with respect to integers, which have none.

    ## What it finds
    The exception of `requires_grad`, `nn.Parameter` or `jax.grad` on a tensor of integers: made of a list without a decimal point, of `torch.arange`, of a NumPy array of whole numbers, or
    cast by `.long()`. A gradient that `tf.GradientTape` was asked for with respect to a variable of whole numbers.

    ## Why it matters
    Between two integers there is nothing, so there is no derivative. The program stops before its first step.

    ## When it is fine
    It speaks only of calls that raised, and in TensorFlow, which answers None, of variables that the loss was computed from and that nothing else moves. Ids that an embedding looks up need no gradient.

    ## How sure
    Proved: the call was refused, or gave None for a variable that the recorded loss was computed from.

    ## References
    PyTorch: "Only Tensors of floating point and complex dtype can require gradients"; JAX: "grad requires real- or complex-valued inputs".
    """
    yield from distinct(about(index, failure) for failure, _ in matching(index, REFUSED))
    yield from distinct(_unanswered(index, step, parameter) for step in index.steps for parameter in _whole(index, step))


def _whole(index: Index, step: StepIndex) -> Iterator[Parameter]:
    """Whole numbers that a gradient was asked by in a framework that answers with none, and that the loss was computed from."""
    for parameter in step.step.parameters if step.step.differentiated and speaks(index, "tensorflow") else ():
        ending = index.record.endings.get(parameter.name)
        # timid: a counter that the program moves is no parameter, though a module lists it as one
        moved = ending is not None and ending.changed
        whole = WHOLE.fullmatch(step.value(parameter.value).dtype) is not None
        if whole and parameter.trainable and parameter.gradient == "none" and parameter.value in step.shapes_loss and not moved:
            yield parameter


def _unanswered(index: Index, step: StepIndex, parameter: Parameter) -> Diagnosis:
    """What is said where the framework gives None for a gradient by whole numbers, and goes on."""
    value, raised = step.value(parameter.value), index.record.outcome.exception
    backward = next(iter(step.events("backward")), None)
    return Diagnosis(
        rule="WG315",
        name="integer-parameter",
        severity="error",
        confidence="proved",
        message=f"a gradient is asked with respect to `{parameter.name}`, which holds integers",
        site=parameter.site or (backward.site if backward is not None else None),
        label="makes integers" if parameter.site is not None else "is given integers",
        related=places((backward.site if backward is not None and parameter.site is not None else None, "the gradient is asked for here")),
        evidence=(
            Evidence(f"{typed(value)} holds whole numbers", "dtype", value.dtype),
            Evidence("its gradient is None, though the loss is computed from it"),
        ),
        help=idiom(index, "make floating"),
        facts=frozenset({Fact("no-gradient", parameter.name)}),
        explains=frozenset(Fact(what, parameter.name) for what in ("no-gradient", "unmoved", "unheld", "unregistered", "cut"))
        | {Fact(what, str(step.step.kind)) for what in ("no-update", "constant-loss", "insensitive")}
        | ({Fact("exception", raised.type)} if raised is not None and _NOTHING.search(raised.message) else set()),
        kind=step.step.kind,
        step=step.step.index,
        names=(parameter.name,),
        remedy=remedy("make it of floating numbers", setting(parameter.site, "dtype", "tensorflow.float32", calls=("Variable",))),
    )


def about(index: Index, failure: Failure) -> Diagnosis:
    """What is said, where the integers were made if that is known, else where they were refused."""
    made = maker(failure.step, failure.site)
    held = asked_by(failure.step) if made is None else None
    whole = made.output if made is not None else held.value if held is not None else ""
    value = failure.step.value(whole) if failure.step is not None and whole else None
    site = (made.site if made is not None else held.site if held is not None else None) or failure.site
    name = f"`{value.shown}`" if value is not None else "a tensor"
    return Diagnosis(
        rule="WG315",
        name="integer-parameter",
        severity="error",
        confidence="proved",
        message=f"a gradient is asked with respect to {name}, which holds integers",
        site=site,
        label="makes integers" if site is not failure.site else "is given integers",
        related=places((failure.site if site is not failure.site else None, "the gradient is asked for here")),
        evidence=(
            *([Evidence(f"{typed(value)} holds whole numbers", "dtype", value.dtype)] if value is not None else []),
            Evidence(f"the call raised: {gist(failure.message).rstrip('.')[:200]}"),
        ),
        help=idiom(index, "make floating"),
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step is not None else None,
        step=failure.step.step.index if failure.step is not None else None,
        remedy=remedy("make it of floating numbers", _floating(index, site if site is not failure.site else None, failure.site)),
    )


_ASKED = re.compile(r"(?:^|\s)([A-Za-z_]\w*)\.requires_grad(?:_\(|\s*=)")


def _floating(index: Index, made: Site | None, refused: Site | None) -> Edit | None:
    """The integers cast where they are made; else, in PyTorch, where they are refused."""
    if made is not None:
        return Edit("wrap", made, spelling(index, "floating"))
    if refused is None or not speaks_torch(index):
        return None
    asked = _ASKED.search(refused.text)
    if asked is not None:
        return in_front(refused, f"{asked[1]} = {asked[1]}.float()")
    if "Parameter(" in refused.text:
        return Edit("wrap", refused, "{x}.float()", ("Parameter",), position=GIVEN)
    return setting(refused, "dtype", "torch.float32", calls=("tensor", "as_tensor", "arange", "ones", "zeros", "full", "randint"))


def asked_by(step: StepIndex | None) -> Parameter | None:
    """What the derivative was asked by, if one thing alone of it holds whole numbers."""
    found = [p for p in step.step.parameters if WHOLE.fullmatch(step.value(p.value).dtype)] if step is not None else []
    return found[0] if len(found) == 1 else None


def maker(step: StepIndex | None, site: Site | None) -> Op | None:
    """The op that made the integers that the refused line names; None where it names none, or several."""
    if step is None or site is None:
        return None
    words = set(_NAME.findall(site.text))
    words |= {word.rsplit(".", 1)[0] for word in words if "." in word}
    found = {}
    for op in step.graph.ops:
        for name in op.outputs:
            value = step.value(name)
            if value.called in words and WHOLE.fullmatch(value.dtype):
                found[value.called] = op
    return next(iter(found.values())) if len(found) == 1 else None
