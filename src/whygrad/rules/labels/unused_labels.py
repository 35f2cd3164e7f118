"""WG101: no path leads from the labels to the loss."""

import re
from collections.abc import Iterator
from dataclasses import replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import handed_out
from whygrad.flow.origins import branch_at
from whygrad.flow.scopes import enclosing, place_in
from whygrad.idioms import idiom, spelled
from whygrad.ir import Op, Scope, Site, Value, family
from whygrad.loss_contracts import input_of, target_of
from whygrad.rules import rule
from whygrad.rules.labels.best_for_taken import best_for_taken
from whygrad.rules.labels.evidence import is_cut_off, measured, permuted
from whygrad.rules.labels.own_choice import own_choice
from whygrad.rules.labels.own_input import SAYS_LOSS, own_input
from whygrad.rules.phrases import distinct, places, typed
from whygrad.rules.remedies import operand, remedy, used_labels


@rule("WG101", "unused-labels", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The labels are handed to the loss and nothing that is computed from them is read on the way to it.

    ## What it finds
    A function that makes the loss takes the labels as an argument, but no value computed from them reaches what is differentiated:
    `def loss_fn(output, labels): return output.mean()`, a term that a setting has switched off, a name that was bound anew. It also
    finds a loss whose target is computed from the very prediction that it judges, or cut out of the input that the model reads, while the
    batch's labels lie unread; or that is made by `argmax` of the prediction, or is the prediction itself, in a program without labels; or that is the noisy input itself, while the clean one that it was computed from lies unread. And a policy's
    loss that weights the log-probability of the likeliest action by what came of another one, which lies unread.

    ## Why it matters
    Gradients are calculated, parameters move and the loss may fall for ever, but they would do the same with any labels. So a falling
    loss and gradients that are not zero prove nothing: the model learns something else.

    ## When it is fine
    Autoencoders, contrastive learning and generative models often load class labels that they never read. An unread element of a batch
    is therefore no fault, and neither are labels that are all the same, nor an argument called `_`: the rule speaks only where the labels enter a call that also gets the prediction and makes the loss, or whose
    name says that it makes the loss and which compares with nothing else. A part of the input may be the target where the model does not get
    that part, or where no unread element of the batch has the target's dtype and size.

    ## How sure
    Proved by the recorded graph. Where the step could be replayed, the label sensitivity S is given as well: labels permuted, S = 0 means
    that not one bit of the gradient changes. A label that left the framework before the loss (`.item()`, `.tolist()`) may steer the program
    by its control flow, which a graph does not show; then the rule is silent.

    ## References
    `whygrad explain WG102` (the labels reach the loss, but not its gradient); DESIGN.md, "Label sensitivity, the central measure".
    """
    yield from own_choice(index)
    yield from best_for_taken(index)
    for steps in index.kinds.values():
        yield from distinct(found for step in steps for found in own_input(step))
        if not any(reached(step) for step in steps) and not all(one_value(index, step) for step in steps):
            yield from distinct(found for step in steps for found in judge(index, step))


def reached(step: StepIndex) -> bool:
    """Some label is read on the way to the loss."""
    return step.labels_reach_loss


def one_value(index: Index, step: StepIndex) -> bool:
    """All labels are known to be the same, over the whole run: they say nothing that could be missing, as where a trainer insists on targets."""
    figures = [step.value(name).statistics for name in step.step.labels.values]
    same = [each is not None and not each.sampled and each.minimum is not None and each.minimum == each.maximum for each in figures]
    handed = [item for name in step.step.labels.values if (item := handed_out(index, step, name)) is not None]
    return bool(same) and all(same) and all(item.minimum is not None and item.minimum == item.maximum for item in handed)


def judge(index: Index, step: StepIndex) -> Iterator[Diagnosis]:
    """What one step shows."""
    if not step.losses or not is_cut_off(step):
        return
    taken = next(ignoring(step), None)
    yield from (ignored(index, step, *taken),) if taken else own_target(step)


def ignoring(step: StepIndex) -> Iterator[tuple[int, Scope, str, Op]]:
    """The innermost functions that take a label, make the loss and don't use it: number, scope, argument, the op to look at."""
    deciding = deciding_ops(step)
    for number, scope in reversed(tuple(enumerate(step.step.scopes))):
        # timid: an argument that is called `_` is left unread on purpose
        argument = next((name for name, value in scope.arguments.items() if value in step.from_labels and not name.startswith("_")), None)
        if argument is None or not (judges(scope, step) or makes_loss(scope, argument, step)):
            continue
        if number in deciding:
            yield number, scope, argument, deciding[number]


def deciding_ops(step: StepIndex) -> dict[int, Op]:
    """For each scope, the op on the way to the loss that compares the prediction with something first, else the last one that ran in it."""
    if not step.step.scopes:
        return {}
    on_the_way = [op for op in step.graph.ops if not op.failed and not step.shapes_loss.isdisjoint(op.outputs)]
    last = {number: op for op in on_the_way for number in enclosing(step.step.scopes, op)}
    comparing = [op for op in on_the_way if compares(step, op)]
    return last | {number: op for op in reversed(comparing) for number in enclosing(step.step.scopes, op)}


def compares(step: StepIndex, op: Op) -> bool:
    """It sets the prediction, or what was made of it, against something else: there the label is missing. A number of the program's is no
    target, and neither is one figure of the prediction that meets another one, as in its maximum less its mean.
    """
    shaped = step.depends_on_parameters
    if shaped.isdisjoint(op.inputs):
        return False
    given = frozenset(step.step.scopes[op.scope].arguments.values()) if op.scope is not None else frozenset()
    whole = any(step.origin(name) in given for name in op.inputs if name in shaped)
    others = [name for name in op.inputs if step.value(name).shape or name in shaped or name in step.from_data]
    unlike = any(name not in shaped for name in others)
    return family(op.kind) == "loss" or (op.kind == "sub" and len(others) > 1 and (whole or unlike))


def judges(scope: Scope, step: StepIndex) -> bool:
    """It is given the prediction: something that parameters shape and that shapes the loss."""
    given = {value for value in scope.arguments.values() if value in step.depends_on_parameters and value in step.shapes_loss}
    parameters = {parameter.value for parameter in step.step.parameters}
    # timid: a function that is given the parameters alone runs the model itself, and may be an autoencoder's
    return bool(given - parameters) or (bool(given) and not compares_with_data(step))


def makes_loss(scope: Scope, argument: str, step: StepIndex) -> bool:
    """It runs the model itself, its name says that it makes the loss, it never mentions the label, and it compares with no other data."""
    said = any(word in scope.function.lower() for word in SAYS_LOSS)
    # timid: a whole training step that takes (x, y) and reconstructs x is an autoencoder
    return said and argument in scope.unread and not compares_with_data(step)


def compares_with_data(step: StepIndex) -> bool:
    """Some loss or difference on the way to the loss has the batch itself for its target."""
    batch = tuple(name for event in step.events("batch") for name in event.targets)
    # a program may make its inputs itself, out of random numbers: then they come from nothing that is known as data
    data = (step.from_data | step.downstream(batch)) - step.depends_on_parameters
    for op in step.graph.ops:
        compares = family(op.kind) == "loss" or op.kind in ("sub", "mul")
        if (
            compares
            and not step.shapes_loss.isdisjoint(op.outputs)
            and not data.isdisjoint(op.inputs)
            and not step.depends_on_parameters.isdisjoint(op.inputs)
        ):
            return True
    return False


def ignored(index: Index, step: StepIndex, number: int, scope: Scope, argument: str, last: Op) -> Diagnosis:
    """The function takes the label and makes the loss without it."""
    label = next(value for name, value in scope.arguments.items() if name == argument)
    name = step.value(label).called or argument
    why = (
        "never mentions it"
        if argument in scope.unread
        else "mentions it, but nothing that reads it ran on the way to the loss (a branch not taken, a result not used)"
    )
    place, decided = place_in(step.step.scopes, number, last), branch_at(index, label)
    nothing = f"nothing here is computed from `{name}`"
    return replace(
        _diagnosis(step, name, label),
        site=decided or place,
        label=f"decides that what reads `{name}` does not run" if decided else nothing,
        related=places(
            (place if decided else None, nothing),
            (scope.caller, "called here"),
            (scope.site, f"`{argument}` is an argument of `{scope.function}`"),
        ),
        evidence=(Evidence(f"`{scope.function}` takes `{argument}` and {why}"), *measured(step)),
        help=f"see that the branch which reads `{argument}` runs: this is what it is asked for"
        if decided
        else f"compare the prediction with `{argument}` in `{scope.function}`, for instance {_comparison(index, step.value(label), argument)}",
        names=(name, scope.function),
        remedy=_with_labels(step, scope, argument, last)
        or (_remedy(index, step, scope, argument, place_in(step.step.scopes, number, last)) if _whole_loss(step, number, last) else None),
    )


def _comparison(index: Index, label: Value, argument: str) -> str:
    """A loss that such labels go into: numbers with fractions are no class ids."""
    figures = label.statistics
    if figures is not None and figures.whole is not None and figures.whole < 1:
        return f"by the mean of `(prediction - {argument}) ** 2` for numbers"
    return f"{idiom(index, 'loss on ids', scores='prediction', ids=argument)} for class ids"


def _whole_loss(step: StepIndex, number: int, op: Op) -> bool:
    """What the op makes is all that its function hands back: only then can a loss on the labels stand in its place."""
    inside = [
        each for each in step.graph.ops if number in enclosing(step.step.scopes, each) and not step.shapes_loss.isdisjoint(each.outputs)
    ]
    return not inside or inside[-1] is op


def _with_labels(step: StepIndex, scope: Scope, argument: str, op: Op) -> Remedy | None:
    """The labels in the place of a target that the function makes of the prediction, or of a figure of the prediction that this is compared with."""
    target = target_of(op) if family(op.kind) == "loss" else None
    whole, part = (target, target) if target else own_figure(step, op)
    if part is None or whole is None or part not in step.depends_on_parameters or not argument.isidentifier():
        return None
    made, labels = _whole(step, whole), _whole(step, scope.arguments[argument])
    alike = made.dtype[:1] == labels.dtype[:1] and made.shape == labels.shape
    changes = "" if target else "what stands there, reckoned from the prediction itself, no longer enters the loss"
    return remedy(f"compare with `{argument}`", operand(op, step.value(part), argument), changes=changes) if alike else None


def own_figure(step: StepIndex, op: Op) -> tuple[str | None, str | None]:
    """The prediction, and what was reckoned from it alone that the op takes it apart from, such as its mean."""
    if op.kind != "sub" or len(op.inputs) != 2:  # noqa: PLR2004 - two operands
        return None, None
    pairs = (op.inputs, op.inputs[::-1])
    return next(((one, other) for one, other in pairs if one != other and one in step.upstream(other)), (None, None))


def _whole(step: StepIndex, name: str) -> Value:
    """A value, or the whole numbers that it was converted from: Keras hands ids to losses as floating ones."""
    value, before = step.value(name), step.value(step.origin(name, ("cast",)))
    return before if before.dtype.startswith(("i", "u")) else value


def _remedy(index: Index, step: StepIndex, scope: Scope, argument: str, site: Site | None) -> Remedy | None:
    """A loss on the one prediction that the function is given and the labels that it ignores."""
    shaped = [(name, value) for name, value in scope.arguments.items() if value in step.depends_on_parameters and name.isidentifier()]
    if len(shaped) != 1 or not argument.isidentifier():
        return None
    name, value = shaped[0]
    return used_labels(index, site, _whole(step, scope.arguments[argument]), step.value(value), (name, argument))


_KEEPING = ("layout", "cast", "select")
"""What leaves a target what it is."""


def own_target(step: StepIndex) -> Iterator[Diagnosis]:
    """Losses whose target is computed from the prediction that they judge."""
    label = next((name for name in step.step.labels.values if name not in step.depends_on_parameters), None) or _unread_element(step)
    if label is None or compares_with_data(step):
        return
    for op in step.loss_ops():
        prediction, target = input_of(op), target_of(op)
        if prediction and target in step.depends_on_parameters and _made_from(step, target, prediction):
            yield _self_taught(step, op, target, label)


def _unread_element(step: StepIndex) -> str | None:
    """An element of the loader's batch that no op reads."""
    return next((name for event in step.events("batch") for name in event.targets if name not in step.consumers), None)


def _made_from(step: StepIndex, target: str, prediction: str) -> bool:
    above = step.upstream(target)
    # timid: an action sampled from the prediction is how policy gradients are written
    sampled = any(step.producer[name][1].kind in ("sample", "random") for name in above if name in step.producer)
    return not sampled and not above.isdisjoint((prediction, step.origin(prediction)))


def _self_taught(step: StepIndex, op: Op, target: str, label: str) -> Diagnosis:
    maker = step.producer.get(step.origin(target, _KEEPING))
    made = maker[1] if maker else op
    named, own = _named(step, op, label), step.value(target).shown
    name = named or step.value(label).shown
    beside = _both_named(named, step.value(target).called) or step.origin(target, _KEEPING) == step.origin(input_of(op) or "", _KEEPING)
    given, making = f"`{own}` is the loss's target here", f"`{own}` is made from the prediction here"
    return replace(
        _diagnosis(step, name, label),
        message=f"`{name}` {never(name)} the loss: its target `{own}` is computed from the prediction itself",
        site=op.site if beside else made.site or op.site,
        label=given if beside else making,
        related=places((made.site, making) if beside else (op.site, given)),
        evidence=(
            Evidence(
                f"the target {typed(step.value(target))} of `{op.kind}` is computed from its own input, by `{made.kind}`; no op on the way to the loss reads the batch's labels"
            ),
            *measured(step),
        ),
        help=f"pass {f'`{named}`' if named else 'the labels of the batch'} to `{op.kind}` instead of `{own}`"
        if beside
        else f"give what is computed here another name than the labels of the batch, and pass those labels to `{op.kind}`",
        names=(name, own),
        remedy=_passed(step, op, target, label, named)
        if beside
        else _unbound(step, made, step.value(target).called, label) or _told(step, target, label),
    )


def _both_named(label: str, own: str) -> bool:
    """The labels are still there under their own name where the loss is given something else."""
    return label.isidentifier() and own.isidentifier() and label != own


def _passed(step: StepIndex, op: Op, target: str, label: str, name: str) -> Remedy | None:
    """The batch's labels in the place of what was computed from the prediction."""
    made, labels = _whole(step, target), _whole(step, label)
    alike = made.dtype[:1] == labels.dtype[:1] and made.shape == labels.shape
    return remedy(f"compare with `{name}`", operand(op, step.value(target), name)) if alike and name.isidentifier() else None


def _named(step: StepIndex, op: Op, label: str) -> str:
    """The labels' name; where they have none, that of the argument as which the function around the loss is given them."""
    scope = step.step.scopes[op.scope] if op.scope is not None else None
    handed = next((argument for argument, value in scope.arguments.items() if value == label), "") if scope is not None else ""
    return step.value(label).called or handed


def _unbound(step: StepIndex, made: Op, own: str, label: str) -> Remedy | None:
    """Another name for what is computed, where it took that of the batch's labels."""
    handed = next((event.site for event in step.events("batch") if label in event.targets), None)
    if handed is None or made.site is None or not own.isidentifier():
        return None
    loop = re.match(r"\s*for\b(.*?)\bin\b", handed.text) or re.match(r"(.*?)[^=!<>]=[^=]", handed.text)
    line = re.match(r"(.*?)[^=!<>]=[^=]", made.site.text)
    kept = list(re.finditer(rf"(?<![\w.]){own}(?!\w)", line[1] + " ")) if line else []
    if loop is None or len(kept) != 1 or not re.search(rf"(?<![\w.]){own}\b", loop[1]):
        return None
    at = replace(made.site, column=kept[0].start() + 1, end_column=kept[0].end() + 1, end_line=made.site.line)
    return remedy(
        f"give what is computed here the name `guessed_{own}`",
        Edit("replace", at, f"guessed_{own}"),
        changes=f"what reads `{own}` below it gets the labels of the batch",
    )


def _told(step: StepIndex, target: str, label: str) -> Remedy | None:
    """The batch's labels in the place of the prediction's own decision, where they have its form."""
    name, labels = step.value(label).called, step.value(label)
    above = step.upstream(target)
    decided = [op for op in step.graph.ops if op.kind == "argmax" and op.output in above and step.value(op.output).shape == labels.shape]
    if len(decided) != 1 or decided[0].site is None or not labels.dtype.startswith(("i", "u")) or not _NAME.fullmatch(name):
        return None
    return remedy(f"make the target of `{name}`", Edit("wrap", decided[0].site, name, (spelled(decided[0]), "argmax")))


_NAME = re.compile(r"[A-Za-z_]\w*(?:\[(?:'\w+'|\d+)\])?")
"""A variable, or an entry of a batch that is handed on as a whole."""


def never(name: str) -> str:
    """`labels` never reach, `y` never reaches."""
    return "never reach" if name.endswith("s") else "never reaches"


def _diagnosis(step: StepIndex, name: str, label: str) -> Diagnosis:
    return Diagnosis(
        rule="WG101",
        name="unused-labels",
        severity="error",
        confidence="proved",
        message=f"`{name}` {never(name)} the loss",
        facts=frozenset({Fact("unread", label)}),
        explains=frozenset({Fact("insensitive", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        test=permuted(step),
    )
