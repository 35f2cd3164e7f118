"""For WG309: memory that a jitted function of JAX's was allowed to write over, and that is read all the same."""

import re

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Remedy
from whygrad.flow import Index
from whygrad.flow.failures import Failure, consequences
from whygrad.ir import Site
from whygrad.rules.phrases import places
from whygrad.rules.remedies import remedy

DONATED = re.compile(
    r"Array has been deleted with shape=(?P<dtype>\w+)\[(?P<shape>[\d,]*)\]|(?P<twice>use a buffer that was previously donated in the same call)|[Bb]uffer has been deleted or donated"
)
_DTYPES = {"float": "f", "bfloat": "bf", "int": "i", "uint": "u", "complex": "c"}


def donated(index: Index, failure: Failure, match: "re.Match[str]") -> Diagnosis:
    """What is said, at the line that raised."""
    twice, what = bool(match["twice"]), _typed(match)
    return Diagnosis(
        "WG309",
        "inplace-overwrite",
        "error",
        "proved",
        "the same array is handed in twice, under one name to be written over (`donate_argnums`) and under another one to be read"
        if twice
        else f"{what} is read after a jitted function was allowed to write over its memory (`donate_argnums`)",
        site=failure.site,
        label="two of these arguments hold the same array" if twice else "reads an array that is no longer there",
        related=places((_updated(index), "new values are made here")) if not twice else (),
        evidence=(Evidence(f"JAX raised {failure.type} in step {index.record.outcome.steps_seen}", "exception"),),
        help="make a copy where the second name is given (`target = jax.tree.map(jnp.copy, params)`), or leave that argument out of `donate_argnums`"
        if twice
        else "read what the function has returned in its place, and keep it under the same name (`params = step(params, …)`); or leave the argument out of `donate_argnums`",
        explains=consequences(failure, failure.step),
        names=("donated",),
        remedy=_kept(failure.site),
    )


def _kept(site: Site | None) -> Remedy | None:
    """Nothing is written over: the only call of the file that allows it goes without."""
    if site is None:
        return None
    by_number, by_name = (Edit("argument", site, keyword=keyword, around="file") for keyword in ("donate_argnums", "donate_argnames"))
    changes = "the old values and the new ones are in memory side by side"
    return remedy("let the function write over none of its arguments", by_number, otherwise=(by_name,), changes=changes)


def _typed(match: "re.Match[str]") -> str:
    """The array's type, as reports write it."""
    if match["dtype"] is None:
        return "an array"
    kind = re.match(r"([a-z]+)(\d*)$", match["dtype"])
    short = f"{_DTYPES.get(kind[1], kind[1])}{kind[2]}" if kind is not None else match["dtype"]
    return f"an array ({short}[{match['shape']}])"


def _updated(index: Index) -> Site | None:
    """Where the last recorded update was calculated."""
    found = [event.site for step in index.steps for event in step.events("optimizer_step", "update") if event.site]
    return found[-1] if found else None
