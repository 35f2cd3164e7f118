"""Which positions an attention is told of: from the mask that it reads back to the rows of ones and zeros that mark the words."""

from collections.abc import Iterator, Mapping

from whygrad.ir import Op, Value, family

MASK = 3
"""Place of the mask among what an attention is given, behind queries, keys and values."""
_BOTH = ("__and__", "logical_and", "bitwise_and", "and_", "__rand__")
_ROWS = 2


def marks(values: Mapping[str, Value], makers: Mapping[str, Op], attention: Op) -> Iterator[str]:
    """Values (rows, positions) that the mask of an attention keeps as it is: 1 where it may look. Nothing is followed that could turn them round."""
    waiting, seen = list(attention.inputs[MASK : MASK + 1]), set[str]()
    if not waiting or values[waiting[0]].dtype != "bool":  # timid: numbers that are added may be made of ones less the marks
        return
    while waiting:
        name = waiting.pop()
        op = makers.get(name)
        if name in seen:
            continue
        seen.add(name)
        if len(values[name].shape or ()) == _ROWS:
            yield name
        if op is None:
            continue
        if op.kind == "compare" and op.native.rsplit(".", 1)[-1] in _BOTH:
            waiting += op.inputs
        elif family(op.kind) in ("layout", "cast") or op.kind in ("index", "integer_cast"):
            waiting += op.inputs[:1]
