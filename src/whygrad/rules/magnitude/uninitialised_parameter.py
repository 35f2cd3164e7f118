"""WG515: parameters whose memory was never written to, or is initialised over what was learnt."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.ir import Parameter, Site
from whygrad.rules import rule
from whygrad.rules.magnitude.redrawn import redrawn
from whygrad.rules.magnitude.unloaded import unloaded
from whygrad.rules.phrases import listed, plural


@rule("WG515", "uninitialised-parameter", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Parameters hold whatever was in memory: their storage was reserved and nothing was ever written to it.

    ## What it finds
    Parameters made by `torch.empty` or its relatives that the forward reads in the first recorded step although no call has written to
    them: a forgotten `reset_parameters`, a model taken off the meta device and never filled. And saved weights of which a model took none, as their names begin with
    something else, where `strict=False` let that pass. And parameters that `torch.nn.init` fills anew again and again between updates, while the loss stands still. And a model that is given
    the weights from before its first update again and again, where the program ends with them or the loss stands still: a helper that goes back to the best weights and never finds better ones, a checkpoint that is read in every epoch.

    ## Why it matters
    The values are zeros on one machine and 1e38 or NaN on another. Zeros start symmetric, huge ones give NaN, and the next run differs.

    ## When it is fine
    Parameters that are filled by an initialisation, a copy or a checkpoint after `torch.empty` have been written to. Saved weights of which the model takes a part, with a new head
    or without an old one, are what `strict=False` is for. A search for a rate or a check that puts the weights back once; folds that begin with the same weights and learn; a return to better weights than those of the start.

    ## How sure
    Proved: what `load_state_dict` returned was looked at; every call since the start of the program was followed, and the tensor's own counter of writes stands at 0.

    ## References
    PyTorch, `torch.empty`, `torch.nn.init`, `torch.nn.utils.skip_init`.
    """
    found = {p.name: p for step in index.steps[:1] for p in step.step.parameters if p.unwritten and p.reached and not p.loaded}
    if found:
        yield diagnosis(index, list(found.values()))
    yield from unloaded(index)
    yield from redrawn(index)


def diagnosis(index: Index, found: list[Parameter]) -> Diagnosis:
    """What is said, where the first of them is made."""
    first = found[0]
    names = [parameter.name for parameter in found]
    return Diagnosis(
        rule="WG515",
        name="uninitialised-parameter",
        severity="error",
        confidence="proved",
        message=f"{listed(names)} {'was' if len(names) == 1 else 'were'} never initialised: memory was reserved and nothing written to it",
        site=_place(first.site),
        label="made here, and never written to",
        evidence=(Evidence(f"{plural(len(names), 'parameter')} without a write before the first forward", "parameters", len(names)),),
        help=f"initialise it, for instance by `torch.nn.init.xavier_uniform_({names[0]})`, or make it by `torch.zeros` or `torch.randn`",
        facts=frozenset(Fact("unwritten", name) for name in names),
        explains=frozenset(
            {
                *(Fact("non-finite", p.value) for p in found),
                *(Fact("non-finite", name) for s in index.steps for name in s.values),
                *(Fact("symmetric", name) for name in names),
            }
        ),
        names=tuple(names[:1]),
    )


def _place(site: Site | None) -> Site | None:
    """Where it was made; for one that is known by its module's constructor alone, where the module was made."""
    return site.caller() if site is not None and "super().__init__" in site.text and site.callers else site
