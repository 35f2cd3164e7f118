"""WG703: an adapter that does not learn."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.idioms import idiom, speaks_torch
from whygrad.ir import Parameter, Site
from whygrad.rules import rule
from whygrad.rules.phrases import listed, plural

ADAPTER = re.compile(
    r"(^|/)lora_(kernel|embeddings)_[ab]$|(^|\.|\[')lora_[ab]('\]|$)|(^|\.)(lora_(A|B|embedding_A|embedding_B|magnitude_vector)|ia3_l|hada_w\w+|oft_\w+|boft_\w+|vera_\w+|prompt_encoder|prompt_embeddings|adapter\w*)(\.|$)"
)
"""Parameters of adapters, by the names that adapter libraries give them."""


@rule("WG703", "adapter-not-trainable", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Adapters are attached to the model, and none of them learns: all frozen, switched off, or not part of the forward.

    ## What it finds
    Models with adapter parameters (LoRA, IA3, prompts; Keras' `enable_lora`) all of which are frozen while nothing else is trained, and adapters that an optimizer holds and that no forward reads in the whole run.

    ## Why it matters
    An adapter that was loaded for inference is frozen; one that is disabled or merged is passed by. Either backward is refused, or everything runs and nothing changes.

    ## When it is fine
    Frozen adapters beside other parameters that are trained; one active adapter among several. In a fresh LoRA adapter the gradient of A is zero at first, because B starts at zero.

    ## How sure
    Proved by the parameters' state and by what the recorded forwards read.

    ## References
    PEFT, `PeftModel.from_pretrained(…, is_trainable=True)`, `set_adapter`, `disable_adapter`.
    """
    adapters = [p for p in index.parameters.values() if ADAPTER.search(p.name)]
    if not adapters or not any(step.step.differentiated or step.graph.ops for step in index.steps):
        return
    if not any(p.trainable for p in index.parameters.values()):
        yield _frozen(index, adapters)
    elif _passed_by(index, adapters):
        yield _unread(index, adapters)


def _passed_by(index: Index, adapters: list[Parameter]) -> bool:
    """All adapters are trainable in name, and no forward read one or gave it a gradient."""
    endings = index.record.endings
    fed = {p.name for step in index.steps for p in step.step.parameters if p.gradient not in ("none", "zero")}
    # JAX fills in zeros for what the forward never reads
    filled = {p.name for step in index.steps for p in step.step.parameters if p.gradient == "zero"}
    untouched = all(p.name not in index.reached and p.name not in fed for p in adapters)
    later = any(
        p.name in endings and (endings[p.name].changed or (endings[p.name].gradient_seen and p.name not in filled)) for p in adapters
    )
    return (
        untouched and not later and any(p.optimizer or p.name in index.held for p in adapters) and all(p.name in endings for p in adapters)
    )


def _facts(adapters: list[Parameter]) -> frozenset[Fact]:
    return frozenset(Fact(what, p.name) for p in adapters for what in ("no-gradient", "unmoved", "unused"))


def _frozen(index: Index, adapters: list[Parameter]) -> Diagnosis:
    everything = list(index.parameters.values())
    frozen = _freezing(index, adapters)
    raised = index.record.outcome.exception
    facts = _facts(everything) | {Fact(what, str(kind)) for kind in index.kinds for what in ("constant-loss", "insensitive", "no-update")}
    return Diagnosis(
        "WG703",
        "adapter-not-trainable",
        "error",
        "proved",
        f"the adapters are frozen, and so is all else: {plural(len(adapters), 'adapter parameter')} of {len(everything)} parameters, none trainable",
        site=frozen or _place(index, adapters),
        label="freezes the adapters too" if frozen else "the adapters are made here" if _made(adapters) else "this optimizer is given them",
        evidence=(
            Evidence(f"{listed(p.name for p in adapters)} have {idiom(index, 'no gradient wanted')}", "trainable_parameters", 0),
            *(
                (Evidence(f"the program stopped with {raised.type}: {raised.message.splitlines()[0][:160] if raised.message else ''}"),)
                if raised
                else ()
            ),
        ),
        help=idiom(index, "train adapters"),
        explains=facts | ({Fact("exception", raised.type)} if raised else set()),
        names=tuple(p.name for p in adapters),
    )


def _freezing(index: Index, adapters: list[Parameter]) -> Site | None:
    """The line that froze the adapters, where it was seen."""
    names = {p.name for p in adapters}
    events = [event for step in index.steps for event in step.events("freeze") if not names.isdisjoint(event.targets)]
    return next((event.site for event in events if event.site is not None), None)


def _unread(index: Index, adapters: list[Parameter]) -> Diagnosis:
    return Diagnosis(
        "WG703",
        "adapter-not-trainable",
        "error",
        "proved",
        f"the forward passes the adapters by: none of {plural(len(adapters), 'adapter parameter')} is ever read",
        site=_place(index, adapters),
        label="holds adapters that no forward reads",
        evidence=(
            Evidence(f"{listed(p.name for p in adapters)}: read by no op of any recorded step", "adapters_read", 0),
            Evidence("no gradient, and the same values at the end of the run as at the first recorded step"),
        ),
        help="enable the adapter (`set_adapter`, no `disable_adapter` around the training), call the wrapped model, and don't merge before training"
        if speaks_torch(index)
        else "call the adapter in the model's forward, and add what it gives to what the frozen layer gives",
        facts=frozenset(Fact("unused", p.name) for p in adapters),
        explains=_facts(adapters) | _alone(index, adapters),
        names=tuple(p.name for p in adapters),
    )


def _alone(index: Index, adapters: list[Parameter]) -> frozenset[Fact]:
    """Where nothing but adapters is trained, the loss stands still for want of them."""
    names = {p.name for p in adapters}
    if any(p.trainable and p.name not in names for p in index.parameters.values()):
        return frozenset()
    return frozenset(Fact(what, str(kind)) for kind in index.kinds for what in ("constant-loss", "insensitive", "no-update"))


def _made(adapters: list[Parameter]) -> Site | None:
    return next((p.site for p in adapters if p.site), None)


def _place(index: Index, adapters: list[Parameter]) -> Site | None:
    """Where the adapters were made, else the optimizer over them."""
    return _made(adapters) or next((o.site for o in index.record.optimizers if o.site), None)
