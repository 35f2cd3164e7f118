"""WG101 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.ir import Permute
from whygrad.rules.labels.unused_labels import diagnose

SEED = """
    inputs: input f32[64,10]
    labels: label i64[64] minimum=0 maximum=1
    fc.weight: parameter f32[2,10]
    outputs = linear inputs fc.weight @ "train.py":22:13-26
    loss = mean outputs scope=0 @ "train.py":10:10-28 in "incorrect_loss" text="  return torch.mean(output) # Ignores labels"
    scope incorrect_loss arguments={"output":"outputs","labels":"labels"} unread=["labels"] @ "train.py":9 ^ "train.py":23:10-40
    labels values=["labels"] how="argument"
    measures loss=0.02 gradient_norm=0.71 label_sensitivity=0.0 noise_floor=0.0
"""

TERM_OFF = """
    images: input f32[16,2,20,20]
    moving: input f32[16,1,20,20]
    fixed: label f32[16,1,20,20]
    head.weight: parameter f32[2,400]
    shift = linear images head.weight @ "train.py":57
    warped = interpolate moving shift @ "train.py":45
    sq = pow shift scope=0 @ "regloss.py":22
    m = mean sq scope=0 @ "regloss.py":22
    t = mul m scope=0 @ "regloss.py":22
    z = create scope=0 @ "regloss.py":18
    loss = add z t scope=0 @ "regloss.py":22
    scope RegistrationLoss.__call__ arguments={"warped_label":"warped","fixed_label":"fixed","shift":"shift"} @ "regloss.py":17 ^ "train.py":58
    labels values=["fixed"] how="argument"
"""

REBOUND = """
    inputs: input f32[24,4]
    y: label i64[24] called="labels"
    w: parameter f32[3,4]
    outputs = linear inputs w @ "train.py":25
    top, best = max outputs @ "train.py":26
    loss = cross_entropy outputs best with={"target":1} @ "train.py":27
    ! batch inputs y @ "train.py":23
    ! backward loss @ "train.py":28
    ! optimizer_step opt @ "train.py":29
    labels values=["y"] how="batch"
"""

OWN_MEAN = """
    x: input f32[32,9]
    y: label f32[32,1] called="y_true"
    w: parameter f32[1,9]
    p: activation f32[32,1] called="y_pred"
    m: activation f32[]
    one: constant f32[]
    p = linear x w @ "a.py":20
    m = mean p scope=0 @ "a.py":11
    error = sub p m scope=0 @ "a.py":11
    near = abs error scope=0 @ "a.py":12
    far = sub one near scope=0 @ "a.py":12
    loss = mean far scope=0 @ "a.py":12
    scope pinball arguments={"y_true":"y","y_pred":"p"} unread=["y_true"] @ "a.py":10 ^ "a.py":22
    ! backward loss @ "a.py":22
    labels values=["y"] how="framework"
