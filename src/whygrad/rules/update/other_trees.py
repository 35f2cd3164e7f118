"""The part of WG402 that tells of an optax state that was made for another tree than the gradients have: the update raises."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index
from whygrad.flow.failures import Failure, consequences, matching
from whygrad.ir import Site
from whygrad.rules.phrases import places

TREES = re.compile(
    r"pytree structure error|(?:Dict key|Custom node type|Tuple arity|List arity|Node type|tree structure) mismatch", re.IGNORECASE
)
_UPDATES = ("update_fn", "apply_updates", "update")
"""What optax calls its functions that put gradients, states and parameters side by side."""


def other_trees(index: Index) -> Iterator[Diagnosis]:
    """One for each update that raised so."""
    for failure, _ in matching(index, TREES):
        if failure.site is not None and any("optax" in frame.file and frame.function.endswith(_UPDATES) for frame in failure.site.library):
            yield _told(index, failure, failure.site)


def _told(index: Index, failure: Failure, site: Site) -> Diagnosis:
    optimizer = index.record.optimizers[0] if len(index.record.optimizers) == 1 else None
    name = f"`{optimizer.name}`" if optimizer is not None else "the optimizer"
    lines = [line.strip() for line in failure.message.splitlines() if line.strip()]
    return Diagnosis(
        "WG402",
        "stale-optimizer",
        "error",
        "proved",
        f"{name} is handed a tree of another structure than its state was made for",
        site=site,
        label="gradients, state and parameters do not fit each other here",
        related=places((optimizer.site if optimizer is not None else None, "it is made here")),
        evidence=(Evidence(" ".join(lines)[:300], "exception"),),
        help="call `init` with the very tree that is differentiated and updated (`init(params)`, not a dictionary around it or a part of it), and call it again when the model changes",
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step is not None else 0,
        step=failure.step.step.index if failure.step is not None else None,
        names=(name,),
    )
