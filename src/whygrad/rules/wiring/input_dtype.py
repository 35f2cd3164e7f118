"""WG707: the data's dtype is not the model's."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, failed_op, failures, gist, matching
from whygrad.flow.layers import Layer, layer
from whygrad.idioms import idiom, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Site, Value
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, listed, places, typed
from whygrad.rules.remedies import remedy
from whygrad.rules.wiring.input_shape import odd_id

CHECKED = re.compile(r"RNN input dtype \(torch\.(?P<got>\w+)\) does not match weight dtype \(torch\.(?P<due>\w+)\)")
"""What a layer says that looks at its input before it calls anything."""

NAMES = {"f32": "float32", "f64": "float64", "f16": "float16", "bf16": "bfloat16", "i64": "int32"}
HANDED_OVER = "keras.Model.fit"
"""What refuses arrays and lists before any layer has seen them."""
CONVERSIONS = {"f32": "float", "f64": "double", "f16": "half", "bf16": "bfloat16", "i64": "long"}


@rule("WG707", "input-dtype", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A layer was given data of another dtype than its weights have: NumPy's float64 against float32, integer images, float32 against a half-precision model.

    ## What it finds
    A layer whose call raised, where the data and the weights differ in dtype, or an embedding whose ids are no integers; lists, text or Python objects that Keras' `fit` refuses. The place is where the data got
    their dtype, as far as that happened in the framework; else the call.

    ## Why it matters
    The exception is raised deep inside the model, while the conversion belongs where the data are made.

    ## When it is fine
    It speaks only of calls that raised. A loss that refuses a dtype is another fault (`whygrad explain WG210`).

    ## How sure
    Proved: the recorded dtypes.

    ## References
    PyTorch: "mat1 and mat2 must have the same dtype, but got Double and Float", "Input type (unsigned char) and bias type (float) should be the same"; NumPy makes
    float64 unless told otherwise.
    """
    yield from distinct(_found(index))


def _found(index: Index) -> Iterator[Diagnosis]:
    for failure in index.once(failures):
        op = failed_op(failure.step)
        found = layer(failure.step, op) if failure.step is not None and op is not None else None
        if failure.step is not None and found is not None and _differs(found) and odd_id(found, failure.message) is None:
            yield _of_layer(index, failure, failure.step, found)
        if failure.step is not None and op is not None and op.native == HANDED_OVER:
            yield from _of_numberless(failure, failure.step, op)
    for failure, match in matching(index, CHECKED):
        if failed_op(failure.step) is None:
            yield _of_check(index, failure, match["got"], match["due"])


def _of_numberless(failure: Failure, step: StepIndex, op: Op) -> Iterator[Diagnosis]:
    """`fit` was given lists of numbers, or an array whose entries are no numbers."""
    labels = frozenset(step.step.labels.values)
    given = [step.value(name) for name in op.inputs]
    lists = [value for value in given if value.dtype == "list"]
    if lists:
        edits = [edit for value in lists if (edit := _as_array(value, op)) is not None]
        cure = " and ".join(f"`np.array({value.written})`" for value in lists)
        cure += "; a list stands for a model of as many inputs" if lists[0].name == op.inputs[0] else ""
        shown = listed([value.shown for value in lists])
        said = f"`fit` takes arrays, and {shown} {'is a list' if len(lists) == 1 else 'are lists'} of {(lists[0].shape or (0,))[0]:,}"
        fix = remedy(f"make {'an array' if len(lists) == 1 else 'arrays'} of {shown}", *edits) if edits else None
        yield _refused(failure, step, op, lists, said, f"make arrays: {cure}", fix)
    for value in given:
        if value.dtype in ("string", "object") and value.name not in labels:
            what = "text" if value.dtype == "string" else "Python objects, such as text beside numbers"
            said = f"the model works on numbers, and `{value.shown}` holds {what}"
            cure = f'encode the columns that hold text (`keras.layers.StringLookup`), then convert: `{value.written}.astype("float32")`'
            yield _refused(failure, step, op, [value], said, cure, None)


def _refused(failure: Failure, step: StepIndex, op: Op, values: list[Value], said: str, cure: str, fix: Remedy | None) -> Diagnosis:
    origins = [made[1].site if (made := step.producer.get(value.name)) is not None else None for value in values]
    return Diagnosis(
        "WG707",
        "input-dtype",
        "error",
        "proved",
        said,
        site=origins[0] or op.site or failure.site,
        label="makes it so" if origins[0] else "is given it",
        related=places(
            (op.site if origins[0] else None, "`fit` refuses it here"), *((origin, "makes it so too") for origin in origins[1:])
        ),
        evidence=(Evidence(f"`fit` raised {failure.type}: {gist(failure.message)[:100]}"),),
        help=cure,
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(value.shown for value in values),
        remedy=fix,
    )


