"""WG205: softmax or sigmoid is applied, and then a loss that applies it again."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.instances import own_line
from whygrad.flow.trials import trial_of
from whygrad.flow.written import losses_of
from whygrad.idioms import loss_called
from whygrad.ir import Bypass, Op
from whygrad.loss_contracts import Contract, contract_of, input_of
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, figure, finite, places
from whygrad.rules.remedies import operand, remedy, without_activation

_MAKES_PROBABILITIES = frozenset(("softmax", "sigmoid", "gumbel_softmax"))


LARGER = 2.0
"""How many times larger the gradient must be without the activation to be the reason of small updates: rounding and dropout stay below; a second softmax over letters was measured to take 15 times."""


@dataclass(frozen=True, slots=True)
class Twice:
    """A loss on logits, and the activation whose output it got."""

    loss: Op
    contract: Contract
    activation: Op
    shared: bool
    """Something else on the way to the loss reads the probabilities as well."""


@rule("WG205", "probabilities-for-logits", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A softmax or sigmoid is applied before a loss that applies it itself.

    ## What it finds
    `cross_entropy` or `binary_cross_entropy_with_logits`, called or written out with `log_softmax`, whose input comes from a softmax or a
    sigmoid, with nothing but reshaping, casting or selecting between the two.

    ## Why it matters
    Probabilities lie between 0 and 1, so the second softmax makes nearly even shares of them: with ten classes the best possible loss is
    about 1.46 instead of 0, a sigmoid can't get below 0.5, and the gradient shrinks most where the network is surest.

    ## When it is fine
    A `log_softmax` before `cross_entropy` changes nothing, since the softmax of log-probabilities is those probabilities again; so does
    the logarithm of a softmax. Both are left alone, as is anything that rescales the probabilities before the loss.

    ## How sure
    Proved by the recorded graph. Where the step could be replayed without the activation, both gradient norms are given. Some networks
    learn all the same, so this is a warning.

    ## References
    `torch.nn.CrossEntropyLoss` ("the input is expected to contain the unnormalized logits"); Keras, `from_logits=True`;
    `optax.softmax_cross_entropy`; `whygrad explain WG206` for the reverse.
    """
    yield from distinct(diagnosis(index, step, found) for step in index.steps for found in twice(index, step))


def twice(index: Index, step: StepIndex) -> Iterator[Twice]:
    """Losses on logits that are given probabilities."""
    for op in losses_of(index, step):
        contract, given = contract_of(op), input_of(op)
        if contract is None or not contract.applies or given is None:
            continue
        made = step.producer.get(step.origin(given, ("layout", "cast", "select")))
        if made and made[1].kind in _MAKES_PROBABILITIES:
            yield Twice(op, contract, made[1], shared(step, made[1], op))


def shared(step: StepIndex, activation: Op, loss: Op) -> bool:
    """Another op on the way to the loss reads the probabilities too."""
    names, own = list(activation.outputs), loss.attributes.get("parts")
    for name in names:
        for reader in step.consumers.get(name, ()):
            if (
                reader is loss
                or (isinstance(own, tuple) and reader.output in own)
                or (not reader.failed and step.shapes_loss.isdisjoint(reader.outputs))
            ):
                continue
            if step.origin(reader.output, ("layout", "cast", "select")) not in activation.outputs:
                return True
            names.append(reader.output)
    return False


def diagnosis(index: Index, step: StepIndex, found: Twice) -> Diagnosis:
    """What is said: at the activation, or at the loss where the probabilities are needed elsewhere."""
    activation, loss = found.activation, found.loss
    name, called = step.value(activation.output).shown, loss_called(index, loss)
    at, other = (loss, activation) if found.shared else (activation, loss)
    return Diagnosis(
        rule="WG205",
        name="probabilities-for-logits",
        severity="warning",
        confidence="proved",
        message=f"`{name}` is made by `{activation.kind}`, and `{called}` applies `{found.contract.applies}` to it again",
        site=own_line(step, at) or other.site,
        label="wants the scores from before the activation" if found.shared else "probabilities from here on",
        related=places(
            (
                other.site,
                f"`{activation.kind}` is applied here" if found.shared else f"`{called}` applies `{found.contract.applies}` itself",
            )
        ),
        evidence=tuple(evidence(step, found, called)),
        help=_help(step, found, called),
        facts=frozenset({Fact("odd-input", activation.output)}),
        explains=frozenset({Fact("stands", str(step.step.kind))} if squeezed(step, found) else ()),
        kind=step.step.kind,
        step=step.step.index,
        names=(name,),
        test=None if found.shared else experiment(found),
        remedy=_scores_given(step, found)
        if found.shared
        else without_activation(index, step, activation, proof=experiment(found).intervention),
    )


def _scores_given(step: StepIndex, found: Twice) -> Remedy | None:
    """The scores by their name in the place of the probabilities, where both are known in one function."""
    activation, loss = found.activation, found.loss
    scores, given = step.value(activation.inputs[0]).called if activation.inputs else "", input_of(loss)
    if not scores.isidentifier() or given is None or activation.site is None or loss.site is None:
        return None
    together = (activation.site.file, activation.site.function) == (loss.site.file, loss.site.function)
    return remedy(f"pass `{scores}`", operand(loss, step.value(given), scores)) if together else None


def experiment(found: Twice) -> Test:
    """Leave the activation out."""
    return Test(Bypass((found.activation.output,)), f"without `{found.activation.kind}` the gradient is another one, and larger")


def squeezed(step: StepIndex, found: Twice) -> bool:
    """The gradient is measured to be much larger without the activation, which explains updates that are too small."""
    trial, before = trial_of(step.step, experiment(found).intervention), step.step.measures.gradient_norm
    without = trial.gradient_norm if trial is not None else None
    return without is not None and before is not None and finite(without) and finite(before) and without >= LARGER * before


def evidence(step: StepIndex, found: Twice, called: str) -> Iterator[Evidence]:
    """The range of what the loss got, and the gradient with and without the activation."""
    figures = step.value(found.activation.output).statistics
    if figures and finite(figures.minimum) and finite(figures.maximum):
        low, high = figure(figures.minimum), figure(figures.maximum)
        yield Evidence(f"`{called}` expects raw scores and is given values between {low} and {high}", "maximum", figures.maximum)
    else:
        yield Evidence(f"`{called}` expects raw scores and is given the output of `{found.activation.kind}`")
    trial, before = trial_of(step.step, experiment(found).intervention), step.step.measures.gradient_norm
    if trial and finite(trial.gradient_norm) and not found.shared:
        known = f", with it {figure(before)}" if finite(before) else ""
        yield Evidence(
            f"replayed without this `{found.activation.kind}`, the gradient norm is {figure(trial.gradient_norm)}{known}",
            "gradient_norm",
            trial.gradient_norm,
        )


def _help(step: StepIndex, found: Twice, called: str) -> str:
    """What to pass instead."""
    raw = step.value(found.activation.inputs[0]).called if found.activation.inputs else ""
    scores = f"`{raw}`" if raw else "the scores"
    if found.shared:
        return f"pass {scores} from before the `{found.activation.kind}` to `{called}`, and keep the probabilities for the rest"
    return (
        f"leave out the `{found.activation.kind}` while training and pass {scores} to `{called}`; apply it where probabilities are wanted"
    )
