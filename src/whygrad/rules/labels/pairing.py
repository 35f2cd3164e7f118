"""What WG104 says of data that were paired outside the framework's graph: batches compared with their items, two loaders, and fits of labels from inputs."""

import ast
import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import ENOUGH, course_of, failure, supervised
from whygrad.flow.guesses import GUESSED
from whygrad.flow.makers import handed_out
from whygrad.flow.origins import reordered_at
from whygrad.ir import Batches, Collation, Fit, Op, Site
from whygrad.loss_contracts import target_of
from whygrad.rules.phrases import figure, places, plural
from whygrad.rules.remedies import remedy
from whygrad.rules.statements import statements

NONE = 3.0
"""Standard deviations up to which a fit has found nothing: 196 of 200 sets of random labels, 128 to 512 rows, stay below."""
FOUND = 12.0
"""From here on a fit has found a relation: the best of seven other orders of those random labels never passed 6.4, labels put back in place reached 97 and more."""
ROWS = 128
"""Rows below which a weak relation can't be told from none."""
RARE = 0.5
"""What the best constant guess costs, in nats, where one of two classes has 80 % of the labels."""
CLASSES = frozenset(("cross_entropy", "categorical_cross_entropy", "binary_cross_entropy", "bce_with_logits"))
REARRANGED = ("layout", "cast", "select")


def mispaired(index: Index) -> Iterator[Diagnosis]:
    """Batches in which the inputs of one item stand beside the labels of another."""
    for item in index.record.collations:
        for step in index.steps:
            first, second = (next((name for name in names if name in step.values), "") for names in (item.values, item.others))
            labels = {step.origin(name, REARRANGED) for name in step.step.labels.values} | set(step.step.labels.values)
            other = second if first in labels else first
            if first and second and len(labels & {first, second}) == 1 and reads(step, other):
                yield collated(index, step, item, (first, second))
                break


def zipped(index: Index) -> Iterator[Diagnosis]:
    """Inputs of one loader beside labels of another, each in an order that it draws by itself."""
    # timid: who seeds before each pass may give both the same order, and then learns
    standing = (step for step in index.steps if failure(course_of(index, step)) == "stands")
    for step in standing:
        for op in step.loss_ops():
            target = target_of(op)
            labels = handed_out(index, step, target) if target is not None and target not in step.depends_on_parameters else None
            if labels is not None and labels.drawn and not feeds(index, step, labels):
                inputs = next((other for other in index.record.batches if _beside(labels, other) and feeds(index, step, other)), None)
                if inputs is not None:
                    yield shuffled_apart(step, labels, inputs, op)


def _beside(labels: Batches, other: Batches) -> bool:
    """Another loader of as many batches, made elsewhere, that draws its order too."""
    places = labels.site and labels.site.line_of_code, other.site and other.site.line_of_code
    return other.drawn and None not in places and places[0] != places[1] and labels.length == other.length is not None


def feeds(index: Index, step: StepIndex, batches: Batches) -> bool:
    """Some element of this loader's batches goes into the prediction."""
    alike = [
        b for b in index.record.batches if b is batches or (b.site and batches.site and b.site.line_of_code == batches.site.line_of_code)
    ]
    parameters = {parameter.value for parameter in step.step.parameters}
    fed = {name for op in step.graph.ops if not parameters.isdisjoint(op.inputs) for name in op.inputs if name not in parameters}
    names = [name for b in alike for name in b.values if name in step.values]
    return any(not step.downstream((name,)).isdisjoint(fed) for name in names)


def shuffled_apart(step: StepIndex, labels: Batches, inputs: Batches, op: Op) -> Diagnosis:
    """What is said, where the labels' loader was made."""
    return Diagnosis(
        rule="WG104",
        name="misaligned-labels",
        severity="error",
        confidence="measured",
        message="inputs and labels come from two loaders, and each shuffles in an order of its own",
        site=labels.site,
        label="hands out the labels in one random order",
        related=places((inputs.site, "hands out the inputs in another"), (op.site, "they are compared here")),
        evidence=(
            Evidence(f"both loaders draw a new order for each pass over their {plural(labels.length or 0, 'batch')}"),
            Evidence("the loss stands still all the run long"),
        ),
        help="make one data set of both, `TensorDataset(inputs, labels)` or a `Dataset` that returns pairs, and one loader for it",
        facts=frozenset(Fact("odd-input", name) for name in labels.values if name in step.values),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=("labels",),
    )


