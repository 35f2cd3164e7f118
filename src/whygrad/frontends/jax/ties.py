"""Leaves of a tree that begin as one array and are trained as two: an embedding that was to be the output layer as well."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from whygrad.frontends.jax.assembly import digest
from whygrad.frontends.jax.evaluation import deleted
from whygrad.ir import Event, Graph, Site, family

_LOOKUPS = frozenset(("embedding", "index", "gather"))
_PRODUCTS = frozenset(("matmul", "linear"))


class Ties:
    """Pairs of parameters that a recorded step found equal."""

    def __init__(self) -> None:
        self.pairs: set[tuple[str, str]] = set()

    def events(
        self, graph: Graph, values: Mapping[str, str], arrays: Mapping[str, Any], sites: Mapping[str, Site | None]
    ) -> Iterator[Event]:
        """Pairs that were equal in an earlier step and differ in this one. `values` gives each parameter's value in the graph."""
        contents = {name: digest(item) for name, item in arrays.items() if np.ndim(item) > 1 and not deleted(item) and _varies(item)}
        for pair in [pair for pair in self.pairs if all(name in contents for name in pair)]:
            if contents[pair[0]] != contents[pair[1]]:
                self.pairs.discard(pair)
                yield Event("untie", 0, pair, sites.get(pair[0]))
        for one, other in combinations(contents, 2):
            # timid: two networks may well begin alike; one matrix for two purposes was meant to stay one
            if contents[one] == contents[other] and _two_purposes(graph, {values[one], values[other]}):
                self.pairs.add((one, other))


def _two_purposes(graph: Graph, names: set[str]) -> bool:
    """Rows are looked up in it, and it is multiplied with."""
    found = set(names)
    kinds = set()
    for op in graph.ops:
        read = [name for name in op.inputs if name in found]
        if read and family(op.kind) in ("layout", "cast") and op.kind not in _LOOKUPS:
            found.update(op.outputs)
        # what is looked up by is an input beside the table
        kinds.update(
            {"lookup"} if read and op.kind in _LOOKUPS and len(op.inputs) > 1 else {"product"} if read and op.kind in _PRODUCTS else set()
        )
    return len(kinds) > 1


def _varies(item: Any) -> bool:
    found = np.asarray(item)
    return bool(found.size) and bool((found != found.flat[0]).any())
