"""WG701: the labels never reach the model, so that it returns no loss."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, failed_op, failures, gist, matching
from whygrad.flow.scopes import enclosing
from whygrad.ir import Event, Op, Site, family
from whygrad.loss_contracts import target_of
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, listed, places, typed
from whygrad.rules.wiring.unfit_labels import unfit_labels

NO_LOSS = re.compile(
    r"did not return a loss from the inputs, only the following keys: (?P<keys>[^.]*)\. For reference, the inputs it received are (?P<inputs>[\w, ]*)"
)
STRUCTURE = re.compile(
    r"The structure of `inputs` doesn't match the expected structure\.\s*Expected: .*?\s*Received: inputs=\{(?P<given>[^}]*)\}"
)
_KEY = re.compile(r"'(\w+)':")
UNCHOSEN = re.compile(r"No loss to compute\. Provide a `loss` argument in `compile\(\)`")
NONE = re.compile(
    r"'NoneType' object has no attribute 'backward'|unsupported operand type\(s\) for [^:]+: 'NoneType'|bad operand type for unary -: 'NoneType'"
    r"|Gradient only defined for scalar-output functions\. Output was None"
    r"|Argument `target` should be a list or nested structure of Tensors, .*but received None"
)


@rule("WG701", "labels-not-passed", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The model computes its own loss when it is given labels, and was given none.

    ## What it finds
    A trainer that says that the model returned no loss, with what the model was given; and a loss of None where the model's call ran through and no loss was computed anywhere: the
    `labels` argument is missing, the column has another name, or was dropped because the model's forward does not name it. A loss that was given None for its labels, as where
    `fit` got the inputs alone. A generator that gives no labels, or not as a tuple; losses or labels under names that no output of a Keras model has, or fewer labels than outputs.
    A Keras `fit` without a loss; elements of a data set that are one dictionary, labels and all.

    ## Why it matters
    The exception speaks of None, or of the keys of an output, and comes at another line than the one that should have passed the labels.

    ## When it is fine
    It speaks only where the program was stopped by it. A function of the user's that computes a loss and does not return it is another fault (`whygrad explain WG702`).

    ## How sure
    Proved: what the exception says, and the recorded calls, in which no loss was computed.

    ## References
    Hugging Face Transformers: `Trainer`, `label_names`, `remove_unused_columns`; "Model outputs: loss is returned when `labels` is provided".
    """
    found = [_of_trainer(failure, match) for failure, match in matching(index, NO_LOSS)]
    found += [
        _one_dictionary(failure, failure.step, match["given"])
        for failure, match in matching(index, STRUCTURE)
        if failure.step is not None and not failure.step.step.labels.values
    ]
    found += [_unchosen(failure) for failure, _ in matching(index, UNCHOSEN)]
    found += [
        _of_none(failure, step) for failure, _ in matching(index, NONE) if (step := failure.step) is not None and _computed_no_loss(step)
    ]
    found += [
        _of_fit(failure, failure.step, op) for failure in index.once(failures) if failure.step is not None and (op := _lonely(failure))
    ]
    yield from distinct((*found, *unfit_labels(index)))


def _of_trainer(failure: Failure, match: "re.Match[str]") -> Diagnosis:
    inputs = [name.strip() for name in match["inputs"].split(",") if name.strip()]
    return Diagnosis(
        "WG701",
        "labels-not-passed",
        "error",
        "proved",
        f"the model is given {listed(inputs, shown=4)} and no labels, so it returns no loss",
        site=failure.site,
        label="trains a model that gets no labels",
        evidence=(
            Evidence(f"the model received {', '.join(inputs)}", "inputs", len(inputs)),
            Evidence(f"and returned {match['keys'].strip()}, without a loss"),
        ),
        help="give the data set a `labels` column (rename it with `rename_column('label', 'labels')`), or let the collator make one; `label_names` says what it is called",
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step else None,
        step=failure.step.step.index if failure.step else None,
    )


def _one_dictionary(failure: Failure, step: StepIndex, given: str) -> Diagnosis:
    """Elements of a data set that are one dictionary, labels and all, to a model that has one input."""
    keys = listed(_KEY.findall(given))
    return Diagnosis(
        "WG701",
        "labels-not-passed",
        "error",
        "proved",
        f"the model is given a dictionary of {keys} for its inputs, and no labels",
        site=failure.site,
        label="all of one element is taken for inputs",
        evidence=(
            Evidence("no labels came with the batch"),
            Evidence(f"the program stopped with {failure.type}: {gist(failure.message)[:160]}"),
        ),
        help='make pairs of the elements: `data.map(lambda row: (row["…"], row["…"]))`, inputs first and labels second',
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
    )


