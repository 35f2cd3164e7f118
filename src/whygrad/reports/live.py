"""What the live display shows, as lines: the loss, the gradient by layer, and what is found so far."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from math import hypot, isfinite, log10

from rich.console import Console
from rich.text import Text

from whygrad.diagnosis import Diagnosis
from whygrad.ir import Measures, Parameter
from whygrad.reports.excerpts import place, tame
from whygrad.reports.figures import counted, figure
from whygrad.reports.terminal import ASCII, STYLES

BARS = "▁▂▃▄▅▆▇█"
PLAIN_BARS = "_.-~=+*#"
FEWEST_LAYERS = 3
"""Layers that have a line of their own however low the display is."""
BAR = 10
"""Width of the longest bar."""
CURVE = 40
"""Columns of the loss's curve."""
DECADES = 6
"""Decades below the largest gradient that a bar can show: a gradient of a millionth of the largest has the shortest."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The trainable parameters of one module, and the norm of their gradient; None where no gradient reached any of them."""

    name: str
    norm: float | None


@dataclass(frozen=True, slots=True)
class View:
    """Everything that is known while the program runs."""

    program: str
    steps: int = 0
    seconds: float = 0.0
    state: str = "waiting for the first step"
    curve: tuple[float, ...] = ()
    layers: tuple[Layer, ...] = ()
    measures: Measures = field(default_factory=Measures)
    diagnoses: tuple[Diagnosis, ...] = ()
    """Root causes on what is recorded so far."""


def layers_of(parameters: Iterable[Parameter]) -> tuple[Layer, ...]:
    """Trainable parameters by the module that holds them, in their order."""
    norms: dict[str, float | None] = {}
    for parameter in parameters:
        if parameter.trainable:
            name = parameter.name.rpartition(".")[0] or parameter.name
            norms[name] = _joined(norms.get(name), parameter.gradient_norm if parameter.gradient != "none" else None)
    return tuple(Layer(name, norm) for name, norm in norms.items())


