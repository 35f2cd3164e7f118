"""WG706: the compiled step goes on with what a number of the program's was when it was traced."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.idioms import idiom
from whygrad.ir import Attribute, Event
from whygrad.rules import rule
from whygrad.rules.phrases import figure, plural


@rule("WG706", "compiled-differs", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The compiled step computes other gradients than its Python code would: a number that the program has changed since is a constant in it.

    ## What it finds
    In JAX and TensorFlow, Python numbers that a compiled training step reads from `self`, from an object or a dictionary around it, or from a variable around it, and that the program
    changes later on, between its calls or from a callback of Keras': a weight of a loss that is raised after a warm-up, a rate that is lowered, a count of steps that a random key is made of, a condition on the epoch.

    ## Why it matters
    `jax.jit`, `tf.function` and Keras' `fit` run the Python code once, and keep what the numbers were then. The printed value rises, and what is trained is what it was in the first step: a term that began with weight 0 never counts.

    ## When it is fine
    Numbers that never change, those that are read outside of the compiled function, and variables of the framework. A step that is traced again, since its `self` hashes by the number, reads it anew.

    ## How sure
    Proved: the traced program has the old number written into the equation of that line, or its line has a condition that the old and the new number decide differently; the calls since the change are counted.

    ## References
    JAX, "JIT compilation: side effects and global variables", and the FAQ, "How to use `jit` with methods?"; TensorFlow, "Better performance with tf.function", "Depending on Python
    global and free variables"; `whygrad explain WG318` where it is parameters.
    """
    for step in index.steps:
        yield from (_diagnosis(index, step, event) for event in step.events("settled"))


def _diagnosis(index: Index, step: StepIndex, event: Event) -> Diagnosis:
    told = event.attributes
    name, was, now, test = str(told.get("name")), _figure(told.get("was")), _figure(told.get("now")), told.get("test")
    calls = int(_number(told.get("calls")) or 0)
    shown = (
        f"`{test}` was decided when the step was traced, with `{name}` = {was}, and comes out the other way now"
        if test
        else f"the traced program has {was} written into the equation of this line"
    )
    return Diagnosis(
        rule="WG706",
        name="compiled-differs",
        severity="warning",
        confidence="proved",
        message=f"the compiled step goes on with `{name}` = {was}, as it was when it was traced: the program has changed it to {now}",
        site=event.site,
        label=f"is decided once, with {was}" if test else f"is the constant {was} in the compiled step",
        evidence=(
            Evidence(shown, "was", _number(told.get("was"))),
            Evidence(f"{plural(calls, 'call')} of the step came after the change", "calls", calls),
        ),
        help=idiom(index, "decided anew" if test else "read anew", name=name),
        # a term that is multiplied by the 0 of the trace has no gradient
        explains=frozenset({Fact("insensitive", str(step.step.kind))} if not test and _number(told.get("was")) == 0.0 else ()),
        kind=step.step.kind,
        step=step.step.index,
        names=(name,),
    )  # fmt: skip


def _number(item: Attribute) -> float | None:
    return float(item) if isinstance(item, int | float) else None


def _figure(item: Attribute) -> str:
    number = _number(item)
    return "another number" if number is None else figure(number)
