"""Exceptions as symptoms: what the program saw is rarely what was wrong."""

from whygrad.diagnosis import Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op


def raised_by(index: Index, step: StepIndex, op: Op) -> frozenset[Fact]:
    """The exception that this failed op raised, as facts; nothing if it did not fail."""
    if not op.failed:
        return frozenset()
    types = {str(event.attributes["type"]) for event in step.events("exception") if "type" in event.attributes}
    ended = index.record.outcome.exception
    types |= {ended.type} if ended else set()
    return frozenset(Fact("exception", name) for name in types)


def message_of(index: Index, step: StepIndex) -> str:
    """What the exceptions of this step, and the one that ended the program, say."""
    said = [str(event.attributes.get("message", "")) for event in step.events("exception")]
    ended = index.record.outcome.exception
    return " ".join((*said, ended.message if ended else ""))
