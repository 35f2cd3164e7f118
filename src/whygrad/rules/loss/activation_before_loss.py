"""WG217: scores are clamped by an activation before a loss on raw scores."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Test
from whygrad.flow import Index
from whygrad.flow.instances import is_shared, own_line
from whygrad.flow.trials import trial_of
from whygrad.ir import Bypass, Op
from whygrad.rules import rule
from whygrad.rules.loss.calls import Call, calls, known, once_a_fault
from whygrad.rules.phrases import figure, finite, percent, places
from whygrad.rules.remedies import without_activation

_CLAMPS = {"relu": "no score can be below 0", "tanh": "scores stay between -1 and 1", "hardtanh": "scores are cut off at both ends"}


@rule("WG217", "activation-before-loss", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A ReLU, a tanh or another clamp is applied to the scores that a loss on logits reads.

    ## What it finds
    `cross_entropy` or `binary_cross_entropy_with_logits` whose input is the output of a ReLU, a tanh or a hard tanh, with nothing but
    reshaping or casting between: usually one activation too many at the end of a list of layers.

    ## Why it matters
    A class whose score is negative gets exactly 0 and no gradient, so that it is never pushed up or down again; behind a tanh ten classes
    can't share out more than 45 % to the right one. A binary cross-entropy behind a ReLU never gives less than 50 %.

    ## When it is fine
    Pooling after the last ReLU, as in SqueezeNet, is part of the design; so is a scaled tanh that caps scores at 30. Only an activation whose
    output the loss reads as it is counts. Smooth ones (GELU, SiLU) are left alone.

    ## How sure
    Proved by the recorded graph. Where the step could be replayed without the activation, both gradient norms are given. Many such networks
    learn something all the same, so this is a warning.

    ## References
    `torch.nn.CrossEntropyLoss` ("unnormalized logits"); Keras, `from_logits=True`; `optax.softmax_cross_entropy`; `whygrad explain WG205` for softmax and sigmoid.
    """
    yield from once_a_fault(diagnosis(call, op) for call in calls(index) if (op := clamp_of(call)) is not None)


def clamp_of(call: Call) -> Op | None:
    """The clamp whose output this loss on logits reads as it is."""
    if not call.contract.applies or call.op.failed:
        return None
    made = call.step.producer.get(call.step.origin(call.prediction.name))
    return made[1] if made is not None and made[1].kind in _CLAMPS and call.prediction.name in call.step.depends_on_parameters else None


def diagnosis(call: Call, op: Op) -> Diagnosis:
    """What is said, at the activation."""
    place = own_line(call.step, op)
    alone = ", here alone: its line serves other uses that need it" if is_shared(call.step, op) else ""
    raw = call.step.value(op.inputs[0]).called if op.inputs else ""
    return Diagnosis(
        rule="WG217",
        name="activation-before-loss",
        severity="warning",
        confidence="proved",
        message=f"`{call.called}` expects raw scores, and `{op.kind}` cuts them off before",
        site=place,
        label=_CLAMPS[op.kind],
        related=places((op.site if place != op.site else None, "it is applied here"), (call.op.site, "the loss reads its output here")),
        evidence=tuple(evidence(call, op)),
        help=f"leave out this `{op.kind}` and pass {f'`{raw}`' if raw else 'its input'} to the loss{alone}",
        facts=frozenset({Fact("odd-input", op.output)}),
        kind=call.step.step.kind,
        step=call.step.step.index,
        names=(call.step.value(op.output).shown,),
        test=experiment(op),
        remedy=without_activation(call.index, call.step, op, proof=experiment(op).intervention),
    )


def experiment(op: Op) -> Test:
    """Leave the activation out."""
    return Test(Bypass((op.output,)), f"without `{op.kind}` the gradient is another one")


def evidence(call: Call, op: Op) -> Iterator[Evidence]:
    """How much is cut off, and the gradient with and without."""
    figures = known(call.step.value(op.output))
    if figures is not None and op.kind == "relu" and figures.zeros is not None:
        yield Evidence(f"{percent(figures.zeros)} of the scores are exactly 0", "zeros", figures.zeros)
    elif figures is not None:
        yield Evidence(f"the scores lie between {figure(figures.minimum)} and {figure(figures.maximum)}", "maximum", figures.maximum)
    trial, before = trial_of(call.step.step, experiment(op).intervention), call.step.step.measures.gradient_norm
    if trial is not None and trial.gradient_norm is not None and finite(trial.gradient_norm):
        known_before = f", with it {figure(before)}" if finite(before) else ""
        yield Evidence(
            f"replayed without this `{op.kind}`, the gradient norm is {figure(trial.gradient_norm)}{known_before}",
            "gradient_norm",
            trial.gradient_norm,
        )
