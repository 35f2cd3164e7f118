"""WG301: a parameter whose every path to the loss is cut on request."""

from collections.abc import Iterator
from dataclasses import replace

from whygrad.diagnosis import Diagnosis, Edit, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.cuts import Cut, cuts
from whygrad.flow.makers import edited_at
from whygrad.idioms import idiom, speaks_torch, spelled
from whygrad.ir import Op, family
from whygrad.rules import rule
from whygrad.rules.graph.idle_terms import idle
from whygrad.rules.graph.starvation import Words, applied, diagnosis, lifting, loss_name, them
from whygrad.rules.remedies import remedy

_ASSIGN = "assign"
"""TensorFlow: a variable takes the numbers of a tensor, without their history."""
_WRAP = "torch.nn.Parameter"
"""A value that other parameters made becomes a parameter itself."""
_HANDED = "handed"
"""A parameter takes the numbers of a value that other parameters made: by `.data`, or by `copy_`."""


@rule("WG301", "detached", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Trainable parameters shape the loss, but every path from them is cut on request: `detach`, `.data`, `stop_gradient`.

    ## What it finds
    Parameters that an optimizer holds, that the loss was computed from, and that get no gradient in any recorded step, because each path from them to the
    loss passes a `detach`. All parameters behind one such line are one diagnosis. Computed
    weights that `nn.Parameter` makes a new leaf of, as in a hypernetwork, or that a parameter is given by `.data =` or `copy_`; in TensorFlow, those that a variable takes by `assign`. A term of the loss that trains nothing since all of it is cut, beside others that do, is a warning;
    so is one made of derivatives that `torch.autograd.grad` took without `create_graph=True`.

    ## Why it matters
    The optimizer never moves these parameters. The layers after the cut still learn, so the loss falls and nothing looks out of order; or nothing is left
    to differentiate, and backward raises `element 0 of tensors does not require grad`, at another line. Setting `requires_grad` on the loss only
    hides that exception.

    ## When it is fine
    A frozen backbone, a moving-average teacher, a target network, a stop-gradient branch beside an open one, and the discriminator's step of a GAN are cut on
    purpose. Parameters that no optimizer holds, that are frozen, or that get a gradient on another path or in another step are left alone; so is a term that is stopped as a whole,
    or zero, and a stopped share of a value that trains by its other share. To train a probe on
    features that stay as they are, freeze the encoder with `requires_grad_(False)` and hand the optimizer the probe alone.

    ## How sure
    Proved: the recorded graph has no open path, and the framework left no gradient. Where the step could be replayed with the cut open, the gradient that the
    parameters then get is shown as well.

    ## References
    PyTorch, `torch.Tensor.detach`, and "Locally disabling gradient computation"; TensorFlow, `tf.stop_gradient`; JAX, `jax.lax.stop_gradient`.
    """
    for cut in index.once(cuts):
        if cut.story == "detached":
            yield _spoken(index, cut)
    yield from idle(index, "detached", "WG301", "detached")
    yield from idle(index, "graphless", "WG301", "detached")


def _spoken(index: Index, cut: Cut) -> Diagnosis:
    op = _named(cut)
    words = Words(
        "WG301",
        "detached",
        _what(cut),
        edited_at(cut.step, op),
        f"every path from {'these parameters' if len(cut.starved) > 1 else f'`{cut.starved[0].name}`'} to {loss_name(cut)} passes here",
        _help(index, cut),
        related=applied(op),
        remedy=None if _shared(index, cut) else _remedy(cut),
    )
    found = diagnosis(
        index, cut, words, lifting(*cut.ops, *(op for op in (*cut.chain, *cut.others) if op.kind == "detach"), *_rounding(cut))
    )
    return replace(found, explains=found.explains | _strays(cut)) if _takes_over(op) else found


def _named(cut: Cut) -> Op:
    """The op to name; of several on one line, the one by which a parameter takes what was computed."""
    return next((op for op in cut.ops if _HANDED in op.attributes), cut.ops[0])


def _what(cut: Cut) -> str:
    op = _named(cut)
    if _HANDED not in op.attributes:
        return f"`{spelled(op)}` cuts {them(cut)} off from {loss_name(cut)}"
    owner = next((p.name for p in cut.step.step.parameters if p.value in op.outputs), "a parameter")
    return f"`{owner}` takes the numbers of what was computed from {them(cut)}, and none of its history"


def _takes_over(op: Op) -> bool:
    return op.native == _WRAP or _HANDED in op.attributes


def _strays(cut: Cut) -> frozenset[Fact]:
    """Parameters that are made of computed values are ones that no model and no optimizer knows, or need to know."""
    made = {name for op in cut.step.graph.ops if _takes_over(op) for name in op.outputs}
    facts = ("unregistered", "unmoved", "unheld")
    return frozenset(Fact(what, p.name) for p in cut.step.step.parameters if p.value in made for what in facts)


def _help(index: Index, cut: Cut) -> str:
    op = _named(cut)
    name = spelled(op)
    if _HANDED in op.attributes:
        return "use the computed value itself where the layer computes, as a plain tensor: `torch.func.functional_call(model, {name: value}, inputs)`; a parameter holds numbers alone"
    if op.native == _WRAP:
        return "use the computed value itself, as a plain tensor: `nn.Parameter` makes a new leaf, which knows nothing of what it was computed from"
    if op.native == _ASSIGN:
        return "use the computed tensor itself where the variable is read: a variable holds numbers alone, and none of their history"
    written = "`.data`" if name == "data" else idiom(index, "stop gradient", name=name)
    if any(family(op.kind) in ("step", "decision", "cast") for op in cut.inner):
        return idiom(index, "residue")
    if _shared(index, cut):
        return f"leave out {written} here, and put it where a loss reads the value that is not to train {them(cut)}: each of two losses runs a backward of its own, and what both go through is gone after the first"
    whose = f"`{cut.starved[0].name}`" if len(cut.starved) == 1 else "these parameters"
    they = "it is" if len(cut.starved) == 1 else "they are"
    return f"remove {written}; if {whose} should stay as {they}, {idiom(index, 'freeze', them=them(cut))}"


def _shared(index: Index, cut: Cut) -> bool:
    """Another backward reads what the cut hands on, as those of a GAN do: without the cut it would find a graph that the first one has used up."""
    outputs = [name for op in cut.ops for name in op.outputs]
    later = [step for step in index.steps if step is not cut.step]
    return speaks_torch(index) and any(name in step.shapes_loss for step in later for name in outputs)


def _remedy(cut: Cut) -> Remedy | None:
    """Without the calls that cut, all those on the way to the loss; around the difference alone where a straight-through estimator is stopped as a whole, none where they are a part of one."""
    if _is_estimator(cut.step, cut.ops[0]) and cut.ops[0].site is not None:
        return remedy("stop the difference alone", Edit("narrow", cut.ops[0].site, calls=("detach", "stop_gradient")))
    ops = (*cut.ops, *(op for op in (*cut.chain, *(op for op in cut.others if not _is_target(cut.step, op))) if op.kind == "detach"))
    if cut.inner or any(op.kind != "detach" or op.native == _ASSIGN or _HANDED in op.attributes or _hands_on(cut.step, op) for op in ops):
        return None
    sites = dict.fromkeys((op.site, spelled(op)) for op in ops)
    edits = [Edit("unwrap", site, calls=(name, "Parameter", "detach", "data", "stop_gradient")) if site else None for site, name in sites]
    return remedy(f"leave out `{spelled(ops[0])}`", *edits, proof=lifting(*ops))


def _rounding(cut: Cut) -> tuple[Op, ...]:
    """What a straight-through estimator rounds: with the residue alone stopped, the gradient of the sum passes it as it is."""
    if not _is_estimator(cut.step, cut.ops[0]):
        return ()
    above = cut.step.upstream(cut.ops[0].inputs[0])
    stopped = {name for op in cut.ops for name in op.outputs}
    near = (op for op in cut.step.graph.ops if not above.isdisjoint(op.outputs) and stopped.isdisjoint(op.outputs))
    return tuple(op for op in near if family(op.kind) == "step" and not cut.step.depends_on_parameters.isdisjoint(op.inputs))


def _is_estimator(step: StepIndex, op: Op) -> bool:
    """What is stopped is `a + (b - a)`."""
    made = step.producer.get(op.inputs[0]) if op.inputs and op.kind == "detach" else None
    if made is None or made[1].kind != "add" or len(made[1].inputs) != 2:  # noqa: PLR2004 - two operands
        return False
    differences = [(other, step.producer[name][1]) for name, other in (made[1].inputs, made[1].inputs[::-1]) if name in step.producer]
    return any(op.kind == "sub" and op.inputs[1:] == (other,) for other, op in differences)


def _is_target(step: StepIndex, op: Op) -> bool:
    """What is stopped is compared with something that is trained, as the codes of a codebook are with what they stand for: it was stopped on purpose."""
    trained, stopped = step.gets_gradient & step.depends_on_parameters, {*op.outputs}
    readers = [reader for name in stopped for reader in step.consumers.get(name, ())]
    compared = [reader for reader in readers if reader.kind == "sub" or family(reader.kind) == "loss"]
    return bool(compared) and all(not trained.isdisjoint({*reader.inputs} - stopped) for reader in compared)


def _hands_on(step: StepIndex, op: Op) -> bool:
    """`a + stop_gradient(b - a)`: the value of the one and the gradient of the other, whichever of them was meant to have it."""
    made = step.producer.get(op.inputs[0]) if op.inputs else None
    if made is None or made[1].kind != "sub":
        return False
    readers = [reader for name in op.outputs for reader in step.consumers.get(name, ())]
    return any(reader.kind == "add" and not set(reader.inputs).isdisjoint(made[1].inputs) for reader in readers)
