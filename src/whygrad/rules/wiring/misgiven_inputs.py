"""Models that are given one example instead of a batch, or another number of inputs than they have; Keras refuses both."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index
from whygrad.flow.failures import Failure, consequences, matching
from whygrad.rules.phrases import plural

ALONE = re.compile(r"Expected shape \(None, (?P<due>[^)]+?),?\), but input has incompatible shape \((?P<got>[^)]+?),?\)")
SHORT = re.compile(r"Expected shape \(None, (?P<due>\d+)\), but input has incompatible shape \((?P<got>\d+),\)")
COUNTED = re.compile(
    r"(?:[Ll]ayer \"(?P<layer>[^\"]+)\" )?expects (?P<due>\d+) (?:named )?input\(s\)(?: with keys \[(?P<names>[^\]]*)\])?, but it received (?P<got>\d+) input tensors?"
)
"""What Keras says of each."""


def misgiven(index: Index) -> Iterator[Diagnosis]:
    """One for each call that raised so."""
    for failure, match in matching(index, ALONE):
        # timid: another shape than that of one example has another cause
        if _sizes(match["due"]) == _sizes(match["got"]):
            yield _of_one_example(failure, match["got"])
    for failure, match in matching(index, SHORT):
        yield _of_numbers(failure, int(match["due"]), int(match["got"]))
    for failure, match in matching(index, COUNTED):
        alone = match["layer"] and match["due"] == "1" and not match["names"]
        yield (
            _of_list(failure, match["layer"], int(match["got"]))
            if alone
            else _of_count(failure, int(match["due"]), int(match["got"]), match["names"] or "")
        )


def _sizes(written: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in written.split(",") if part.strip())


def _of_one_example(failure: Failure, shape: str) -> Diagnosis:
    sizes = ", ".join(_sizes(shape))
    return refused(
        failure,
        f"the model reads batches, and is given one example without a batch axis: [{sizes}]",
        "one example, and no batch",
        Evidence(f"the model takes [*, {sizes}], and what it is given is [{sizes}]"),
        "give a batch of one: `x[None]`, or `x[i:i + 1]` instead of `x[i]`; a `tf.data.Dataset` needs `.batch(32)` before it is handed over",
    )


def _of_numbers(failure: Failure, due: int, got: int) -> Diagnosis:
    return refused(
        failure,
        f"the model reads rows of {due:,} numbers, and what it is given has no axis for them: each row is a single number",
        "an axis is missing",
        Evidence(f"the model takes [*,{due}], and a batch of what it is given is [{got}]"),
        "if this is one example, give a batch of one: `x[None]`, or `x[i:i + 1]` instead of `x[i]`; if each example has one number, `x[:, None]`, and declare that",
    )


def _of_count(failure: Failure, due: int, got: int, names: str) -> Diagnosis:
    keys = [name.strip(" '\"") for name in names.split(",") if name.strip()]
    called = f" ({', '.join(f'`{key}`' for key in keys)})" if keys else ""
    given = "{" + ", ".join(f'"{key}": …' for key in keys) + "}" if keys else "[" + ", ".join(["…"] * due) + "]"
    return refused(
        failure,
        f"the model has {plural(due, 'input')}{called}, and is given {got}",
        f"{plural(got, 'input')} of {due}" if got < due else f"{plural(got, 'input')} for {due}",
        Evidence(f"inputs that the model declares: {due}; tensors that it is given: {got}", "inputs", got),
        f"give an array for each input: `{given}`",
    )


def _of_list(failure: Failure, layer: str, got: int) -> Diagnosis:
    return refused(
        failure,
        f"`{layer}` takes one input, and is given a list of {got}",
        f"{plural(got, 'input')} for one",
        Evidence(f"inputs that it takes: 1; tensors that it is given: {got}", "inputs", got),
        "join them before, `keras.layers.Concatenate()([…, …])`, or give it one of them",
    )


def refused(failure: Failure, message: str, label: str, known: Evidence, advice: str, who: str = "model") -> Diagnosis:
    """What is said of inputs that a model, or a layer, looked at and did not take."""
    return Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        message,
        site=failure.site,
        label=label,
        evidence=(known, Evidence(f"the {who} checked what it was given, and raised")),
        help=advice,
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step is not None else 0,
        names=("model",),
    )