def reads(step: StepIndex, name: str) -> bool:
    """The prediction is made from it."""
    return not step.downstream((name,)).isdisjoint(step.depends_on_parameters) and not step.downstream((name,)).isdisjoint(step.losses)


def collated(index: Index, step: StepIndex, item: Collation, names: tuple[str, str]) -> Diagnosis:
    """What is said, at the op that made the batch out of reordered items."""
    moved, kept = (names[1], names[0]) if item.kept else names
    sites = [step.producer[name][1].site if name in step.producer else None for name in (moved, kept)]
    stands = failure(course_of(index, step)) == "stands"
    shown, beside = step.value(moved).shown, step.value(kept).shown
    return Diagnosis(
        rule="WG104",
        name="misaligned-labels",
        severity="error" if stands else "warning",
        confidence="measured",
        message=f"the rows of `{shown}` and `{beside}` belong to different examples: the collate function reorders only one of them",
        site=sites[0] or item.site,
        label=f"`{shown}` is put into another order than `{beside}`",
        related=places((sites[1], f"`{beside}` is made here"), (item.site if sites[0] else None, "in this collate function")),
        evidence=(
            Evidence(
                f"the first batch was compared with the {plural(item.rows, 'item')} that it was made of: {plural(item.moved, 'row')} pair one item's input with another's label",
                "misaligned",
                item.moved,
            ),
        ),
        help="reorder the items before they are taken apart, `batch.sort(key=lambda item: len(item[0]), reverse=True)`, or index every part by the same order",
        facts=frozenset({Fact("odd-input", moved)}),
        explains=frozenset({Fact("stands", str(step.step.kind)), Fact("odd-input", kept)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(shown, beside),
        remedy=_in_order(sites[0], sites[1], beside),
    )


def _in_order(moved: Site | None, kept: Site | None, name: str) -> Remedy | None:
    """The other side in the order that the source names where this one is put into it."""
    order = order_in(moved.text) if moved is not None and kept is not None and moved.file == kept.file else ""
    return remedy(f"put `{name}` into the same order", Edit("wrap", kept, f"{{x}}[{order}]")) if order and kept else None


def order_in(text: str) -> str:
    """`order` of `[words[i] for i in order]`, or of `x[order]`; "" where the source names none, or several."""
    nodes = [node for statement in statements(text) for node in ast.walk(statement)]
    through = [node.generators[0] for node in nodes if isinstance(node, ast.ListComp) and isinstance(node.elt, ast.Subscript)]
    found = {made.iter.id for made in through if isinstance(made.iter, ast.Name)}
    found |= {node.slice.id for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name) and not through}
    return found.pop() if len(found) == 1 else ""


def unrelated(index: Index) -> Iterator[Diagnosis]:
    """A run that learns nothing from labels that no fit can tell from the inputs."""
    for fit in index.record.fits:
        step = next((step for step in index.steps if any(name in step.values for name in fit.labels)), None)
        if step is None or fit.score is None or not fit.score < NONE or fit.rows < ROWS:
            continue
        orders = reordered_at(index, fit.labels)
        if (orders or learns_nothing(index, step, fit)) and supervised(index, step) and not drawn(step, fit):
            yield suspected(step, fit, orders)


def learns_nothing(index: Index, step: StepIndex, fit: Fit) -> bool:
    """The loss stood still, or ended where the best constant guess would put it."""
    course = course_of(index, step)
    kinds = {op.kind for op in step.loss_ops() if target_of(op) in step.from_labels}
    guess = fit.entropy if kinds and kinds <= CLASSES else fit.variance if kinds == {"mse_loss"} else None
    if course is None or course.last is None or course.steps < ENOUGH:
        return False
    # timid: of labels nearly all of one class, the few others among the rows tell a fit little, and a constant guess is hard to beat (WG113)
    told = guess is not None and (guess != fit.entropy or guess >= RARE)
    return failure(course) == "stands" or (told and guess is not None and course.last >= GUESSED * guess)


def drawn(step: StepIndex, fit: Fit) -> bool:
    """The program draws the labels at random, and the inputs were not made from them: a try of the loop."""
    above = {name for label in fit.labels if label in step.values for name in step.upstream(label)}
    beside = {name for given in fit.inputs if given in step.values for name in step.upstream(given)}
    return any(
        op.kind in ("random", "sample") and not above.isdisjoint(op.outputs) and beside.isdisjoint(op.outputs) for op in step.graph.ops
    )


def suspected(step: StepIndex, fit: Fit, orders: tuple[Site, ...] = ()) -> Diagnosis:
    """What is said, where the labels came from."""
    name = next(name for name in fit.labels if name in step.values)
    restored = fit.restored is not None and fit.restored >= FOUND
    shown, kind = step.value(name).shown, str(step.step.kind)
    message = (
        f"`{shown}` fit the inputs only when they are {fit.order}"
        if restored
        else f"inputs and `{shown}` are put into different orders, and no relation between them is left"
        if orders
        else f"no relation was found between the inputs and `{shown}`"
    )
    evidence = [
        Evidence(
            f"over {fit.rows} rows, a fit of `{shown}` from the inputs beats the same fit of permuted labels by {figure(fit.score)} standard deviations",
            "fit",
            fit.score,
        )
    ]
    if restored:
        evidence.append(Evidence(f"with the labels {fit.order} it beats them by {figure(fit.restored)}", "fit", fit.restored))
    return Diagnosis(
        rule="WG104",
        name="misaligned-labels",
        severity="warning" if restored or orders else "note",
        confidence="measured" if orders else "suspected",
        message=message,
        site=orders[0] if orders else origin(step, name),
        label="only one side is put into this order" if orders else "these labels",
        related=places(
            *((site, "and this order is the other side's alone") for site in orders[1:]),
            (origin(step, name) if orders else None, "the labels come into the step here"),
        ),
        evidence=tuple(evidence),
        help=_ZIPPED
        if any(".shuffle(" in site.text and not _IN_PLACE.fullmatch(site.text) for site in orders)
        else "follow a few examples from the file to the batch, and print each input beside its label before and after every sort, shuffle, slice and join",
        facts=frozenset({Fact("stands", kind)}),
        explains=frozenset({Fact("stands", kind)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(shown,),
        remedy=_ordered(orders) if orders else None,
    )


_ZIPPED = "put inputs and labels together first, and shuffle the pairs: `Dataset.zip((inputs, labels)).shuffle(n)`"
_PICKED = re.compile(r"\s*(\w+)\s*=\s*\1\[\w+\]\s*(#.*)?$")


_IN_PLACE = re.compile(r"\s*[\w.]+\.shuffle\([^()]*\)\s*(#.*)?")
"""`np.random.shuffle(x)`, which gives nothing back."""


def _ordered(orders: tuple[Site, ...]) -> Remedy | None:
    """The other side put into the same order, or the shuffling of one side, or of each, left out."""
    if len(orders) == 1 and _PICKED.match(orders[0].text):
        return remedy("put the other side into the same order", Edit("beside", orders[0]))
    if any(".shuffle(" not in site.text for site in orders):
        return None
    changes = "the examples come in the order in which they lie; to shuffle them, shuffle the pairs"
    left = "one side" if len(orders) == 1 else "each side"
    return remedy(f"leave out the shuffling of {left}", *(_unshuffled(site) for site in orders), changes=changes)


def _unshuffled(site: Site) -> Edit:
    """A statement that shuffles in place goes; of an expression, what is shuffled stays."""
    return Edit("drop", site) if _IN_PLACE.fullmatch(site.text) else Edit("unwrap", site, calls=("shuffle",))


def origin(step: StepIndex, name: str) -> Site | None:
    """The line at which the labels came into the step."""
    source = step.origin(name, REARRANGED)
    made = step.producer.get(source) or step.producer.get(name)
    handed = next((event.site for event in step.events("batch") if not {source, name}.isdisjoint(event.targets)), None)
    return made[1].site if made and made[1].site else handed
