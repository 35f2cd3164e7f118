"""WG409: the gradient scaler skips every step."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.flow.origins import set_at
from whygrad.idioms import idiom
from whygrad.ir import Optimizer
from whygrad.rules import rule
from whygrad.rules.phrases import listed, percent, places, plural
from whygrad.rules.remedies_of_settings import made_once

IN_A_ROW = 20
"""Skipped steps, with none taken, that are no longer the scaler's search for its factor: it starts at 2**16 and halves at each, so that it has reached 1 after 16."""
SHARE = 0.5
"""Share of skipped steps, over at least that many, that is no healthy training either: a scaler in order skips about one step in its growth interval of 2,000."""

ANEW = 0.5
"""Share of the steps at which there was another scaler than before, from which on it is made in the loop."""


@rule("WG409", "skipped-steps", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The gradient scaler finds gradients that are not finite, and skips all or most updates.

    ## What it finds
    Optimizers whose steps a gradient scaler, or optax' `apply_if_finite`, declined twenty times or more, and never or in less than half of the cases took. Where the program makes a scaler anew at each
    step, so that the lowered scale is thrown away, it says so.

    ## Why it matters
    A skipped step is silent: the loop runs, the loss is printed, and no parameter moves.

    ## When it is fine
    The first few steps, in which the scaler halves its factor until the gradients fit, and one now and then afterwards.

    ## How sure
    Measured: the scaler's calls and the optimizer's updates were counted over the whole run.

    ## References
    PyTorch, `torch.amp.GradScaler`; "Automatic mixed precision examples"; optax, `apply_if_finite`.
    """
    yield from (_about(index, optimizer) for optimizer in index.record.optimizers if _skips(optimizer))


def _skips(optimizer: Optimizer) -> bool:
    tried = optimizer.skipped + optimizer.steps
    return optimizer.skipped >= IN_A_ROW and (optimizer.steps == 0 or optimizer.skipped > SHARE * tried)


def _about(index: Index, optimizer: Optimizer) -> Diagnosis:
    tried = optimizer.skipped + optimizer.steps
    held = {name for group in optimizer.groups for name in group.parameters}
    infinite = list(
        dict.fromkeys(p.name for step in index.steps for p in step.step.parameters if p.name in held and p.gradient == "non-finite")
    )
    seen = (
        [Evidence(f"gradients that are not finite were recorded for {listed(infinite)}", "parameters", len(infinite))] if infinite else []
    )
    share = optimizer.skipped / tried
    anew = set_at(index, optimizer, "scaler") if optimizer.scalers > 1 and optimizer.scalers >= tried * ANEW else None
    what = "made anew for each step, so that the scale it lowers is lost: it " if anew else ""
    return Diagnosis(
        "WG409",
        "skipped-steps",
        "warning",
        "measured",
        f"{idiom(index, 'who declines')} {'is ' if anew else ''}{what}skips {optimizer.skipped} of {tried} updates of `{optimizer.name}`",
        site=anew or optimizer.step_site or optimizer.site,
        label="a new scaler begins with the first scale again"
        if anew
        else "declines to step"
        if optimizer.step_site
        else "is hardly ever asked to step",
        related=places((optimizer.step_site if anew else None, "declines to step")),
        evidence=(
            Evidence(
                f"{plural(optimizer.skipped, 'step')} declined and {optimizer.steps} made: {percent(share)} of all are lost",
                "share_skipped",
                share,
            ),
            *seen,
        ),
        help="make the scaler once, before the loop"
        if anew
        else f"find what is not finite: run once in full precision; if the loss itself is finite, a smaller {idiom(index, 'first scale')} or a rate low enough for half precision helps",
        facts=frozenset(Fact("unmoved", name) for name in held) if not optimizer.steps else frozenset(),
        explains=frozenset(Fact("no-update", str(kind)) for kind in index.kinds) if not optimizer.steps else frozenset(),
        names=(optimizer.name,),
        remedy=made_once(anew, "the scaler"),
    )
