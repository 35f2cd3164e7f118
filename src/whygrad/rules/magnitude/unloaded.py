"""The part of WG515 that tells of saved weights of which a model took none."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.ir import Loading
from whygrad.rules.phrases import plural


def unloaded(index: Index) -> Iterator[Diagnosis]:
    """What is said of each model that still has the values that it was made with."""
    for loading in index.record.loadings if index.steps else ():
        yield _about(index, loading)


def _about(index: Index, found: Loading) -> Diagnosis:
    still = [p for p in index.parameters.values() if not p.trainable and not p.loaded and p.reached]
    what = f"`{found.name}`" if found.name else "the model"
    evidence = [
        Evidence(
            f"{plural(found.given, 'tensor')} given, the first is `{found.first}`; of the {found.own} that {what} has the first is `{found.missed}`; no name is in both",
            "loaded",
            0,
        )
    ]
    if found.fitting:
        evidence.append(
            Evidence(f"{_how(found)}, {found.fitting} of {found.given} are of a name and a shape that {what} has", "fitting", found.fitting)
        )
    if still:
        evidence.append(
            Evidence(
                f"{plural(len(still), 'parameter')} that the forward reads {'is' if len(still) == 1 else 'are'} frozen at values that nothing was loaded into",
                "frozen",
                len(still),
            )
        )
    return Diagnosis(
        rule="WG515",
        name="uninitialised-parameter",
        severity="error" if still else "warning",
        confidence="proved",
        message=f"none of the {plural(found.given, 'tensor')} that are loaded here {'is' if found.given == 1 else 'are'} taken: {what} has other names, and keeps the values that it was made with",
        site=found.site,
        label="takes nothing, and is told not to mind",
        evidence=tuple(evidence),
        help=f"{_advice(found)}; and look at what `load_state_dict` returns: its `missing_keys` and `unexpected_keys` should hold only what you expect",
        facts=frozenset({Fact("unloaded", found.name)}),
        names=(found.name or "model",),
    )


def _how(found: Loading) -> str:
    """The renaming by which most would fit."""
    without = f"without `{found.strip}` in front" if found.strip else ""
    behind = f"with `{found.put}` in front" if found.put else ""
    return " and ".join(part for part in (without, behind) if part)


def _advice(found: Loading) -> str:
    """What to do to the names."""
    if not found.fitting:
        return "see which model these weights were saved from"
    if found.strip and not found.put:
        return f'take the beginning off: `{{name.removeprefix("{found.strip}"): value for name, value in state.items()}}`'
    new = f'"{found.put}" + name.removeprefix("{found.strip}")' if found.strip else f'"{found.put}" + name'
    return f"change the names: `{{{new}: value for name, value in state.items()}}`"
