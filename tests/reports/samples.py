"""Reports made by hand, as renderers get them."""

from dataclasses import replace

from whygrad.diagnosis import Coverage, Diagnosis, Evidence, Experiment, Fact, Related, Report, StepKind, Symptom
from whygrad.ir import Framework, Labels, Measures, Outcome, Raised, Site

DETACH = Site("train.py", 41, 41, 29, 38, "Model.forward", "        codes = self.encoder(x).detach()")
LOSS = Site("train.py", 10, 10, 10, 28, "incorrect_loss", "  return torch.mean(output) # Ignores labels")
CALL = Site("train.py", 23, 23, 10, 41, "", "  loss = incorrect_loss(outputs, labels) #Labels are ignored!")
OPTIMIZER = Site("lib/make_optimizer.py", 112, 114, 12, 6, "build", "    return torch.optim.AdamW(model.head.parameters(),")
BACKWARD = Site("train.py", 24, 24, 3, 18, "", "  loss.backward()")

HEALTHY = Report(
    whygrad="0.1.0",
    program="train.py",
    arguments=("--epochs", "3"),
    frameworks=(Framework("torch", "2.13.0"),),
    outcome=Outcome(exit_status=0, steps_seen=10, backwards_seen=10),
    steps_recorded=(0, 1),
    healthy=True,
    reason="",
    measures=Measures(loss=0.6931, gradient_norm=0.7113, label_sensitivity=0.8412, noise_floor=0.0, loss_permuted=0.71, reproduced=True),
    parameters=4,
    parameters_with_gradient=4,
    labels=Labels(("t3",), "target"),
    label_names=("labels",),
    label_sites=(),
    kinds=(StepKind(0, 4, (0, 1), Measures(loss=0.6931, gradient_norm=0.7113, label_sensitivity=0.8412), BACKWARD),),
    coverage=Coverage(tuple(f"WG{code}" for code in range(101, 122))),
    updates=10,
)

UNUSED_LABELS = Diagnosis(
    "WG101", "unused-labels", "error", "proved", "`labels` never reach the loss",
    site=LOSS,
    label="the loss is made here, from `output` alone",
    related=(Related(CALL, "called here, with `labels`"),),
    evidence=(
        Evidence("labels permuted: the gradient is bit-for-bit the same", "label_sensitivity", 0.0),
        Evidence("gradients are calculated (norm 0.71), and would be the same with any labels", "gradient_norm", 0.71),
    ),
    help="compute the loss from `labels` too, for classes `return torch.nn.functional.cross_entropy(output, labels)`",
    facts=frozenset({Fact("unread", "labels")}),
    names=("labels",),
    kind=0,
)  # fmt: skip

DETACHED = Diagnosis(
    "WG301", "detached", "error", "proved", "`encoder.weight` gets no gradient: `detach` cuts it off from `loss`",
    site=DETACH,
    label="every path from `encoder.weight` to `loss` passes here",
    evidence=(
        Evidence("`encoder.weight.grad` is None after backward; so are 2 more parameters behind this cut"),
        Evidence("replayed without this call, its gradient norm is 0.83", "gradient_norm", 0.83),
    ),
    help="remove `.detach()`, or write `encoder.requires_grad_(False)` if freezing is meant",
    experiment=Experiment("let the gradient pass at `d`", "`encoder.weight` gets a gradient", "confirmed", {"encoder.weight": 0.83}),
    names=("encoder.weight",),
)  # fmt: skip

NOT_HELD = Diagnosis(
    "WG401", "not-in-optimizer", "warning", "suspected", "`backbone.weight` and 11 more have gradients, but no optimizer holds them",
    site=OPTIMIZER,
    label="holds only `head.weight` and `head.bias`",
    related=tuple(Related(replace(DETACH, line=line, text=""), "made here") for line in (3, 4, 5, 6)),
    help="pass `model.parameters()`",
)  # fmt: skip

RAISED = Raised("RuntimeError", "element 0 of tensors does not require grad and does not have a grad_fn", BACKWARD)

MEASURES = Measures(loss=0.0213, gradient_norm=0.7113, label_sensitivity=0.0, noise_floor=0.0, reproduced=True)

ONE_ERROR = replace(
    HEALTHY, arguments=(), healthy=False, diagnoses=(UNUSED_LABELS,), measures=MEASURES, parameters=2, parameters_with_gradient=2,
    labels=Labels(("t3",), "argument"),
)  # fmt: skip
TWO_CAUSES = replace(ONE_ERROR, diagnoses=(DETACHED, NOT_HELD, replace(NOT_HELD, rule="WG306", name="unused-parameter", root_cause=False)))
ENDED = replace(
    ONE_ERROR,
    outcome=Outcome(1, RAISED, steps_seen=0, backwards_seen=1),
    steps_recorded=(0,),
    measures=Measures(sensitivity_reason="no gradient reaches a trainable parameter"),
    parameters_with_gradient=0,
    updates=0,
    diagnoses=(
        replace(
            DETACHED,
            symptoms=(
                Symptom(f"the program stopped with RuntimeError: {RAISED.message}"),
                Symptom("the loss depends on no trainable parameter", "WG311"),
            ),
        ),
    ),
)
UNEXPLAINED = replace(
    ENDED, diagnoses=(), healthy=None, reason="the program ended with RuntimeError before its first training step", steps_recorded=()
)
NO_LABELS = replace(
    HEALTHY,
    labels=Labels(reason="looked at 2 batches of `loader` and 1 loss"),
    label_names=(),
    measures=Measures(loss=1.0, gradient_norm=2.0),
)
FAULTY_SELF = replace(
    HEALTHY, healthy=None, reason="whygrad itself failed, so silence means nothing",
    faults=("rule WG301 detached failed: ZeroDivisionError: division by zero\nTraceback (most recent call last):\n  …",),
    limits=("the compiled model ran eagerly in the recorded steps",), suppressed=(NOT_HELD,),
)  # fmt: skip
TWO_KINDS = replace(
    HEALTHY,
    kinds=(
        StepKind(0, 4, (0, 2), Measures(gradient_norm=0.71, label_sensitivity=0.84)),
        StepKind(1, 4, (1, 3), Measures(gradient_norm=float("nan"), label_sensitivity=None)),
    ),
)
SAMPLES = {
    "healthy": HEALTHY, "one_error": ONE_ERROR, "two_causes": TWO_CAUSES, "exception": ENDED, "unexplained": UNEXPLAINED,
    "no_labels": NO_LABELS, "own_fault": FAULTY_SELF, "two_kinds": TWO_KINDS,
}  # fmt: skip
