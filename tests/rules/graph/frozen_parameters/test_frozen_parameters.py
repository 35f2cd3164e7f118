"""WG305 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.ir import Descend
from whygrad.rules.graph.frozen_parameters import diagnose

MODEL = """
    w: parameter f32[4,4]
    fc: parameter f32[3,4]
    x: input f32[8,4]
    y: label i64[8]
    h = linear x w
    s = linear h fc
    loss = cross_entropy s y
"""
ENDED = """
    raised type="RuntimeError" message="element 0 of tensors does not require grad and does not have a grad_fn" @ "train.py":37
    optimizer opt native="SGD" @ "train.py":28
    group rate=0.1 parameters=["w","fc"]
"""
NOTHING = """
    parameter w value=w trainable=false optimizer="opt" reached=true loaded=true
    parameter fc value=fc trainable=false optimizer="opt" reached=true
"""
FREEZE = '! freeze w fc at=0 @ "train.py":12\n! backward loss\n'
HEAD = """
    parameter w value=w trainable=false optimizer="opt" reached=true loaded=true
    parameter fc value=fc trainable=true optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
"""
TWO = """
    optimizer body native="SGD" @ "train.py":28
    group rate=0.1 parameters=["w"]
    optimizer head native="SGD" @ "train.py":29
    group rate=0.1 parameters=["fc"]
"""

STANDS = """
    optimizer opt native="AdamW" @ "train.py":28
    group rate=0.1 parameters=["scale"]
    course steps=60 start=1.10 first=1.10 last=1.09 lowest=1.09 highest=1.1 noise=0.0
    w: parameter f32[4,4]
    fc: parameter f32[3,4]
    scale: parameter f32[]
    x: input f32[8,4]
    y: label i64[8]
    h = linear x w
    l = linear h fc
    s = mul l scale
    loss = cross_entropy s y with={"target":1}
    ! freeze w fc at=0 @ "tune.py":4
    ! backward loss
    ! optimizer_step opt
    labels values=["y"] how="target"
    measures label_sensitivity=0.5 loss=1.1
    parameter w value=w trainable=false reached=true
    parameter fc value=fc trainable=false reached=true
    parameter scale value=scale optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
