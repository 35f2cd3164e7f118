"""WG304: a parameter whose every path to the loss passes an op without a derivative."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.flow.cuts import Cut, cuts
from whygrad.flow.draws import Draw, draws
from whygrad.flow.makers import edited_at
from whygrad.idioms import idiom, spelled
from whygrad.ir import Lift, Op, family, passing
from whygrad.rules import rule
from whygrad.rules.graph.bent import bent
from whygrad.rules.graph.idle_terms import idle
from whygrad.rules.graph.reverse_loops import without_reverse
from whygrad.rules.graph.starvation import Words, applied, diagnosis, is_rounding, lifting, loss_name, them
from whygrad.rules.phrases import listed, plural
from whygrad.rules.remedies import remedy
from whygrad.rules.surrogates import softened

PICKS = (
    "use the scores themselves: a softmax weights what this would pick; `gumbel_softmax(hard=True)` picks one and lets the gradient pass"
)
CURES = {
    **dict.fromkeys(("argmax", "sort", "max", "min", "median"), PICKS),
    "compare": "compare for metrics alone; in the loss use the probability itself, or a smooth step such as `sigmoid((x - threshold) / width)`",
    "integer_cast": "keep the values floating up to the loss, and cast for metrics alone",
}


@rule("WG304", "non-differentiable-op", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Every path from trainable parameters to the loss passes an op whose derivative is zero or does not exist.

    ## What it finds
    Parameters that the loss was computed from and whose gradient is missing, or exactly zero, because each path passes argmax, rounding, a sign, a comparison, a
    cast to integers, one-hot rows, a draw, the indices of a sort, or a call that breaks the graph though none of this is asked of it.
    Also a draw between two sets of parameters, as in an autoencoder that draws its code by `torch.normal(mean, std)` or `sample()`: the encoder
    has a gradient from a penalty on the code, and none from what the decoder makes of it. A second derivative, as in a physics-informed net, of
    a net whose activations are all straight pieces such as ReLU: it is zero everywhere. In JAX, a `while_loop`, or a `fori_loop` whose bounds are no plain integers,
    which has no reverse mode. A term of the loss that trains nothing for this reason, such as an error rate beside a
    cross-entropy, is a warning.

    ## Why it matters
    Accuracy, error rate and thresholded overlap look like losses, and as numbers they are; but they are flat almost everywhere, so no small step of the parameters
    changes them. With `round` and `sign` backward even runs, and every gradient is 0.

    ## When it is fine
    Metrics that do not enter the loss; hard choices beside an open path: straight-through estimators, vector quantisation, hard attention, a mixture of experts
    weighted by its gate, REINFORCE. Where the parameters have such a path, this rule says nothing; of a draw only where its outcome meets its
    distribution nowhere but in the sum of the loss's terms.

    ## How sure
    Proved: a fact of the recorded graph and of the derivative of the op.

    ## References
    Bengio, Leonard, Courville 2013, "Estimating or propagating gradients through stochastic neurons"; Jang, Gu, Poole 2017, "Categorical reparameterization with
    Gumbel-softmax"; Williams 1992 (REINFORCE).
    """
    for cut in index.once(cuts):
        if cut.story == "decided":
            yield _spoken(index, cut)
    yield from idle(index, "decided", "WG304", "non-differentiable-op")
    yield from bent(index)
    yield from without_reverse(index)
    yield from (_drawn(index, draw) for draw in index.once(draws))


def _drawn(index: Index, draw: Draw) -> Diagnosis:
    """A draw that cuts one term of the loss off, while another one still trains the same parameters."""
    names = tuple(p.name for p in draw.behind)
    readers = listed(p.name for p in draw.readers)
    return Diagnosis(
        rule="WG304",
        name="non-differentiable-op",
        severity="warning",
        confidence="proved",
        message=f"the draw has no derivative: what the loss says of {readers} never reaches {listed(names)}",
        site=draw.op.site,
        label=f"no gradient passes back through `{spelled(draw.op)}`",
        evidence=(
            Evidence(
                f"{plural(len(names), 'parameter')} made this distribution and {'has' if len(names) == 1 else 'have'} a gradient from other terms of the loss alone"
            ),
        ),
        help=idiom(index, "reparameterise"),
        facts=frozenset(Fact("partial-gradient", name) for name in names),
        kind=draw.step.step.kind,
        step=draw.step.step.index,
        names=names,
    )


def _spoken(index: Index, cut: Cut) -> Diagnosis:
    op = cut.ops[0]
    words = Words(
        "WG304",
        "non-differentiable-op",
        f"{_fact(op)}, and every path to {loss_name(cut)} passes it",
        edited_at(cut.step, op),
        f"no gradient passes back through `{spelled(op)}`",
        _help(index, op, cut),
        related=applied(op),
        remedy=_remedy(cut) or softened(index, cut),
    )
    return diagnosis(index, cut, words, _lift(cut))


def _fact(op: Op) -> str:
    if passing(op.kind) == "zero":
        return f"the derivative of `{spelled(op)}` is zero everywhere"
    if passing(op.kind) == "cut":
        what = {"compare": "the comparison", "integer_cast": "the cast to integers", "sample": "the draw"}.get(op.kind, "")
        return f"{what or f'`{spelled(op)}`'} has no derivative"
    if op.kind in ("sort", "max", "min", "median"):
        return f"the indices that `{spelled(op)}` gives have no derivative"
    return f"`{spelled(op)}` gave no gradient history to its result"


def _lift(cut: Cut) -> Lift | None:
    """Only where the output may stand for the input is it worth trying to let the gradient straight through."""
    ops = (*cut.ops, *cut.others)
    return lifting(*ops, *(op for op in cut.chain if is_rounding(op))) if all(is_rounding(op) for op in ops) else None


def _help(index: Index, op: Op, cut: Cut) -> str:
    if family(op.kind) == "step":
        return idiom(index, "straight through", name=spelled(op), call=_call(op))
    if op.kind in _SPELT:
        return idiom(index, _SPELT[op.kind])
    return CURES.get(op.kind) or idiom(index, "keep history", name=spelled(op), them=them(cut))


def _call(op: Op) -> str:
    """The rounding of `z` as the user calls it: `tf.round(z)`."""
    module = {"tf": "tf.", "jax": "jnp."}.get(op.native.split(".")[0], "")
    return f"{module}{spelled(op)}(z)"


_SPELT = {"one_hot": "soft rows", "sample": "reparameterise"}
"""Cures that each framework's users write in their own way."""


def _remedy(cut: Cut) -> Remedy | None:
    """Without rounding, where that is all that cuts: the loss then reads the numbers from before."""
    lift, ops = _lift(cut), (*cut.ops, *cut.others)
    edits = [Edit("unwrap", op.site, calls=(spelled(op),)) if op.site else None for op in ops]
    changes = "the loss reads the numbers from before the rounding"
    return remedy(f"leave out `{spelled(cut.ops[0])}` while training", *edits, changes=changes, proof=lift) if lift else None
