"""The part of WG302 that explains programs which ask a tensor for its numbers while TensorFlow or Keras compiles the function: it has none there."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index
from whygrad.flow.failures import Failure, consequences, matching
from whygrad.idioms import speaks
from whygrad.ir import Op, Site
from whygrad.rules.phrases import typed

SYMBOLIC = re.compile(
    r"'(?:Symbolic|Keras)?Tensor' object has no attribute 'numpy'"
    r"|Cannot convert a symbolic tf\.Tensor .* to a numpy array"
    r"|numpy\(\) is only available when eager execution is enabled"
    r"|(?:Symbolic|Keras)Tensor .*(?:cannot|can't) be (?:used as input to|converted to) .*[Nn]um[Pp]y"
)
"""What they say."""


def asked_for_numbers(index: Index) -> Iterator[Diagnosis]:
    """At the line that asks."""
    for failure, match in matching(index, SYMBOLIC) if speaks(index, "tensorflow") else ():
        if failure.site is not None:
            yield _about(failure, failure.site, match[0])


def _about(failure: Failure, site: Site, said: str) -> Diagnosis:
    step = failure.step
    left = _left_at(failure, site)
    value = step.value(left.inputs[0]) if step is not None and left is not None and left.inputs else None
    shown = f"`{value.called}`" if value is not None and value.called else "a tensor"
    inside = site.function.rpartition(".")[2] or "this function"
    return Diagnosis(
        "WG302",
        "rebuilt-tensor",
        "error",
        "proved",
        f"`{inside}` asks {shown} for its numbers while it is compiled, and there are none yet",
        site=site,
        label="a tensor without numbers: this line runs once, when the function is compiled",
        evidence=(
            Evidence(f"{failure.type}: {said}", "exception"),
            *(
                (Evidence(f"{typed(value)} was computed from parameters: a gradient would stop here"),)
                if _trained(failure, left) and value
                else ()
            ),
        ),
        help="compute it by TensorFlow's own functions (`tf.reduce_max` for `np.max`): they are compiled, and let the gradient through; "
        "what is only looked at, return it from the function and read it outside, or use `tf.print`",
        explains=consequences(failure, step),
        kind=step.step.kind if step is not None else 0,
        step=step.step.index if step is not None else 0,
        names=(inside,),
    )


def _left_at(failure: Failure, site: Site) -> Op | None:
    """What left there as the step ran once as plain Python."""
    ops = failure.step.graph.ops if failure.step is not None else ()
    return next((op for op in ops if op.kind == "leave" and op.site is not None and op.site.line_of_code == site.line_of_code), None)


def _trained(failure: Failure, left: Op | None) -> bool:
    return left is not None and failure.step is not None and not failure.step.depends_on_parameters.isdisjoint(left.inputs)
