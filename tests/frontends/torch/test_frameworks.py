"""Programs on top of libraries, unmodified: silent where they are sound, and the user's own line where they are not."""

from pathlib import Path
from textwrap import dedent

import pytest

from frontends.torch.torch_run import Run, plain, whygrad

pytestmark = [pytest.mark.torch, pytest.mark.slow]

START = """
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
inputs = torch.randn(64, 8)
labels = (inputs @ torch.randn(8, 3)).argmax(1)
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 3))
loader = DataLoader(TensorDataset(inputs, labels), 16, shuffle=True)
"""
HUGGING_FACE = """
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = model

    def forward(self, x, labels=None):
        scores = self.layers(x)
        return {"loss": F.cross_entropy(scores, labels), "logits": scores}

rows = [{"x": x, "labels": y} for x, y in zip(inputs, labels)]
settings = TrainingArguments(
    "out", max_steps=4, report_to=[], save_strategy="no", disable_tqdm=True, use_cpu=True, gradient_accumulation_steps=2, learning_rate=1e-2
)
Trainer(Net(), settings, train_dataset=rows).train()
"""
ACCELERATE = """
from accelerate import Accelerator

accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
for x, y in loader:
    with accelerator.accumulate(model):
        loss = F.cross_entropy(model(x), y)
        accelerator.backward(loss)
        if accelerator.sync_gradients:
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
"""
PEFT = """
from peft import LoraConfig, get_peft_model

adapted = get_peft_model(model, LoraConfig(r=4, target_modules=["0"], modules_to_save=["2"]))
optimizer = torch.optim.AdamW((p for p in adapted.parameters() if p.requires_grad), lr=1e-2)
for epoch in range(2):
    for x, y in loader:
        loss = F.cross_entropy(adapted(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
LIGHTNING = """
import lightning

class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.body, self.head = model[:2], model[2]

    def training_step(self, batch, index):
        x, y = batch
        loss = F.cross_entropy(self.head(self.body(x)), y)
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=1e-2)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1)]

lightning.Trainer(
    max_epochs=2, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False
).fit(Module(), loader)
"""
MANUAL = LIGHTNING.replace(
    "        super().__init__()\n", "        super().__init__()\n        self.automatic_optimization = False\n"
).replace(
    '        self.log("loss", loss)\n        return loss\n',
    """        optimizer = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")
        optimizer.step()
""",
)
LOOP = """
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(2):
    for x, y in loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
COMPILED = "model = torch.compile(model, backend='eager')" + LOOP
PARAMETRISED = """
nn.utils.parametrizations.weight_norm(model[0])
nn.utils.parametrizations.spectral_norm(model[2])
"""
SCALED = """
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
scaler = torch.amp.GradScaler("cpu")
for epoch in range(2):
    for x, y in loader:
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
"""
AVERAGED = """
average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for x, y in loader:
    with torch.no_grad():
        soft = average(x).softmax(1)
    scores = model(x)
    loss = F.cross_entropy(scores, y) + 0.1 * F.kl_div(scores.log_softmax(1), soft, reduction="batchmean")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    average.update_parameters(model)
"""
TIED = """
class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(12, 8)
        self.mix = nn.GRU(8, 8, batch_first=True)
        self.out = nn.Linear(8, 12, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, ids):
        return self.out(self.mix(self.embed(ids))[0])

words = (torch.arange(9) + torch.randint(0, 12, (64, 1))) % 12
model, loader = Tied(), [(words[i::4, :-1], words[i::4, 1:].reshape(-1)) for i in range(4)]
"""
TIED_LOOP = LOOP.replace("model(x)", "model(x).flatten(0, 1)")
FUNCTIONAL = """
from torch.func import functional_call, grad_and_value, vmap

optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

def objective(weights, x, y):
    return F.cross_entropy(functional_call(model, weights, (x[None],)), y[None])

for x, y in loader:
    weights = {name: p.detach() for name, p in model.named_parameters()}
    gradients, losses = vmap(grad_and_value(objective), in_dims=(None, 0, 0))(weights, x, y)
    for name, p in model.named_parameters():
        p.grad = gradients[name].mean(0)
    optimizer.step()
"""
SOUND = {
    "accelerate": ACCELERATE, "peft": PEFT, "manual": MANUAL, "scaled": SCALED, "averaged": AVERAGED, "tied": TIED + TIED_LOOP,
    "parametrised": PARAMETRISED + LOOP, "functional": FUNCTIONAL,
}  # fmt: skip
"""Trainer, automatic optimisation, compiled and checkpointed programs are among those of test_bit_for_bit.py."""
END = "\nprint(sum(float(p.detach().double().sum()) for p in model.parameters()).hex())\n"