def _as_array(value: Value, op: Op) -> Edit | None:
    """An array in place of the list, where it is handed over."""
    if op.site is None:
        return None
    first = bool(op.inputs) and op.inputs[0] == value.name
    return Edit("wrap", op.site, "numpy.array({x})", keyword="x" if first else "y", position=0 if first else 1, written=value.called)


def _differs(found: Layer) -> bool:
    if not found.data.dtype or not found.weight.dtype:
        return False
    if found.op.kind == "embedding":
        return not found.data.dtype.startswith(("i", "u"))
    return found.data.dtype != found.weight.dtype


def _of_layer(index: Index, failure: Failure, step: StepIndex, found: Layer) -> Diagnosis:
    due = "i64" if found.op.kind == "embedding" else found.weight.dtype
    born = _born(step, found.data)
    origin = born.site if born is not None else None
    shown = f"`{found.data.called}`" if found.data.called else "its input"
    meets = f"{found.data.dtype} meets {'ids' if found.op.kind == 'embedding' else found.weight.dtype}"
    return Diagnosis(
        "WG707",
        "input-dtype",
        "error",
        "proved",
        f"{found.shown} takes whole numbers for ids, and {shown} is {found.data.dtype}"
        if found.op.kind == "embedding"
        else f"{found.shown} works in {due}, and {shown} is {found.data.dtype}",
        site=origin or found.op.site or failure.site,
        label=f"makes {found.data.dtype}" if origin else meets,
        related=places((found.op.site if origin else None, f"{meets} here")),
        evidence=(
            Evidence(f"{typed(found.data)} meets the weight {typed(found.weight)}", "dtype", found.data.dtype),
            Evidence(f"the call raised: {(gist(failure.message) or failure.type).rstrip('.')[:200]}"),
        ),
        help=_help(index, found, due),
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(found.shown,),
        remedy=_cast(index, found, origin),
    )


def _cast(index: Index, found: Layer, origin: Site | None) -> Remedy | None:
    """Floats as the weights are, where the data are made; ids at the layer itself, since others may read the same data as numbers."""
    ids = found.op.kind == "embedding"
    if not ids and found.weight.dtype != "f32":  # a model of less precision may have been made so by mistake
        return None
    text = spelling(index, "whole" if ids else "floating")
    at_layer = Edit("wrap", found.op.site, text, position=0, written=found.data.called) if found.op.site else None
    at_origin = Edit("wrap", origin, text) if origin and not ids else None
    edits = [edit for edit in (at_origin, at_layer) if edit is not None]
    what = "whole numbers" if ids else found.weight.dtype
    changes = "fractions are cut off, where there are any" if ids else ""
    return remedy(f"convert the data to {what}", *edits[:1], otherwise=edits[1:], changes=changes) if edits else None


def _born(step: StepIndex, value: Value) -> Op | None:
    """The op that gave the data this dtype: the first on the way back that reads nothing of it."""
    name, made = value.name, None
    while name in step.producer:
        made = step.producer[name][1]
        alike = [given for given in made.inputs if step.value(given).dtype == value.dtype and given not in made.outputs]
        if not alike:
            return made
        name = alike[0]
    return made


def _help(index: Index, found: Layer, due: str) -> str:
    name = found.data.called if found.data.called.isidentifier() else "x"
    if due in ("f16", "bf16"):
        return idiom(index, "model dtype", name=name)
    return f"convert the data where they are made: {_converted(index, name, due)}"


def _converted(index: Index, name: str, due: str) -> str:
    """The conversion, ready to paste."""
    torch = CONVERSIONS.get(due, "float")
    shown = idiom(index, "as dtype", name=name, torch=f".{torch}()", dtype=NAMES.get(due, due))
    return f"{shown}, or `.astype(…)` in NumPy" if speaks_torch(index) else shown


def _of_check(index: Index, failure: Failure, got: str, due: str) -> Diagnosis:
    return Diagnosis(
        "WG707",
        "input-dtype",
        "error",
        "proved",
        f"the layer called here works in {due}, and its input is {got}",
        site=failure.site,
        label="the call is refused",
        evidence=(Evidence(f"the layer checked its input and raised: {gist(failure.message).rstrip('.')[:200]}"),),
        help="convert the data where they are made: `.float()`, or `.astype(…)` in NumPy"
        if speaks_torch(index)
        else f"convert the data where they are made: {_converted(index, 'x', due)}",
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step else None,
        step=failure.step.step.index if failure.step else None,
    )
