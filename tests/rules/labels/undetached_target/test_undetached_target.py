"""WG106 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.labels.undetached_target import diagnose

BELLMAN = """
    s: input f32[32,4]
    n: input f32[32,4]
    r: input f32[32]
    w: parameter f32[1,4]
    v: activation f32[32]
    u: activation f32[32]
    g: activation f32[32]
    t: activation f32[32]
    v = linear s w @ "a.py":3
    u = linear n w @ "a.py":4
    g = mul u @ "a.py":5
    t = add r g @ "a.py":5
    loss = mse_loss v t with={"target":1} @ "a.py":6
"""

TEACHER = """
    optimizer opt native="Adam" steps=9 rates=[0.1,0.1]
    group rate=0.1 parameters=["a","b"]
    step 0 kind=0 updated=true
    x: input f32[32,4]
    y: label i64[32]
    a: parameter f32[5,4]
    p: activation f32[32,5]
    p = linear x a @ "a.py":2
    loss = cross_entropy p y with={"target":1} @ "a.py":2
    labels values=["y"] how="target"
    step 1 kind=1 updated=true
    x: input f32[32,4]
    a: parameter f32[5,4]
    b: parameter f32[5,4]
    soft: activation f32[32,5]
    q: activation f32[32,5]
    soft = linear x a @ "a.py":7
    q = linear x b @ "a.py":8
    loss = mse_loss q soft with={"target":1} @ "a.py":8
"""

FIRES = {
    "a temporal difference": (BELLMAN, 4),
    "written as a difference": (
        BELLMAN.replace('loss = mse_loss v t with={"target":1}', "d = sub t v\n    q = square d\n    loss = mean q"),
        4,
    ),
    "a Huber loss": (BELLMAN.replace("mse_loss", "huber_loss"), 4),
    "the reward last": (BELLMAN.replace("add r g", "add g r"), 4),
    "the gradient stopped on the wrong side": (
        BELLMAN.replace(
            'loss = mse_loss v t with={"target":1}', 'p = detach v @ "a.py":6\n    d = sub p t\n    q = square d\n    loss = mean q'
        ),
        6,
    ),
    "a Huber loss of the difference": (BELLMAN.replace('loss = mse_loss v t with={"target":1}', "d = sub v t\n    loss = huber_loss d"), 4),
    "a teacher": (TEACHER, 7),
    "a teacher on the other side": (TEACHER.replace("mse_loss q soft", "mse_loss soft q"), 7),
}

SILENT = {
    "a detached target": BELLMAN.replace("g = mul u", "d = detach u\n    g = mul d"),
    "computed without tracking": BELLMAN.replace("u = linear n w", "u = linear n w tracking=false")
    .replace("g = mul u", "g = mul u tracking=false")
    .replace("t = add r g", "t = add r g tracking=false"),
    "both sides stopped": BELLMAN.replace(
        'loss = mse_loss v t with={"target":1}', "p = detach v\n    k = detach t\n    d = sub p k\n    q = square d\n    loss = mean q"
    ),
    "another network's output stopped": BELLMAN.replace("v = linear s w", "v = linear s k")
    .replace("    v: activation", "    k: parameter f32[1,4]\n    v: activation", 1)
    .replace('loss = mse_loss v t with={"target":1}', "p = detach v\n    d = sub p t\n    q = square d\n    loss = mean q"),
    "a target network of its own": BELLMAN.replace("u = linear n w", "u = linear n k").replace(
        "    v: activation", "    k: parameter f32[1,4]\n    v: activation"
    ),
    "two views that approach one another": BELLMAN.replace("loss = mse_loss v t", "loss = mse_loss v u"),
    "labels": BELLMAN.replace("loss = mse_loss v t", "loss = mse_loss v r"),
    "a frozen teacher": TEACHER.replace("soft = linear x a", "soft = linear x a tracking=false"),
    "a teacher that still learns from labels": TEACHER.replace(
        "q = linear x b", 'q = linear x b\n    y: label i64[32]\n    o = cross_entropy soft y with={"target":1}'
    )
    .replace("loss = mse_loss q soft with", "m = mse_loss q soft with")
    .replace('@ "a.py":8\n"""', '@ "a.py":8\n    loss = add m o\n    labels values=["y"] how="target"\n"""')
    + '    loss = add m o\n    labels values=["y"] how="target"\n',
    "networks that were never taught": TEACHER.replace("kind=1", "kind=0"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_targets_that_are_trained(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
