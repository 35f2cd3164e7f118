"""Labels that Keras' training loop refuses as they are handed over: as no part of a tuple, under another name, or fewer than outputs."""

import ast
import re
from collections.abc import Callable, Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index
from whygrad.flow.failures import Failure, consequences, failed_op, gist, matching
from whygrad.ir import Site
from whygrad.rules.phrases import listed, places, plural

Found = tuple[str, str, str, bool]
"""The sentence, what the marked line does, what to do, and whether that is the line that hands the labels over."""

GENERATOR = re.compile(r"the generator must return a tuple.*?Received: (?P<got>\[?\w*)", re.DOTALL)
KEYS = re.compile(r"Expected keys (?P<due>\[[^\]]*\]) in loss dict, but found loss\.keys\(\)=(?P<got>\[[^\]]*\])")
PATH = re.compile(r"The path: (?P<path>\([^)]*\)) in the `loss` argument, can't be found in")
COUNTS = re.compile(r"y_true and y_pred have different structures\.\s*y_true: (?P<labels>[^\n]*)\s*y_pred: (?P<outputs>[^\n]*)")
NAME = re.compile(r"Expected float\d+, but got (?P<name>\w+) of type 'str'|Cannot convert '(?P<name2>\w+)' to EagerTensor of dtype float")


def unfit_labels(index: Index) -> Iterator[Diagnosis]:
    """One for each exception that tells so."""
    for pattern, told in TOLD.items():
        for failure, match in matching(index, pattern):
            found = told(match)
            if found is not None:
                yield _diagnosis(failure, *found)


def _of_generator(match: "re.Match[str]") -> Found:
    if match["got"].startswith(("[array", "[<tf")):
        return (
            "the generator gives a list, and `fit` takes a tuple of inputs and labels",
            "gives a list",
            "give a tuple: `yield x, y`",
            False,
        )
    return (
        "the generator gives inputs alone, and the loss has no labels to compare with",
        "gives no labels",
        "give a tuple of inputs and labels: `yield x, y`",
        False,
    )


def _of_keys(match: "re.Match[str]") -> Found | None:
    due, got = _names(match["due"]), _names(match["got"])
    odd = [name for name in got if name not in due]
    if not odd:
        return None
    return (
        f"{listed(odd)} is no output of the model, whose outputs are {listed(due, shown=4)}",
        "names the losses by output",
        f"call it what the output is called, {listed([name for name in due if name not in got] or due)}, in `loss` and in the labels, or give the last layer that name",
        False,
    )


def _of_path(match: "re.Match[str]") -> Found:
    path = [str(part) for part in _names(match["path"])]
    return (
        f"{listed(path[-1:])} of `loss` is the name of no output of the model, or of no labels",
        "names the losses by output",
        "use the same names in `loss`, in the labels and in what the model returns",
        False,
    )


def _of_counts(match: "re.Match[str]") -> Found | None:
    labels, outputs = match["labels"].count("*"), match["outputs"].count("*")
    if not 0 < labels < outputs:
        return None
    return (
        f"the model has {plural(outputs, 'output')} with a loss each, and is given labels for {labels}",
        f"labels for {labels}",
        "pass labels for every output, `model.fit(x, [y_1, y_2])`, or give outputs without labels no loss: `loss=[…, None]`",
        True,
    )


def _of_name(match: "re.Match[str]") -> Found:
    name = match["name"] or match["name2"]
    return (
        f"the labels are given as `{name}`, and no output of the model has that name",
        f"labels called `{name}`",
        f"call the labels what the output is called, in place of `{name}`",
        True,
    )


TOLD: dict["re.Pattern[str]", Callable[["re.Match[str]"], Found | None]] = {
    GENERATOR: _of_generator, KEYS: _of_keys, PATH: _of_path, COUNTS: _of_counts, NAME: _of_name,
}  # fmt: skip


def _names(written: str) -> list[str]:
    """The names of a list or tuple as an exception writes it."""
    try:
        return [str(part) for part in ast.literal_eval(written)]
    except (SyntaxError, ValueError):
        return []


def _diagnosis(failure: Failure, said: str, label: str, cure: str, handing: bool) -> Diagnosis:  # noqa: FBT001 - the last of what was found
    op = failed_op(failure.step)
    handed = next((event.site for event in failure.step.events("batch") if event.site), None) if failure.step is not None else None
    told: Site | None = (op.made or op.site) if op is not None else None
    site, other = (handed or failure.site, told) if handing else (told or failure.site, handed or failure.site)
    return Diagnosis(
        "WG701",
        "labels-not-passed",
        "error",
        "proved",
        said,
        site=site,
        label=label,
        related=places((other, "the losses are told here" if handing else "handed over here")),
        evidence=(Evidence(f"the program stopped with {failure.type}: {gist(failure.message)[:160]}"),),
        help=cure,
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step else None,
        step=failure.step.step.index if failure.step else None,
    )