def written(folder: Path, program: str) -> Path:
    path = folder / "train.py"
    path.write_text(START + dedent(program) + END)
    return path


def line_of(run: Run, text: str) -> int:
    lines = (run.folder / "train.py").read_text().splitlines()
    (found,) = [number for number, line in enumerate(lines, 1) if text in line]
    return found


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_program_gets_no_diagnosis_and_ends_with_the_same_bits(name, tmp_path):
    path = written(tmp_path, SOUND[name])
    alone, run = plain(path), whygrad(path, tmp_path)

    assert alone.returncode == run.process.returncode == 0, run.process.stderr
    assert run.process.stdout.splitlines()[-1] == alone.stdout.splitlines()[-1]
    assert not run.record.faults
    assert run.rules == []
    assert run.report["healthy"] is not False


def test_a_whole_graph_that_was_asked_for_is_not_missed_where_recording_ends_inside_of_the_compiled_call(tmp_path):
    run = whygrad(written(tmp_path, COMPILED.replace("backend='eager'", "backend='eager', fullgraph=True")), tmp_path)

    assert run.process.returncode == 0, run.process.stderr
    assert not run.record.faults


def test_compiled_code_that_runs_eagerly_while_it_is_recorded_is_said(tmp_path):
    run = whygrad(written(tmp_path, COMPILED), tmp_path)

    assert any("eager" in limit for limit in run.report["limits"])


FAULTS = {
    "trainer": (HUGGING_FACE.replace("cross_entropy(scores,", "cross_entropy(scores.detach(),"), ("WG301", "WG702"), "scores.detach()"),
    "accelerate": (
        ACCELERATE.replace("accelerator.prepare(model,", "model[2] = nn.Linear(16, 3)\nmodel, optimizer, loader = accelerator.prepare(model,")
        .replace("model, optimizer, loader = model[2]", "model[2]"),
        ("WG401", "WG402"), "optimizer = torch.optim",
    ),
    "peft": (
        PEFT.replace("(p for p in adapted.parameters() if p.requires_grad)", "before").replace("adapted =", "before = list(model.parameters())\nadapted ="),
        ("WG401", "WG402"), "optimizer = torch.optim",
    ),
    "lightning": (LIGHTNING.replace("self.parameters(), lr", "self.body.parameters(), lr"), ("WG401",), "optimizer = torch.optim"),
    "manual": (MANUAL.replace("self.manual_backward(loss)\n", "self.manual_backward(loss)\n        optimizer.zero_grad()\n", 1), ("WG404",), None),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_under_a_library_is_named_at_the_users_line(name, tmp_path):
    program, rules, text = FAULTS[name]
    run = whygrad(written(tmp_path, program), tmp_path)
    found = [diagnosis for diagnosis in run.report["diagnoses"] if diagnosis["rule"] in rules and diagnosis["root_cause"]]

    assert found, run.process.stderr
    assert found[0]["location"]["file"] == "train.py"
    if text is not None:
        assert found[0]["location"]["line"] == line_of(run, text)


def test_the_record_keeps_the_library_calls_between_the_users_frames(tmp_path):
    run = whygrad(written(tmp_path, HUGGING_FACE), tmp_path)
    sites = [op.site for op in run.record.steps[0].graph.ops if op.kind == "cross_entropy" and op.site is not None]

    assert sites
    assert sites[0].line == line_of(run, 'return {"loss"')
    assert any("train()" in frame.text for frame in sites[0].callers)


@pytest.mark.parametrize("call", ["lightning.Trainer(", "trainer = lightning.Trainer("])
def test_what_a_trainer_computes_is_not_called_by_the_trainers_call(call, tmp_path):
    program = LIGHTNING.replace("lightning.Trainer(", call).replace(
        "\n).fit(Module(), loader)", "\n)\ntrainer.fit(Module(), loader)" if "=" in call else "\n).fit(Module(), loader)"
    )
    run = whygrad(written(tmp_path, program.replace("self.body(x)", "self.body(x).detach()")), tmp_path)
    (found,) = (diagnosis for diagnosis in run.report["diagnoses"] if diagnosis["rule"] == "WG301" and diagnosis["root_cause"])

    assert "cuts them off from `loss`" in found["message"]
