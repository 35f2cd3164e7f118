"""WG314: a gradient asked of a tape with respect to what it does not follow."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, gist, matching
from whygrad.ir import Event, Value
from whygrad.rules import rule
from whygrad.rules.graph.remade import remade
from whygrad.rules.phrases import distinct, listed, places, typed
from whygrad.rules.remedies import in_front, remedy, setting

SPENT = re.compile(r"GradientTape can only be used to compute one set of gradients|non-persistent (?:Gradient)?Tape", re.IGNORECASE)
"""What TensorFlow says of a tape that was asked a second time (2.21)."""


MADE = re.compile(
    r"could not be lifted out of a `?tf\.function|only supports singleton tf\.Variables|tried to create variables on non-first call",
    re.IGNORECASE,
)
"""What TensorFlow says of a variable that a compiled function makes while it runs (2.21; the last one before 2.9)."""


_COLOURS = re.compile(r"\x1b\[\d*m")


@rule("WG314", "untracked-variable", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A tape is asked for the gradient with respect to a tensor that it does not follow, and answers None.

    ## What it finds
    TensorFlow: sources of `tape.gradient` that shape the loss but are constants and were not given to `tape.watch`; a tape that is asked a second time though it is not persistent; a variable
    that a compiled step makes at each call, in a layer's `call` or in a function under `tf.function`, where TensorFlow refuses it; a layer that each step of a loop makes anew, so that every
    update is lost with it.

    ## Why it matters
    A tape follows variables by itself and nothing else. For a constant the answer is None, without a word, and the constant stays as it is.

    ## When it is fine
    Sources that the loss does not depend on have no gradient anyhow, and are left alone. Copies that an inner loop trains and throws away, and new models for each fold, are
    meant. In PyTorch and JAX the fault can't occur.

    ## How sure
    Proved: the front end saw the sources that the tape was asked for, which of them it watched, and that it gave None; of layers made anew, two steps in a row show that one reads nothing of
    what the other trained.

    ## References
    TensorFlow, "Introduction to gradients and automatic differentiation", section "Getting a gradient of None"; `tf.GradientTape.watch`.
    """
    found = [
        about(step, event, unwatched(step, event)) for step in index.steps for event in step.events("backward") if unwatched(step, event)
    ]
    spent = (asked_again(failure) for failure, _ in matching(index, SPENT))
    yield from distinct((*found, *spent, *made_within([failure for failure, _ in matching(index, MADE)]), *remade(index)))


def unwatched(step: StepIndex, event: Event) -> tuple[Value, ...]:
    """Sources that the tape did not follow, and that the loss was computed from."""
    names = event.attributes.get("unwatched")
    if not isinstance(names, tuple):
        return ()
    behind = frozenset(name for target in event.targets for name in step.upstream(target))
    return tuple(step.value(name) for name in names if isinstance(name, str) and name in behind and name in step.values)


def about(step: StepIndex, event: Event, sources: tuple[Value, ...]) -> Diagnosis:
    """What is said, where the constant was made."""
    made = step.producer.get(step.origin(sources[0].name))
    site = made[1].site if made is not None else None
    names = tuple(value.shown for value in sources)
    parameters = [p.name for p in step.step.parameters if p.value in {value.name for value in sources}]
    return Diagnosis(
        rule="WG314",
        name="untracked-variable",
        severity="error",
        confidence="proved",
        message=f"the tape does not follow {listed(names)}, so that the gradient with respect to {'it' if len(names) == 1 else 'them'} is None",
        site=site or event.site,
        label="a constant, which no tape follows by itself" if site else "asks for what was not watched",
        related=places((event.site if site else None, "its gradient is asked for here")),
        evidence=(
            Evidence(
                f"{typed(sources[0])} shapes the loss, is no variable, and was not watched: `tape.gradient` gave None",
                "sources",
                len(names),
            ),
        ),
        help=f"make it a `tf.Variable`, or call `tape.watch({names[0]})` before it is used",
        facts=frozenset(Fact("no-gradient", name) for name in parameters),
        explains=frozenset(
            {
                *(Fact(what, name) for name in parameters for what in ("no-gradient", "unmoved")),
                Fact("no-update", str(step.step.kind)),
                *_raised(step),
            }
        ),
        kind=step.step.kind,
        step=step.step.index,
        names=names,
        remedy=_watched(step, event, sources),
    )


_TAPE = re.compile(r"\b(\w+)\.gradient\(")


def _watched(step: StepIndex, event: Event, sources: tuple[Value, ...]) -> Remedy | None:
    """`tape.watch`, in front of the first line of the tape's own function that leads to a use of the source."""
    tape = _TAPE.search(event.site.text) if event.site is not None else None
    name = sources[0].called
    first = next((op.site for op in step.graph.ops if sources[0].name in op.inputs and op.site is not None), None)
    if tape is None or event.site is None or len(sources) > 1 or not name.isidentifier() or first is None:
        return None
    place = next((way for way in first.with_callers if (way.file, way.function) == (event.site.file, event.site.function)), None)
    return remedy(f"let the tape watch `{name}`", in_front(place, f"{tape[1]}.watch({name})"))


def _raised(step: StepIndex) -> Iterator[Fact]:
    """Calculating with None raises: an exception that speaks of it follows."""
    for event in step.events("exception"):
        if "None" in str(event.attributes.get("message", "")):
            yield Fact("exception", str(event.attributes.get("type", "")))


def asked_again(failure: Failure) -> Diagnosis:
    """What is said of a tape that is spent."""
    kept = setting(failure.site, "persistent", "True", calls=("GradientTape",))
    return Diagnosis(
        rule="WG314",
        name="untracked-variable",
        severity="error",
        confidence="proved",
        message="the tape was asked for a gradient before, and forgot what it followed",
        site=failure.site,
        label="the second time",
        evidence=(Evidence(f"the call raised: {gist(failure.message).rstrip('.')[:200]}"),),
        help="ask for all gradients at once, `tape.gradient(loss, [a, b])`, or open it as `tf.GradientTape(persistent=True)`",
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step is not None else None,
        step=failure.step.step.index if failure.step is not None else None,
        remedy=remedy("keep the tape", kept) if failure.site is not None else None,
    )


def made_within(failures: list[Failure]) -> Iterator[Diagnosis]:
    """What is said of a variable that each call would make anew; Keras tries the step once before it runs it, and raises twice."""
    if not failures:
        return
    failure = next((one for one in failures if one.site is not None), failures[0])
    said = next((line.strip() for line in failure.message.splitlines() if MADE.search(line)), gist(failure.message))
    plain = _COLOURS.sub("", said).removeprefix("ValueError: ").split(". ")[0].rstrip(".")
    lost = {Fact("unheld", p.name) for p in (failure.step.step.parameters if failure.step is not None else ())}
    yield Diagnosis(
        rule="WG314",
        name="untracked-variable",
        severity="error",
        confidence="proved",
        message="a variable is made while the step runs: each call would make a new one, and train none",
        site=failure.site,
        label="makes a variable at every call",
        evidence=(Evidence(f"the call raised: {plain[:200]}"),),
        help="make it once, before the step: in `build` by `self.add_weight(...)`, in `__init__` of the layer, or outside the function",
        explains=frozenset(lost).union(*(consequences(one, one.step) for one in failures)),
        kind=failure.step.step.kind if failure.step is not None else None,
        step=failure.step.step.index if failure.step is not None else None,
    )