"""


def test_new_layers_frozen_by_choice_ask_for_an_experiment_that_trains_them():
    (diagnosis,) = said(diagnose, STANDS)

    assert diagnosis.site is not None
    assert diagnosis.test is not None
    assert (diagnosis.site.line, diagnosis.severity, diagnosis.test.required) == (4, "warning", True)
    assert diagnosis.test.intervention == Descend(thaw=("w", "fc"))


def test_what_a_compiled_step_held_still_is_tried_in_the_next_one():
    head, graph = STANDS.replace("steps=60", "steps=1").split("    w: parameter f32[4,4]")
    known = "".join(f"    ending {name} changed=false gradient_seen=false\n" for name in ("w", "fc"))
    later = graph.replace("trainable=false ", "").replace('! freeze w fc at=0 @ "tune.py":4', "").replace("! optimizer_step opt", "")
    (diagnosis,) = said(
        diagnose, f"{head}{known}    step 0 updated=true\n    w: parameter f32[4,4]{graph}    step 1\n    w: parameter f32[4,4]{later}"
    )

    assert diagnosis.test is not None
    assert (diagnosis.step, diagnosis.test.intervention) == (1, Descend(thaw=("w", "fc")))


FALLS = STANDS.replace("last=1.09 lowest=1.09", "last=0.9 lowest=0.9")


def test_scales_alone_that_have_not_come_far_ask_for_it_too():
    (diagnosis,) = said(diagnose, FALLS)

    assert diagnosis.remedy is None  # `fc` is no layer's path
    assert (
        said(diagnose, FALLS.replace("parameter fc value", "parameter net.fc value").replace("freeze w fc", "freeze w net.fc"))[0].remedy
        is not None
    )
    assert not said(diagnose, FALLS.replace("scale: parameter f32[]", "scale: parameter f32[3,3]"))


@pytest.mark.parametrize(
    "text",
    [
        STANDS.replace("last=1.09", "last=0.5").replace("lowest=1.09", "lowest=0.5"),
        STANDS.replace("parameter w value=w trainable=false", "parameter w value=w trainable=false loaded=true"),
        STANDS.replace("freeze w fc", "freeze w").replace(
            "parameter fc value=fc trainable=false", 'parameter fc value=fc optimizer="opt" gradient="finite"'
        ),
    ],
    ids=["the loss falls", "loaded weights", "the last layer is trained"],
)
def test_what_is_frozen_and_learns_all_the_same_is_silent(text: str):
    assert not said(diagnose, text)


FIRES = {
    "the loop froze the new head too": (ENDED + MODEL + FREEZE + NOTHING, 12, ("w", "fc")),
    "the freezing line is unknown": (ENDED + MODEL + NOTHING, 28, ("w", "fc")),
    "the input hides the exception": (
        MODEL.replace("x: input f32[8,4]", "x: input f32[8,4] differentiable=true")
        + 'optimizer opt @ "train.py":28\ngroup parameters=["w","fc"]\n'
        + NOTHING,
        28,
        ("w", "fc"),
    ),
    "an optimizer for the frozen part alone": (TWO + MODEL + HEAD, 28, ("w",)),
    "frozen by name, the wrong way round": (
        ENDED.replace("raised", "# raised")
        + MODEL
        + """
        ! freeze fc at=0 @ "train.py":13
        ! backward loss
        parameter w value=w optimizer="opt" reached=true loaded=true gradient="finite" gradient_norm=1.0
        parameter fc value=fc trainable=false optimizer="opt" reached=true
        """,
        13,
        ("fc",),
    ),
}

SILENT = {
    "frozen backbone under a trainable head": MODEL + HEAD,
    "an image optimised through a frozen network": """
        optimizer opt native="Adam" orphans=["f32[1,3,8,8]"] @ "style.py":3
        w: parameter f32[4,4]
        image: activation f32[8,4] differentiable=true
        h = linear image w
        loss = mean h
        parameter w value=w trainable=false reached=true
    """,
    "what is added to an image, made in the step itself": """
        w: parameter f32[4,4]
        x: input f32[8,4]
        delta: constant f32[8,4] differentiable=true
        z: activation f32[8,4]
        delta = create @ "attack.py":2
        z = add x delta
        h = linear z w
        loss = mean h
        parameter w value=w trainable=false reached=true
    """,
    "the gradient of an input, nothing trained": """
        optimizer opt native="Adam"
        w: parameter f32[4,4]
        x: input f32[8,4] differentiable=true
        h = linear x w
        loss = mean h
        parameter w value=w trainable=false reached=true
    """,
    "layers unfrozen later": TWO
    + MODEL
    + HEAD
    + """
        ending w changed=true gradient_seen=true
        ending fc changed=true gradient_seen=true
    """,
    "generator and discriminator frozen in turn": """
        step 0 kind=0
        d: parameter f32[4]
        x: input f32[4]
        loss: loss
        loss = mul x d
        parameter d value=d trainable=false optimizer="od" reached=true
        ! backward loss
        step 1 kind=1
        d: parameter f32[4]
        x1: input f32[4]
        loss1: loss
        loss1 = mul x1 d
        ! backward loss1
        parameter d value=d trainable=true optimizer="od" reached=true gradient="finite" gradient_norm=1.0
    """,
}

ANOTHERS = {
    "detached": MODEL.replace("s = linear h fc", "d = detach h\n    s = linear d fc"),
    "no_grad": MODEL.replace("linear x w", "linear x w tracking=false"),
    "no parameter in the loss": MODEL.replace("cross_entropy s y", "mse_loss x x"),
    "never read": MODEL.replace("linear h fc", "linear x fc"),
    "unregistered": MODEL
    + """
        parameter w value=w registered=false reached=true gradient="finite" gradient_norm=1.0
        parameter fc value=fc optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
    """,
}


@pytest.mark.parametrize(("text", "line", "names"), FIRES.values(), ids=FIRES)
def test_frozen_parameters_are_named(text: str, line: int, names: tuple[str, ...]) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert found.rule == "WG305"
    assert found.site is not None
    assert (found.site.line, found.names) == (line, names)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_healthy_programs_hear_nothing(text: str) -> None:
    assert said(diagnose, text) == []


@pytest.mark.parametrize("text", ANOTHERS.values(), ids=ANOTHERS)
def test_what_belongs_to_another_rule_is_left_to_it(text: str) -> None:
    assert said(diagnose, text) == []


def test_the_exception_is_explained() -> None:
    (found,) = said(diagnose, FIRES["the loop froze the new head too"][0])

    assert found.message == "nothing that shapes the loss is trainable: all 2 parameters are frozen"
    assert {Fact("exception", "RuntimeError"), Fact("constant-loss", "0"), Fact("unmoved", "w")} <= found.explains


def test_a_reversed_choice_is_only_suspected() -> None:
    (found,) = said(diagnose, FIRES["frozen by name, the wrong way round"][0])

    assert (found.severity, found.confidence) == ("warning", "suspected")


ASKED = (
    MODEL
    + """
    loss2 = mean loss
    ! backward loss with={"asked":0} @ "train.py":17
    parameter w value=w trainable=true
    parameter fc value=fc trainable=true
    raised type="ValueError" message="not enough values to unpack (expected 2, got 0)" @ "train.py":18
