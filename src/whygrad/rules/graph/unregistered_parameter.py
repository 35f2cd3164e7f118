"""WG307: a parameter that takes part but that the model does not know."""

import re
from collections.abc import Iterator, Sequence

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Related, Remedy
from whygrad.flow import Index
from whygrad.flow.origins import called_in
from whygrad.flow.starved import shaping
from whygrad.idioms import idiom, speaks, speaks_torch
from whygrad.ir import Parameter, Site
from whygrad.rules import rule
from whygrad.rules.graph.computed_once import asked_of_result, computed_once
from whygrad.rules.graph.plain_weights import plain_weights
from whygrad.rules.graph.stopped_without import refused_parameters
from whygrad.rules.phrases import listed, plural
from whygrad.rules.remedies import remedy
from whygrad.rules.statements import bound

_WORDS = re.compile(r"[A-Za-z_]\w*")
"""Words of a name such as `self.encoders`."""
_OWN = re.compile(r"\bself\.\w+\s*=\s*(\w+\.)*Parameter\(")
"""A parameter of PyTorch's own as an attribute."""
_NUMBERED = re.compile(r" \(\d+\)$")
_ENTRY = re.compile(r"^(\[.*\]|\d+)$")


@rule("WG307", "unregistered-parameter", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Parameters take part in the forward, but the model does not know them, so no optimizer gets them.

    ## What it finds
    Trainable parameters that the loss was computed from, that `model.parameters()` does not list, and that no optimizer holds while it holds the ones that are listed: layers in a
    plain list, dict or tuple, Keras layers that only a function inside a `Lambda` knows, `nn.Parameter(...)` that went through `.to()`, `.cuda()` or arithmetic and is a plain tensor since, a tensor made outside
    the model, a layer made anew in each forward.

    In TensorFlow also weights that a layer keeps as plain tensors: numbers drawn in `__init__` or `build` that it multiplies with, beside zeros that it adds.
    In PyTorch also what a model computes once, when it is made, of a tensor that asks for a gradient: `self.factors = torch.randn(n, requires_grad=True) * 0.3`; without an optimizer, where the program stops because the `.grad` of such a result is None.

    Also a program that stopped because its optimizer was given nothing, or a tensor that is the result of a calculation.

    ## Why it matters
    They get a gradient that nobody applies, keep their random values, do not move with `model.to(device)`, and are missing from `state_dict()`. The rest of the model
    learns around them, so the loss falls.

    ## When it is fine
    Tensors that are handed to an optimizer of their own or updated by hand.

    ## How sure
    Proved: the record lists what the model and each optimizer hold.

    ## References
    PyTorch, `torch.nn.ModuleList`, `torch.nn.ModuleDict`, `torch.nn.Parameter`; Keras, "Making new layers and models via subclassing", `Layer.add_weight`.
    """
    yield from refused_parameters(index)
    yield from plain_weights(index)
    yield from computed_once(index)
    yield from asked_of_result(index)
    # timid: what JAX differentiates by beside a model's tree are data, which are moved to look for the worst of them
    if {framework.name for framework in index.record.frameworks} == {"jax"} or not _trains_registered(index):
        return
    groups: dict[str, list[Parameter]] = {}
    for parameter in index.parameters.values():
        if _forgotten(index, parameter):
            groups.setdefault(attribute(_known_as(parameter)), []).append(parameter)
    for name, members in groups.items():
        yield _about(index, name, members)


def attribute(name: str) -> str:
    """The attribute that holds a parameter: `encoder.hidden` for `encoder.hidden[0].weight`, `head` for `head.weight`."""
    parts = [part for part in re.split(r"\.|(\[[^\]]*\])", name) if part]
    entry = next((at for at, part in enumerate(parts) if at and _ENTRY.match(part)), None)
    kept = parts[:entry] if entry is not None else parts[:-1] or parts
    return ".".join(kept)


def _known_as(parameter: Parameter) -> str:
    """Its name; where no name leads to it, that of the variable which the line that made it assigns to."""
    name = _NUMBERED.sub("", parameter.name)
    assigned = bound(parameter.site).removeprefix("self.")
    kind = parameter.owner.rpartition(".")[2]
    if "/" in name and parameter.owner.startswith("keras."):
        layer, _, weight = name.rpartition("/")
        return f"{assigned or layer}.{weight}"
    if not assigned or (_OWN.search(parameter.site.text if parameter.site else "") and name.endswith(f"].{assigned}")):
        return assigned or name  # a layer of Keras' keeps the others in a list that nobody wrote
    if " " in name:
        return assigned
    return assigned + name.removeprefix(kind) if kind and name.startswith(f"{kind}.") else name


def _trains_registered(index: Index) -> bool:
    """Something that a model knows is trained here: by an optimizer, or by hand."""
    registered = {p.name for p in index.parameters.values() if p.registered and p.trainable}
    return bool(registered & index.held) or (not index.record.optimizers and bool(registered))


def _forgotten(index: Index, parameter: Parameter) -> bool:
    name = parameter.name
    if parameter.registered or not parameter.trainable or parameter.optimizer or name in index.held or _by_hand(index, name):
        return False
    # timid: an exact copy of other parameters is a teacher that is meant to stand outside
    return not parameter.loaded and _takes_part(index, name)


def _takes_part(index: Index, name: str) -> bool:
    """The loss was computed from it, or it got a gradient. Members of an ensemble are read as well, to be stacked, and what is stacked is trained."""
    return name in index.with_gradient or name in index.once(shaping)


def _by_hand(index: Index, name: str) -> bool:
    """The program updates it itself."""
    if name in index.once(_updated_by_hand):
        return True
    ending = index.record.endings.get(name)
    return ending is not None and ending.changed


def _updated_by_hand(index: Index) -> frozenset[str]:
    return frozenset(name for step in index.steps for event in step.events("update") for name in event.targets)


def _about(index: Index, name: str, members: Sequence[Parameter]) -> Diagnosis:
    names = tuple(p.name for p in members)
    known = tuple(dict.fromkeys(_known_as(p) for p in members))
    whose = f"its {len(known)} parameters are" if len(known) > 1 else "it is"
    return Diagnosis(
        "WG307",
        "unregistered-parameter",
        "error",
        "proved",
        f"`{name}` is unknown to the model: {whose} trained by no optimizer",
        site=_listed_at(next((p.site for p in members if p.site), None), name),
        label="a parameter of PyTorch's own, which `model.trainable_variables` does not list"
        if _bare_in_layers(index, members)
        else idiom(index, "where listed"),
        related=tuple(Related(o.site, "this optimizer does not get it") for o in index.record.optimizers if o.site),
        evidence=tuple(_evidence(index, members)),
        help=f"make `{name}` by `self.add_weight(shape=…, initializer=…)`: Keras' layers know such variables alone"
        if _bare_in_layers(index, members)
        else _help(index, known[0], name),
        facts=frozenset(Fact(what, one) for what in ("unregistered", "unmoved") for one in names),
        explains=frozenset({*(Fact("unheld", one) for one in names), *_exceptions(index, members, bare=known[0] == name)}),
        names=(name, *names),
        remedy=_remedy(index, members),
    )


def _listed_at(site: Site | None, name: str) -> Site | None:
    """Where the list or dictionary is made that holds it: of the calls that led to the layer, the innermost whose line speaks of it."""
    words = _WORDS.findall(name)
    for at, text in enumerate((site.text, *(frame.text for frame in site.callers)) if site is not None and words else ()):
        if re.search(rf"\b{re.escape(words[-1])}\b", text):
            return site if at == 0 else site.caller(at - 1)  # type: ignore[union-attr]  # there is a site, or no text
    return site


def _exceptions(index: Index, members: Sequence[Parameter], *, bare: bool) -> Iterator[Fact]:
    """What was made of a bare parameter once and for all has a history that the first backward frees."""
    exception = index.record.outcome.exception
    if bare and exception is not None and "backward through the graph a second time" in exception.message:
        yield Fact("exception", exception.type)
        made = [name for parameter in members for name in _made_at_once(index, parameter)]
        yield from (Fact("freed-graph", name) for name in (*made, *(("",) if made else ())))


def _made_at_once(index: Index, parameter: Parameter) -> Iterator[str]:
    """What the line that makes a parameter makes of it: `nn.Parameter(w) * 0.5`."""
    place = (parameter.site.file, parameter.site.line) if parameter.site else None
    for step in index.steps:
        held = {p.value for p in step.step.parameters if p.name == parameter.name}
        ops = (op for name in held for op in step.consumers.get(name, ()) if op.site and (op.site.file, op.site.line) == place)
        yield from (name for op in ops for name in op.outputs)


def _evidence(index: Index, members: Sequence[Parameter]) -> Iterator[Evidence]:
    known = tuple(dict.fromkeys(_known_as(p) for p in members))
    wanting = tuple(dict.fromkeys(_known_as(p) for p in members if p.name in index.with_gradient))
    if wanting:
        verb = "gets" if len(wanting) == 1 else "get"
        yield Evidence(f"{listed(wanting)} {verb} a gradient that nobody applies", "parameters_unregistered", len(known))
    else:
        yield Evidence("the forward reads it, and the model does not list it", "parameters_unregistered", len(known))
    yield Evidence(f"the optimizers hold {plural(len(index.held), 'parameter')}, none of these", "parameters_held", len(index.held))


def _bare_in_layers(index: Index, members: Sequence[Parameter]) -> bool:
    """A layer of Keras' holds them as PyTorch's own, which Keras' optimizer is not told of."""
    own = all(p.site is not None and _OWN.search(p.site.text) for p in members)
    return own and not speaks_torch(index) and any(framework.name == "keras" for framework in index.record.frameworks)


def _help(index: Index, first: str, name: str) -> str:
    rest = first.removeprefix(name)
    if re.match(r"^\[['\"]", rest):
        return idiom(index, "module dict", name=name)
    if re.match(r"^(\[|\.\d)", rest):
        return idiom(index, "module list", name=name)
    return idiom(index, "register" if rest else "bare parameter")


def _remedy(index: Index, members: Sequence[Parameter]) -> Remedy | None:
    """The list or dictionary of layers as a module that the model knows; none where one holds bare parameters."""
    site, name = next((p.site for p in members if p.site), None), members[0].name
    if site is not None and _bare_in_layers(index, members):
        sites = list(dict.fromkeys(p.site for p in members if p.site is not None))
        return remedy("make them variables of Keras' own", *(Edit("callee", one, "keras.Variable", ("Parameter",)) for one in sites))
    hiding = called_in(index, members[0].value)
    if hiding is not None:
        return remedy("call the layer without the `Lambda`", Edit("replace", hiding, bound(site)))
    found = re.search(r"\[(['\"]?)", name)
    bare = any(p.name.endswith("]") for p in members)
    if site is None or found is None or not speaks_torch(index):
        return _made_known(index, members)
    kind = ("Parameter" if bare else "Module") + ("Dict" if found[1] or not name[found.end()].isdigit() else "List")
    return remedy(f"make it an `nn.{kind}`", Edit("wrap", site, f"torch.nn.{kind}({{x}})", around="container"))


_AROUND = re.compile(r"Parameter\(.*\)\s*(\.\w|[-+*/@])")
"""Something is made of a parameter on its own line."""
_VARIABLE = re.compile(r"=\s*tf\.Variable\(")


def _made_known(index: Index, members: Sequence[Parameter]) -> Remedy | None:
    """A parameter of what the line makes, in the place of something made of a parameter; in Keras, a variable of its own kind, which its layers know."""
    sites = list(dict.fromkeys(p.site for p in members if p.site is not None))
    if speaks_torch(index) and len(sites) == 1 and _AROUND.search(sites[0].text):
        return remedy("make the parameter of the result", Edit("inward", sites[0], calls=("Parameter",)))
    if speaks(index, "tensorflow") and sites and all(_VARIABLE.search(site.text) for site in sites):
        return remedy("make them variables of Keras' own", *(Edit("callee", site, "keras.Variable", ("Variable",)) for site in sites))
    return None
