"""The part of WG415 about new weights that are put into the dictionary which `state_dict()` returned, and never loaded."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.ir import Site
from whygrad.rules.remedies import remedy

_ENTRY = re.compile(r"\s*([A-Za-z_]\w*)\[[^=]*\]\s*[-+*/]?=(?!=)")
"""An entry of a dictionary that is assigned."""


def edited_states(index: Index) -> Iterator[Diagnosis]:
    """One for each place where such a dictionary is written to, over and over."""
    for found in index.record.origins if index.steps else ():
        if found.setting == "edited state" and found.site is not None:
            name = found.values[0] if found.values else "the model"
            yield Diagnosis(
                rule="WG415",
                name="updated-copy",
                severity="error",
                confidence="proved",
                message=f"new weights go into the dictionary that `state_dict()` returned, and are never loaded: `{name}` stays as it was",
                site=found.site,
                label="changes an entry of a dictionary, and no parameter",
                evidence=(
                    Evidence(f"no parameter of `{name}` has been written to since its state was taken first"),
                    Evidence("the function does nothing with the dictionary but write to it"),
                ),
                help=f"load it afterwards, `{name}.load_state_dict(…)`, or change the parameters themselves under `torch.no_grad()`",
                facts=frozenset({Fact("unmoved", name)}),
                step=None,
                names=(name,),
                remedy=_loaded(name, found.site) if found.values else None,
            )


def _loaded(name: str, site: Site) -> Remedy | None:
    """The dictionary loaded, once it is written: behind the loop over its entries, or behind the only one that is."""
    entry = _ENTRY.match(site.text)
    text = f"{name}.load_state_dict({entry[1]})" if entry is not None else ""
    return (
        remedy("load what was written", Edit("insert", site, text, around="loop"), otherwise=(Edit("insert", site, text),))
        if text
        else None
    )