def _joined(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return hypot(one, other)


def frame(view: View, width: int, height: int, *, color: bool = False, unicode: bool = True) -> list[str]:
    """Exactly `height` lines that are no wider than `width`."""
    lines = [_title(view, width), _loss(view), _labels(view), *_found(view, max(1, height - 3 - FEWEST_LAYERS))]
    lines += _gradients(view, max(0, height - len(lines)))
    lines += [Text()] * (height - len(lines))
    return [_printed(line, width, color=color, unicode=unicode) for line in lines[:height]]


def _title(view: View, width: int) -> Text:
    text = f"── whygrad · {tame(view.program)} · {counted(view.steps, 'step')} in {view.seconds:.0f} s · {view.state} "
    return Text(text + "─" * max(0, width - len(text)), style="bold")


def _loss(view: View) -> Text:
    finite = [loss for loss in view.curve if isfinite(loss)]
    if not finite:
        return Text("loss      not known yet")
    return Text(f"loss      {figure(finite[0])} → {figure(finite[-1])}  {sparkline(finite)}")


def _labels(view: View) -> Text:
    known, measures = view.measures, []
    if known.label_sensitivity is not None:
        measures.append(f"label sensitivity {figure(known.label_sensitivity)} (of 0 to 2)")
    if known.gradient_norm is not None:
        measures.append(f"gradient norm {figure(known.gradient_norm)}")
    return Text("measured  " + (", ".join(measures) or "nothing yet"))


def _found(view: View, room: int) -> Iterator[Text]:
    if not view.diagnoses:
        yield Text("so far    no fault found" if view.measures != Measures() else "so far    nothing judged")
        return
    for at, diagnosis in enumerate(view.diagnoses[:room]):
        where = f" {place(diagnosis.site)}:" if diagnosis.site is not None else ""
        line = Text("so far    " if not at else "          ")
        line.append(f"{diagnosis.severity}[{diagnosis.rule}]", style=STYLES[diagnosis.severity])
        yield line.append(f"{where} {tame(diagnosis.message)}")


def _gradients(view: View, room: int) -> Iterator[Text]:
    """A line for each layer; where they are too many, all of them in one line, and below it those with the least."""
    if not view.layers or not room:
        return
    shown, largest = view.layers, max((layer.norm or 0.0 for layer in view.layers if _finite(layer)), default=0.0)
    if len(shown) > room:
        drawn = "".join(_mark(layer, largest) for layer in view.layers[:CURVE])
        yield Text(f"gradient  {drawn}  {counted(len(view.layers), 'layer')}, those with the least below")
        shown = tuple(sorted(view.layers, key=_rank)[: room - 1])
    wide = max((len(layer.name) for layer in shown), default=0)
    for layer in shown:
        bar = "#" * _length(layer, largest)
        yield Text(
            f"  {tame(layer.name):{wide}}  {_said(layer):>12}  {bar.replace('#', BARS[-1])}", style="" if _finite(layer) else "yellow"
        )


def _finite(layer: Layer) -> bool:
    return layer.norm is not None and isfinite(layer.norm)


def _rank(layer: Layer) -> tuple[bool, float]:
    return _finite(layer), layer.norm if _finite(layer) and layer.norm is not None else 0.0


def _said(layer: Layer) -> str:
    return "no gradient" if layer.norm is None else figure(layer.norm)


def _share(layer: Layer, largest: float) -> float:
    """0 for nothing, 1 for the largest, on a scale of decades."""
    if layer.norm is None or not isfinite(layer.norm) or layer.norm <= 0 or largest <= 0:
        return 0.0
    return max(1 / DECADES / 2, 1 + log10(layer.norm / largest) / DECADES)


def _length(layer: Layer, largest: float) -> int:
    share = _share(layer, largest)
    return max(1, round(share * BAR)) if share else 0


def _mark(layer: Layer, largest: float) -> str:
    share = _share(layer, largest)
    return BARS[min(len(BARS) - 1, int(share * len(BARS)))] if share else "!"


def sparkline(values: Sequence[float], width: int = CURVE) -> str:
    """Values as a row of bars, the last ones at the right; means where they are more than `width`."""
    each = -(-len(values) // width)
    means = [sum(part) / len(part) for part in (values[at : at + each] for at in range(0, len(values), each))]
    low, high = min(means), max(means)
    half = (high / 2 - low / 2) or 1.0
    return "".join(BARS[min(len(BARS) - 1, int((mean / 2 - low / 2) / half * len(BARS)))] for mean in means)


def _printed(line: Text, width: int, *, color: bool, unicode: bool) -> str:
    text = line.copy() if unicode else Text(_in_ascii(line.plain))
    text.truncate(width, overflow="ellipsis" if unicode else "crop")
    out = StringIO()
    console = Console(file=out, width=width + 1, force_terminal=color, color_system="standard" if color else None, no_color=not color)
    console.print(text, end="", no_wrap=True, markup=False, highlight=False)
    return out.getvalue()


def _in_ascii(text: str) -> str:
    bars = str.maketrans(dict(zip(BARS, PLAIN_BARS, strict=True)) | {"─": "-"})
    return text.translate(bars).translate(ASCII).encode("ascii", "replace").decode()


def told(before: View, now: View) -> Iterator[str]:
    """The same as sentences, for where nothing can be drawn: what is new since `before`."""
    if now.measures != before.measures and now.measures.loss is not None:
        yield f"{now.state}: {', '.join((f'loss {figure(now.measures.loss)}', _labels(now).plain.removeprefix('measured  ')))}"
    known = {(diagnosis.rule, diagnosis.site) for diagnosis in before.diagnoses}
    for diagnosis in now.diagnoses:
        if (diagnosis.rule, diagnosis.site) not in known:
            yield from (line.plain.rstrip() for line in _found(replace(now, diagnoses=(diagnosis,)), 1))
