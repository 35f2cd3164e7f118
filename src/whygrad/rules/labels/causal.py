"""What hides later positions from earlier ones, where an attention is called or written out: the edits of WG111."""

import re

from whygrad.diagnosis import Edit, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Site, Value
from whygrad.rules.remedies import operand, remedy, setting

HIDING = "let each position see itself and earlier ones alone"
_SHIFTED = re.compile(r"\btril\(.*(?:\b(diagonal|k)\s*=\s*|,\s*)[1-9]\d*\)")
"""A lower triangle that begins above the diagonal; the name of the argument, where it is written."""
_CAUSAL = ("scaled_dot_product_attention", "dot_product_attention")
"""Functions of an attention that take `is_causal`."""
_STACKS = {"TransformerEncoderLayer": ("src_mask", "mask"), "TransformerDecoderLayer": ("tgt_mask", "tgt_mask")}
"""Layers of PyTorch's, what they call their mask, and what a stack of them does."""
_FLAX = re.compile(r"(MultiHead\w*|SelfAttention)\.__call__")


def hiding(index: Index, step: StepIndex, leak: Op | None, sequence: Value, mask: Value | None, softmax: Op | None) -> Remedy | None:
    """A causal mask where there is none, or one that begins a position later; None where the way to it is not known."""
    if leak is None:
        return None
    shifted = _on_the_diagonal(step, mask) if mask is not None else None
    if shifted is not None:
        return remedy("let the mask begin at the diagonal", shifted)
    # a mask of which nobody saw how it was made stays, and a second one hides what it does not
    if softmax is not None:
        return remedy(HIDING, operand(softmax, step.value(softmax.inputs[0]), spelling(index, "causal scores")))
    return remedy(HIDING, _told(step, leak, sequence)) if mask is None else None


def _on_the_diagonal(step: StepIndex, mask: Value) -> Edit | None:
    """The shift of a triangle left out."""
    site = step.producer[mask.name][1].site if mask.name in step.producer else None
    found = _SHIFTED.search(site.text) if site is not None else None
    if found is None:
        return None
    return setting(site, found[1] or "", "" if found[1] else "0", calls=("tril",), position=None if found[1] else 1)


def _told(step: StepIndex, leak: Op, sequence: Value) -> Edit | None:
    """The argument of the library's attention that says so, at the call that the program makes."""
    site = leak.site
    if site is None:
        return None
    native = leak.native.rsplit(".", 1)[-1]
    if native in _CAUSAL and any(f"{name}(" in site.text for name in _CAUSAL):
        return setting(site, "is_causal", "True", calls=_CAUSAL)
    called = _called(step, leak, sequence)
    return _of_torch(step, leak, site, called) or _of_flax(site, called) or _of_keras(site)


def _called(step: StepIndex, leak: Op, sequence: Value) -> str:
    """The name that the function of the call has for the sequence, where that is an argument of its own; "" else."""
    arguments = step.step.scopes[leak.scope].arguments if leak.scope is not None and leak.scope < len(step.step.scopes) else {}
    return next((name for name, value in arguments.items() if value == sequence.name), "")


def _of_torch(step: StepIndex, leak: Op, site: Site, called: str) -> Edit | None:
    if not any(_multihead(frame.function) for frame in site.library):
        return None
    keyword, argument = _place(leak.module, [frame.function.partition(".")[0] for frame in site.library])
    given = called or f"{{{argument}}}"
    size = f"{given}.size({1 if _turned(step, leak) else 0})"
    return setting(site, keyword, f"torch.nn.Transformer.generate_square_subsequent_mask({size}, device={given}.device)")


def _multihead(function: str) -> bool:
    return function == "MultiheadAttention.forward"


def _place(module: str, names: list[str]) -> tuple[str, int]:
    """What the called module names its mask, and which of its arguments the sequence is."""
    stack = next((name for name in _STACKS if name in names), None)
    if stack is None:
        return "attn_mask", 0
    if ".decoder.layers." in f".{module}":
        return "tgt_mask", 1
    alone, stacked = _STACKS[stack]
    return (stacked if ".layers." in f".{module}" else alone), 0


def _turned(step: StepIndex, leak: Op) -> bool:
    """The library itself brings the positions to the front, as it does with `batch_first`."""
    return any(
        op.kind == "transpose" and op.site is not None and op.site.library and _multihead(op.site.library[-1].function)
        for op in step.graph.ops
        if op.module == leak.module
    )


def _of_flax(site: Site, called: str) -> Edit | None:
    frame = next((f for f in site.library if "/flax/" in f.file and _FLAX.fullmatch(f.function)), None)
    if frame is None:
        return None
    library = "flax.nnx" if "/nnx/" in frame.file else "flax.linen"
    return setting(site, "mask", f"{library}.make_causal_mask({called or '{0}[..., 0]'})")


def _of_keras(site: Site) -> Edit | None:
    known = any("/keras/" in f.file and f.function == "MultiHeadAttention.call" for f in site.library)
    # timid: where the layer is made on the line of its call, the argument could go to either
    return setting(site, "use_causal_mask", "True") if known and "MultiHeadAttention(" not in site.text else None