"""
)


def test_a_gradient_of_no_variable_is_told_where_the_list_was_taken() -> None:
    (found,) = said(diagnose, ASKED + '    origin values=["loss"] setting="asked" @ "train.py":12')

    assert found.site is not None
    assert found.site.line == 12
    assert Fact("exception", "ValueError") in found.explains


def test_without_a_line_of_its_own_the_list_is_told_where_the_gradient_is_asked_for() -> None:
    (found,) = said(diagnose, ASKED)

    assert found.site is not None
    assert found.site.line == 17


def test_a_gradient_that_is_asked_for_is_no_empty_list() -> None:
    assert not said(diagnose, ASKED.replace(' with={"asked":0}', ""))


EMPTY = """
    record program="train.py"
    framework jax "0.10.2"
    optimizer opt native="Adam" @ "train.py":5
    step 0
      x: input f32[8,4]
      y: label f32[8,1]
      w: activation f32[4,1] called="model.kernel"
      h = matmul x w @ "train.py":9
      d = sub h y @ "train.py":9
      loss = mean d @ "train.py":9
      ! batch x y
      ! backward loss with={"asked":0} @ "train.py":10
"""


def test_a_derivative_by_nothing_trains_nothing() -> None:
    (found,) = said(diagnose, EMPTY)

    assert found.site is not None
    assert (found.severity, found.site.line) == ("error", 10)
    assert "nnx.Param" in found.help
    assert "`model.kernel` shapes the loss as a constant" in found.evidence[1].statement


def test_python_numbers_that_no_derivative_is_taken_by_are_named() -> None:
    (found,) = said(diagnose, EMPTY.replace('"asked":0', '"asked":0,"plain":["stiffness","damping"]'))

    told = EMPTY.replace(
        '"asked":0', '"asked":0,"plain":["stiffness"],"put_at":["model.py",7,"Spring","        self.stiffness = stiffness"]'
    )
    (placed,) = said(diagnose, told)

    assert placed.site is not None
    assert (placed.site.file, placed.site.line) == ("model.py", 7)
    assert "`stiffness` and `damping` are Python numbers" in found.message
    assert "jnp.asarray(stiffness)" in found.help


def test_a_derivative_by_something_is_left_alone() -> None:
    differentiated = EMPTY + "      parameter model.head value=w trainable=true\n"

    assert not said(diagnose, differentiated.replace(' with={"asked":0}', ""))


MADE = ("optimizer = optax.masked(optax.set_to_zero(), mask)", "    return optax.masked(optax.set_to_zero(), mask)", "a, b = frozen(), 1")
DONE = ("base.trainable = False", "    p.requires_grad_(False)", "for p in net.parameters(): p.requires_grad = False")


@pytest.mark.parametrize("text", [*MADE, *DONE])
def test_a_line_that_makes_something_is_not_left_out(text: str) -> None:
    at = FREEZE.replace('@ "train.py":12', f'@ "train.py":12 text="{text}"')

    assert (said(diagnose, ENDED + MODEL + at + NOTHING)[0].remedy is None) == (text in MADE)


PAIR = """
    framework tensorflow "2.21.0"
    step 0 kind=0
    x: input f32[8,4]
    y: label f32[8,1]
    d0: parameter f32[4,1] called="critic_kernel"
    s = linear x d0
    loss = mse_loss s y
    ! freeze critic_kernel at=0 @ "train.py":29 text="    critic.trainable = False"
    ! backward loss @ "train.py":45 in "train" text="        a = critic.train_on_batch(real, ones)"
    parameter critic_kernel value=d0 trainable=false reached=true
    step 1 kind=0
    x1: input f32[8,4]
    y1: label f32[8,1]
    d1: parameter f32[4,1] called="critic_kernel"
    s1 = linear x1 d1
    loss1 = mse_loss s1 y1
    ! backward loss1 @ "train.py":46 in "train" text="        b = critic.train_on_batch(fake, zeros)"
    parameter critic_kernel value=d1 trainable=false reached=true
    step 2 kind=1
    z: input f32[8,2]
    y2: label f32[8,1]
    g: parameter f32[2,4] called="maker_kernel"
    d2: parameter f32[4,1] called="critic_kernel"
    f = linear z g
    s2 = linear f d2
    loss2 = mse_loss s2 y2
    ! backward loss2 @ "train.py":48 in "train" text="        c = both.train_on_batch(noise, ones)"
    parameter critic_kernel value=d2 trainable=false reached=true
    parameter maker_kernel value=g trainable=true reached=true gradient="finite" gradient_norm=1.0