"""

FIRES = {
    "the prediction is compared with its own mean, two lines above the end": (OWN_MEAN, 11, "y_true"),
    "a number less the prediction is no comparison": (OWN_MEAN.replace("sub p m", "abs p"), 12, "y_true"),
    "the seed: the loss function averages the output": (SEED, 10, "labels"),
    "a term that a setting switched off": (TERM_OFF, 22, "fixed_label"),
    "the name of the labels is bound anew": (REBOUND, 26, "labels"),
    "the target is the rounded prediction": (
        """
        x: input f32[24,4]
        y: label f32[24,1]
        w: parameter f32[1,4]
        z = linear x w
        p = sigmoid z @ "a.py":3
        hit = compare p @ "a.py":4
        t = cast hit @ "a.py":4
        loss = binary_cross_entropy p t with={"target":1} @ "a.py":5
        labels values=["y"] how="batch"
        """,
        4,
        "y",
    ),
    "the last helper that a loss module calls": (
        """
        x: input f32[24,4]
        y: label i64[24]
        w: parameter f32[3,4]
        z = linear x w @ "a.py":3
        s = softmax z scope=1 @ "loss.py":30
        e = sum s scope=1 @ "loss.py":31
        loss = mean e scope=0 @ "loss.py":12
        scope Objective.forward arguments={"scores":"z","target":"y"} @ "loss.py":8 ^ "a.py":9
        scope entropy arguments={"scores":"z"} @ "loss.py":29 ^ "loss.py":11 parent=0
        labels values=["y"] how="argument"
        """,
        12,
        "target",
    ),
    "labels cast before the call": (
        """
        x: input f32[24,4]
        y: label i64[24]
        w: parameter f32[1,4]
        z = linear x w @ "a.py":3
        yf = cast y @ "a.py":4
        sq = square z scope=0 @ "loss.py":2
        loss = mean sq scope=0 @ "loss.py":2
        scope mse arguments={"pred":"z","target":"yf"} @ "loss.py":1 ^ "a.py":4
        labels values=["y"] how="argument"
        """,
        2,
        "target",
    ),
    "a loss that runs the model itself": (
        """
        x: input f32[24,4]
        y: label i64[24]
        w: parameter f32[1,4]
        z = linear x w scope=0 @ "a.py":3
        loss = mean z scope=0 @ "a.py":4
        scope compute_loss arguments={"x":"x","y":"y"} unread=["y"] @ "a.py":2 ^ "a.py":9
        labels values=["y"] how="argument"
        """,
        4,
        "y",
    ),
}


def test_the_labels_come_in_the_place_of_a_figure_of_the_prediction():
    (found,) = said(diagnose, OWN_MEAN)

    assert found.remedy is not None
    assert [(edit.action, edit.text, edit.position) for edit in found.remedy.edits] == [("wrap", "y_true", 1)]


@pytest.mark.parametrize("old_new", [("f32[32,1] called", "f32[32,3] called"), ("f32[32,1] called", "i64[32,1] called")])
def test_labels_of_another_form_do_not(old_new: tuple[str, str]):
    (found,) = said(diagnose, OWN_MEAN.replace(*old_new, 1))

    assert found.remedy is None


AUTOENCODER = """
    k: constant i64[]
    x: activation f32[64,10]
    y: input i64[64] minimum=0 maximum=1
    w: parameter f32[10,10]
    x = random k
    out = linear x w scope=0 @ "train.py":22
    d = mse_loss out x scope=0 with={"target":1} @ "train.py":22
    loss = mean d scope=0 @ "train.py":22
    scope loss_fn arguments={"w":"w","x":"x","y":"y"} unread=["y"] @ "train.py":21 ^ "train.py":30
    ! batch x y
    ! backward loss @ "train.py":30
    ! optimizer_step opt
    labels values=["y"] how="argument"
    measures loss=0.02 gradient_norm=0.71 label_sensitivity=0.0 noise_floor=0.0
