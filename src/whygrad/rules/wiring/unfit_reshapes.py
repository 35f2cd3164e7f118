"""Reshapes that ask for another number of entries than there are, layers that are given the pair that a recurrent layer returns, and states of another shape than the turns of a scan make."""

import re
from collections.abc import Iterator
from math import prod

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index
from whygrad.flow.failures import Failure, failed_op, matching
from whygrad.idioms import idiom
from whygrad.rules.phrases import typed
from whygrad.rules.wiring.misgiven_inputs import refused

RESHAPED = re.compile(
    r"shape '\[(?P<asked>[^\]]*)\]' is invalid for input of size (?P<size>\d+)"
    r"|total size of the tensor must be unchanged\. Received: input_shape=\((?P<given2>[^)]*)\), target_shape=\((?P<asked2>[^)]*)\)"
    r"|cannot reshape array of shape \((?P<given3>[^)]*)\) \(size \d+\) into shape \((?P<asked3>[^)]*)\)"
)
PAIR = re.compile(r"argument '(?:input|self)' \(position 1\) must be Tensor, not tuple")
"""What PyTorch, Keras and JAX say, and what PyTorch says of a tuple."""
CARRY = re.compile(
    r"input carry (?P<name>\S*) ?has type (?P<given>\w+\[[\d,]*\]) but the corresponding output carry component has type (?P<made>\w+\[[\d,]*\])"
)
_NUMBER = re.compile(r"-?\d+")


def unfit_reshapes(index: Index) -> Iterator[Diagnosis]:
    """One for each call that raised so."""
    for failure, match in matching(index, RESHAPED):
        asked = _sizes(match["asked"] or match["asked2"] or match["asked3"] or "")
        given = _sizes(match["given2"] or match["given3"] or "")
        yield _of_reshape(index, failure, asked, given, int(match["size"]) if match["size"] else prod(given))
    for failure, match in matching(index, CARRY):
        # timid: of one shape, the dtypes differ, and which of them was meant can't be told
        if match["given"].partition("[")[2] != match["made"].partition("[")[2]:
            yield _of_carry(failure, match["name"], match["given"], match["made"])
    for failure, _ in matching(index, PAIR):
        step = failure.step
        before = next((op for op in reversed(step.graph.ops) if not op.failed), None) if step is not None else None
        if before is not None and before.kind == "rnn":
            yield _of_pair(failure, before.module)


def _sizes(written: str) -> tuple[int, ...]:
    return tuple(int(part) for part in _NUMBER.findall(written))


def _of_reshape(index: Index, failure: Failure, asked: tuple[int, ...], given: tuple[int, ...], size: int) -> Diagnosis:
    op = failed_op(failure.step)
    data = failure.step.value(op.inputs[0]) if failure.step is not None and op is not None and op.inputs else None
    told = typed(data) if data is not None and data.shape else f"[{','.join(map(str, given))}]" if given else "what it is given"
    whole = prod(part for part in asked if part != -1)
    open_ = -1 in asked
    wanted = f"a multiple of {whole:,} numbers" if open_ else f"{whole:,} numbers"
    name = data.called if data is not None and data.called.isidentifier() else "x"
    return refused(
        failure,
        f"the reshape to [{','.join(map(str, asked))}] needs {wanted}, and {told} has {size:,}",
        f"asks for {wanted} of {size:,}",
        Evidence(f"{told} has {size:,} entries; the shape that is asked for has {wanted}", "entries", size),
        f"let the size follow from the data: {idiom(index, 'flatten', name=name, axis=1)}; where the number of examples stands in the shape, the last batch of a loader may be smaller",
        "reshape",
    )


def _of_carry(failure: Failure, name: str, given: str, made: str) -> Diagnosis:
    called = f"`{name}`" if name else "the state"
    return refused(
        failure,
        f"the scan starts with {called} as {given}, and each turn makes it {made}",
        f"turns {given} into {made}",
        Evidence(f"{called} comes in as {given} and goes out as {made}"),
        f"start with {called} in the shape that a turn makes: {made}, with the batch axis where there is one",
        "scan",
    )


def _of_pair(failure: Failure, layer: str) -> Diagnosis:
    return refused(
        failure,
        f"`{layer or 'the recurrent layer'}` returns its output and its state, and the next layer is given the pair",
        "is given a pair",
        Evidence("what comes in is a tuple, and the call before it was a recurrent layer's"),
        "take the first of the two, `output, state = lstm(x)`: an `nn.Sequential` can't, write a module of your own whose forward does",
        "layer",
    )