"""


def test_what_another_kind_of_step_wants_frozen_is_thawed_around_the_calls_that_train_it() -> None:
    (found,) = said(diagnose, PAIR)

    assert found.remedy is not None
    assert [(edit.text, edit.site.line, edit.after) for edit in found.remedy.edits] == [
        ("critic.trainable = True", 45, False), ("critic.trainable = False", 46, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        PAIR.replace("critic.trainable = False", "freeze(critic)"),
        PAIR.replace("b = critic.train_on_batch", "b = other.train_on_batch"),
        PAIR.replace('46 in "train"', '46 in "again"'),
    ],
    ids=["frozen in another way", "trained by another", "in two functions"],
)
def test_it_is_not_simply_thawed_where_the_calls_do_not_tell(text: str) -> None:
    (found,) = said(diagnose, text)

    assert found.remedy is None


def test_what_no_other_kind_of_step_reads_is_not_frozen_in_the_first_place() -> None:
    (found,) = said(diagnose, PAIR[: PAIR.index("    step 2")])

    assert found.remedy is not None
    assert [edit.action for edit in found.remedy.edits] == ["drop"]


def test_an_empty_tree_is_told_where_the_optimizer_was_made_for_it() -> None:
    (found,) = said(diagnose, EMPTY.replace('@ "train.py":5', '@ "train.py":5\n    group rate=0.1 settings={"empty":true}', 1))

    assert found.site is not None
    assert found.site.line == 5


def test_that_all_are_frozen_is_tried_by_moving_them() -> None:
    (found,) = said(diagnose, ENDED + MODEL + FREEZE + NOTHING)

    assert found.test is not None
    assert isinstance(found.test.intervention, Descend)
    assert found.test.intervention.joined == tuple(sorted(found.names))
    assert not found.test.required


@pytest.mark.parametrize(("taken", "told"), [("", 0), (" steps=60", 1)])
def test_an_optimizer_that_came_with_a_copied_model_and_never_steps_trains_nothing_anyway(taken, told):
    trained = TWO.replace('native="SGD" @ "train.py":29', 'native="SGD" steps=60 @ "train.py":29')
    found = said(diagnose, trained.replace('native="SGD" @ "train.py":28', f'native="SGD"{taken} @ "train.py":28') + MODEL + HEAD)

    assert len([diagnosis for diagnosis in found if "has nothing to train" in diagnosis.message]) == told


STAGES = """
    optimizer first native="Adam" steps=9 rates=[0.1,0.1] @ "train.py":3
    optimizer second native="Adam" rates=[0.1,0.1] @ "train.py":13
    step 0 updated=true
      x: input f32[8,4]
      w: parameter f32[2,4]
      out = linear x w
      loss = mean out
      ! backward loss
      parameter fc value=w optimizer="first" reached=true gradient="finite" gradient_norm=0.7 norm=2.0 update_norm=0.1
    step 9 kind=1
      x: input f32[8,4]
      w: parameter f32[2,4]
      out = linear x w
      loss = mean out
      ! freeze fc @ "train.py":12
      ! backward loss
      parameter fc value=w trainable=false optimizer="second" reached=true
"""


def test_a_second_stage_in_which_nothing_is_trained() -> None:
    (diagnosis,) = said(diagnose, STAGES)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 12


@pytest.mark.parametrize(
    "change",
    [
        ('second native="Adam"', 'second native="Adam" steps=4'),
        ('      ! freeze fc @ "train.py":12\n      ! backward loss\n', ""),
        ('optimizer="second"', 'optimizer="first"'),
    ],
)
def test_a_frozen_stage_that_may_be_meant(change: tuple[str, str]) -> None:
    assert not said(diagnose, STAGES.replace(*change))