"""


def test_a_function_that_is_given_parameters_and_compares_with_nothing_ignores_its_labels() -> None:
    text = AUTOENCODER.replace('d = mse_loss out x scope=0 with={"target":1}', "d = square out scope=0")
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.message == "`y` never reaches the loss"


SILENT = {
    "an autoencoder whose function is given parameters and data that the program drew": AUTOENCODER,
    "zeros for a trainer that insists on targets": SEED.replace("maximum=1", "maximum=0"),
    "an argument that is left out on purpose": SEED.replace('"labels":"labels"', '"_":"labels"').replace(
        'unread=["labels"]', 'unread=["_"]'
    ),
    "the labels reach the loss": SEED.replace("loss = mean outputs", "loss = cross_entropy outputs labels").replace(
        "label_sensitivity=0.0", "label_sensitivity=0.84"
    ),
    "measured to have an influence": SEED.replace("label_sensitivity=0.0", "label_sensitivity=0.3"),
    "no labels at all": SEED.replace('labels values=["labels"] how="argument"', ""),
    "autoencoder in one function": """
        x: input f32[24,4]
        y: label i64[24]
        w: parameter f32[4,4]
        z = linear x w scope=0 @ "a.py":3
        loss = mse_loss z x with={"target":1} scope=0 @ "a.py":4
        scope train_loss arguments={"x":"x","y":"y"} unread=["y"] @ "a.py":2 ^ "a.py":9
        ! batch x y @ "a.py":8
        ! backward loss
        ! optimizer_step opt
        labels values=["y"] how="batch"
    """,
    "the loader's labels are never read": """
        x: input f32[24,4]
        y: label i64[24]
        w: parameter f32[4,4]
        z = linear x w @ "a.py":3
        loss = mean z @ "a.py":4
        ! batch x y @ "a.py":2
        ! backward loss
        ! optimizer_step opt
        labels values=["y"] how="batch"
    """,
    "a training step that takes the batch": """
        x: input f32[24,4]
        y: label i64[24]
        w: parameter f32[4,4]
        z = linear x w scope=0 @ "a.py":3
        loss = mean z scope=0 @ "a.py":4
        scope training_step arguments={"batch[0]":"x","batch[1]":"y"} @ "a.py":2
        labels values=["y"] how="batch"
    """,
    "generator against ones": """
        noise: input f32[24,4]
        y: label i64[24]
        w: parameter f32[1,4]
        z = linear noise w @ "a.py":3
        ones = create @ "a.py":4
        loss = bce_with_logits z ones with={"target":1} @ "a.py":5
        ! batch y @ "a.py":2
        ! backward loss
        ! optimizer_step opt
        labels values=["y"] how="batch"
    """,
    "vector quantisation: the target is looked up by the prediction": """
        x: input f32[24,4]
        y: label i64[24]
        enc: parameter f32[4,4]
        book: parameter f32[9,4]
        z = linear x enc
        d = sub z book
        i = argmax d
        q = embedding i book
        commit = mse_loss z q with={"target":1}
        recon = mse_loss q x with={"target":1}
        loss = add commit recon
        labels values=["y"] how="batch"
    """,
    "policy gradient: the target was sampled": """
        s: input f32[24,4]
        y: label i64[24]
        w: parameter f32[3,4]
        z = linear s w
        p = softmax z
        a = sample p
        loss = cross_entropy z a with={"target":1}
        labels values=["y"] how="batch"
    """,
    "metrics that take the labels": """
        x: input f32[24,4]
        y: label i64[24]
        w: parameter f32[1,4]
        z = linear x w @ "a.py":3
        loss = mean z @ "a.py":4
        c = compare z y scope=0 @ "a.py":12
        m = mean c scope=0 @ "a.py":12
        scope accuracy arguments={"out":"z","y":"y"} @ "a.py":11 ^ "a.py":5
        labels values=["y"] how="argument"
    """,
}

OTHERS = {
    "the labels steer the program from outside the graph": """
        x: input f32[24,4]
        y: label i64[24]
        w: parameter f32[3,4]
        e = linear x w @ "a.py":3
        n = leave y @ "a.py":4
        a = index e scope=0 @ "loss.py":4
        b = index e scope=0 @ "loss.py":4
        loss = triplet_loss e a b scope=0 @ "loss.py":5
        scope batch_hard arguments={"e":"e","y":"y"} @ "loss.py":2 ^ "a.py":5
        labels values=["y"] how="argument"
    """,
    "the labels reach the loss without a derivative (WG102)": SEED.replace(
        "loss = mean outputs scope=0", "m = mean outputs scope=0\n    t = mean labels\n    loss = add m t scope=0"
    ),
    "nothing was differentiated": """
        x: input f32[24,4]
        y: label i64[24]
        w: parameter f32[1,4]
        z = linear x w scope=0
        scope loss_fn arguments={"out":"z","y":"y"}
        labels values=["y"] how="argument"
    """,
    "labels that the step's own parameters made": """
        x: input f32[24,4]
        w: parameter f32[4,4]
        z = linear x w
        t = detach z
        q = mean z scope=0
        loss = neg q scope=0
        scope loss_fn arguments={"out":"z","t":"t"}
        labels values=["t"] how="argument"
    """,
    "S is not a number, and the label is read": SEED.replace("loss = mean outputs", "loss = cross_entropy outputs labels").replace(
        "label_sensitivity=0.0", 'label_sensitivity="nan"'
    ),
    "another step of the kind reads them": SEED
    + """
    step 1
    inputs: input f32[64,10]
    labels: label i64[64]
    fc.weight: parameter f32[2,10]
    outputs = linear inputs fc.weight
    loss = cross_entropy outputs labels with={"target":1}
    labels values=["labels"] how="target"
    """,
}


@pytest.mark.parametrize(("text", "line", "name"), FIRES.values(), ids=FIRES)
def test_labels_that_never_reach_the_loss(text: str, line: int, name: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert diagnosis.message.startswith(f"`{name}` never reach")
    assert diagnosis.severity == "error"
    assert Fact("insensitive", "0") in diagnosis.explains


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


def test_the_seed_is_told_that_gradients_are_calculated() -> None:
    (diagnosis,) = said(diagnose, SEED, steps=2)

    assert diagnosis.message == "`labels` never reach the loss"
    assert next((related.site.line, related.message) for related in diagnosis.related) == (23, "called here")
    assert [evidence.statement for evidence in diagnosis.evidence] == [
        "`incorrect_loss` takes `labels` and never mentions it",
        "labels permuted: the gradient is bit-for-bit the same",
        "gradients are calculated (norm 0.71), and would be the same with any labels",
    ]


@pytest.mark.parametrize("norm", ['"nan"', '"inf"', "null", "0.0"])
def test_figures_that_are_none_are_not_cited(norm: str) -> None:
    (diagnosis,) = said(
        diagnose, SEED.replace("gradient_norm=0.71", f"gradient_norm={norm}").replace("label_sensitivity=0.0", 'label_sensitivity="nan"')
    )

    assert len(diagnosis.evidence) == 1


def test_labels_that_differ_only_later_in_the_run_are_labels() -> None:
    text = SEED.replace("maximum=1", "maximum=0")

    assert said(diagnose, text + '    batches path="[1]" seen=9 minimum=0 maximum=1 values=["labels"]')
    assert not said(diagnose, text + '    batches path="[1]" seen=9 minimum=0 maximum=0 values=["labels"]')


def test_what_permuting_showed_is_an_experiment() -> None:
    (diagnosis,) = said(diagnose, SEED)
    (unmeasured,) = said(diagnose, SEED.replace(" label_sensitivity=0.0", ""))

    assert diagnosis.test is not None
    assert (diagnosis.test.intervention, diagnosis.test.stays, diagnosis.test.required) == (Permute(("labels",)), True, False)
    assert unmeasured.test is None


NAMED = (
    REBOUND.replace("outputs @", "outputs @")
    .replace(
        'top, best = max outputs @ "train.py":26',
        'best: activation i64[24] called="labels"\n    top, best = max outputs @ "train.py":26 text="        _, labels = torch.max(outputs, 1)"',
    )
    .replace('! batch inputs y @ "train.py":23', '! batch inputs y @ "train.py":23 text="    for inputs, labels in loader:"')
)


def test_a_name_that_was_bound_anew_is_given_back() -> None:
    (diagnosis,) = said(diagnose, NAMED)

    assert diagnosis.remedy is not None
    assert [(edit.text, edit.site.line, edit.site.column, edit.site.end_column) for edit in diagnosis.remedy.edits] == [
        ("guessed_labels", 26, 12, 18)
    ]
    assert not diagnosis.remedy.safe


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("for inputs, labels in loader", "for inputs, truth in loader"),
        ("_, labels = torch.max(outputs, 1)", "labels[labels > 2] = torch.max(outputs, 1)[1]"),
        ("_, labels = torch.max(outputs, 1)", "self.labels = torch.max(outputs, 1)[1]"),
        ("_, labels = torch.max(outputs, 1)", "loss = criterion(outputs, outputs.argmax(1))"),
    ],
    ids=["the batch has another name", "a part of it", "an attribute", "no name at all"],
)
def test_where_no_name_was_taken_none_is_changed(old: str, new: str) -> None:
    (diagnosis,) = said(diagnose, NAMED.replace(old, new))

    assert diagnosis.remedy is None


def test_a_decision_of_the_prediction_gives_way_to_the_labels_of_the_batch() -> None:
    text = REBOUND.replace("top, best = max", "best: activation i64[24]\n    best = argmax").replace(
        'called="labels"', "called=\"batch['kind']\""
    )
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.text, edit.site.line) for edit in diagnosis.remedy.edits] == [("wrap", "batch['kind']", 26)]


def test_where_the_labels_kept_their_name_the_loss_is_named() -> None:
    text = REBOUND.replace("    top, best", '    best: activation i64[24] called="preds"\n    top, best')
    (diagnosis,) = said(diagnose, text.replace('"train.py":27', '"train.py":27-27:8-33 text="loss = criterion(outputs, preds)"'))

    assert diagnosis.site is not None
    assert (diagnosis.site.line, [place.site.line for place in diagnosis.related]) == (27, [26])
    assert "instead of `preds`" in diagnosis.help
    assert diagnosis.remedy is not None


@pytest.mark.parametrize(
    ("figures", "said_of"), [("whole=0.2", "the mean of `(prediction - y_true) ** 2`"), ("whole=1.0", "class ids"), ("", "class ids")]
)
def test_the_loss_that_is_proposed_fits_the_labels(figures: str, said_of: str) -> None:
    lines = [f"{line} {figures}" if line.strip().startswith("y: ") else line for line in OWN_MEAN.split("\n")]
    (diagnosis,) = said(diagnose, "\n".join(lines))

    assert said_of in (diagnosis.help or "")
