"""Where a loader's sampler is made that has too few weights."""

import ast
from collections.abc import Iterator
from dataclasses import replace

from whygrad.frontends.origins.program import Program, Spot, last_name
from whygrad.frontends.origins.trails import Trail
from whygrad.ir import Batches, Origin, Record

WEIGHTED = "WeightedRandomSampler"


def of_samplers(program: Program, record: Record) -> Iterator[Origin]:
    """The call that gives a sampler its weights, where it has none for most rows."""
    for batches in record.batches:
        at = _made(program, batches) if batches.drawable is not None else None
        if at is not None:
            yield Origin(batches.values, setting="weights", site=program.site(at))


def _made(program: Program, batches: Batches) -> Spot | None:
    """The sampler's call, followed back from what the loader's is given."""
    call = program.call_at(batches.site) if batches.site is not None else None
    given = [item.value for item in call.node.keywords if item.arg == "sampler"] if call and isinstance(call.node, ast.Call) else []
    for at, _ in Trail(program).steps(replace(call, node=given[0])) if call is not None and given else ():
        if isinstance(at.node, ast.Call) and last_name(at.node.func) == WEIGHTED:
            return at
    return None