def _unchosen(failure: Failure) -> Diagnosis:
    """Keras' `fit` without a loss, and a model that adds none."""
    return Diagnosis(
        "WG701",
        "labels-not-passed",
        "error",
        "proved",
        "`fit` has no loss to compare the labels with: `compile` was given none, and no layer adds one",
        site=failure.site,
        label="trains without a loss",
        evidence=(Evidence(f"the program stopped with {failure.type}: {gist(failure.message)[:160]}"),),
        help="choose one where the model is compiled, `model.compile(optimizer=…, loss=…)`",
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step else None,
        step=failure.step.step.index if failure.step else None,
    )


def _lonely(failure: Failure) -> Op | None:
    """The loss that was given a prediction and None."""
    op = failed_op(failure.step)
    alone = op is not None and family(op.kind) == "loss" and len(op.inputs) == 1 and target_of(op) is None
    return op if alone and "None" in failure.message else None


def _of_fit(failure: Failure, step: StepIndex, op: Op) -> Diagnosis:
    batch = next((event for event in step.events("batch") if event.site), None)
    name = op.native.rsplit(".", 1)[-1]
    keys, made = _alone(batch)
    handed = (batch.site if batch is not None else None) or failure.site
    whole = f"one dictionary of {listed(keys)}" if keys else "inputs alone"
    return Diagnosis(
        "WG701",
        "labels-not-passed",
        "error",
        "proved",
        f"`{name}` compares the prediction with labels, and is given none",
        site=made or handed,
        label=f"an element of the data set is {whole}, and no pair" if made or keys else "no labels among what is handed over here",
        related=places(
            (handed if made is not None else None, "such elements are handed over here: all of one is taken for inputs"),
            (op.site, f"`{name}` is chosen here"),
        ),
        evidence=(
            Evidence(f"the loss was given {typed(step.value(op.inputs[0]))} and None"),
            Evidence(f"the program stopped with {failure.type}: {gist(failure.message)[:160]}"),
        ),
        help="make pairs of the elements: a function for `map`, or what gives them, returns `inputs, labels`"
        if made or keys
        else "pass the labels, `model.fit(x, y)`, or a data set that gives pairs of inputs and labels",
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
    )


def _alone(batch: Event | None) -> tuple[tuple[str, ...], Site | None]:
    """Of a batch that was no pair: the keys of the dictionary that it was, and where the program's own function returns it."""
    keys = batch.attributes.get("keys") if batch is not None else None
    place = batch.attributes.get("returned") if batch is not None else None
    site = None
    if isinstance(place, tuple) and isinstance(place[1], int):
        site = Site(str(place[0]), place[1], function=str(place[2]), text=str(place[3]))
    return tuple(str(key) for key in keys) if isinstance(keys, tuple) else (), site


def _computed_no_loss(step: StepIndex) -> bool:
    """A model of a library's ran in this step, or one that an element of the batch never came to, and no op of a loss did."""
    ran = [op for op in step.graph.ops if op.tracking and not step.depends_on_parameters.isdisjoint(op.outputs)]
    return (
        bool(ran)
        and not any(family(op.kind) == "loss" for op in step.graph.ops)
        and (any(p.library and p.reached for p in step.step.parameters) or _held_back(step, ran[-1]) is not None)
    )


def _held_back(step: StepIndex, last: Op) -> str | None:
    """An element of the batch that no op reads, and that the function in which the model's last op ran was not given."""
    known = [step.step.scopes[at] for at in enclosing(step.step.scopes, last)][:1]
    numbers = any(step.value(op.output).shape == () for op in step.graph.ops if op.outputs and op.output in step.depends_on_parameters)
    if numbers or not known or any("." not in last.site.function for _ in known if last.site is not None):
        return None
    given = {value for scope in known for value in scope.arguments.values()}
    batch = [name for event in step.events("batch") for name in event.targets]
    return next((name for name in batch if name not in step.consumers and name not in given), None) if len(batch) > 1 else None


def _of_none(failure: Failure, step: StepIndex) -> Diagnosis:
    held = next((name for op in reversed(step.graph.ops) if op.module and (name := _held_back(step, op))), None)
    called = _model_call(step) if held is None else None
    label = step.value(held).called if held is not None else ""
    return Diagnosis(
        "WG701",
        "labels-not-passed",
        "error",
        "proved",
        "the model is called without labels, so its loss is None",
        site=called or failure.site,
        label="no labels among the arguments",
        related=places((failure.site if called else None, "the missing loss is used here")),
        evidence=(
            Evidence(f"the program stopped with {failure.type}: {gist(failure.message)[:160]}"),
            Evidence("the model's forward ran, and no loss was computed in it", "loss_ops", 0),
        ),
        help=f"pass `{label}` where the model is called" if label else "pass the labels: `model(**inputs, labels=labels)`",
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
    )


def _model_call(step: StepIndex) -> Site | None:
    """The user's line behind which the last op of the model ran."""
    made = [op.site for op in step.graph.ops if op.module and op.site and not step.depends_on_parameters.isdisjoint(op.outputs)]
    return made[-1] if made else None
