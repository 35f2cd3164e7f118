"""The callbacks of Lightning, Hugging Face and Accelerate on a sound and on a cut model; prints what came of each as JSON."""

import json
import logging
import pathlib
import sys
import tempfile
import warnings

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from whygrad import TrainingFault

warnings.filterwarnings("ignore")
found = {}
torch.manual_seed(0)
x, y = torch.randn(128, 6), torch.randint(0, 3, (128,))
folder = tempfile.mkdtemp()


class Net(nn.Module):
    def __init__(self, cut):
        super().__init__()
        self.first, self.last, self.cut = nn.Linear(6, 8), nn.Linear(8, 3), cut

    def forward(self, x):
        hidden = torch.relu(self.first(x))
        return self.last(hidden.detach() if self.cut else hidden)


def told(report):
    return {"healthy": report.healthy, "causes": [c.name for c in report.root_causes if c.severity != "note"], "faults": report.faults, "steps": report.outcome.steps_seen}


RUNS = {
    "sound": (False, {}, 3),
    "cut": (True, {}, 3),
    "stopped": (True, {"stop_on": "error"}, 3),
    "raised": (True, {"raises": True}, 3),
    "raised at its end": (True, {"raises": True}, 1 / 16),
    "sound and raising": (False, {"raises": True}, 3),
}
"""Whether the model is cut, what is asked of the callback, and epochs."""


def raised(train):
    try:
        train()
    except TrainingFault:
        return True
    return False


def lightning():
    import lightning as L
    from lightning.pytorch.loggers import CSVLogger

    from whygrad.integrations.lightning import WhyGrad

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(L.LightningModule):
        def __init__(self, cut):
            super().__init__()
            self.net = Net(cut)

        def training_step(self, batch, at):
            inputs, labels = batch
            return F.cross_entropy(self.net(inputs), labels)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    for name, (cut, asked, epochs) in RUNS.items():
        callback = WhyGrad(**asked, quiet=True)
        logger = CSVLogger(folder, name=name)
        trainer = L.Trainer(
            max_steps=round(16 * epochs), accelerator="cpu", logger=logger, callbacks=[callback], enable_progress_bar=False, enable_model_summary=False,
            enable_checkpointing=False, log_every_n_steps=1,
        )
        ended = raised(lambda: trainer.fit(Module(cut), DataLoader(TensorDataset(x, y), 8, shuffle=True)))
        metrics = pathlib.Path(logger.log_dir, "metrics.csv")
        header = metrics.read_text().partition("\n")[0].split(",") if metrics.exists() else ()
        logged = sorted(key for key in header if key.startswith("whygrad/"))
        found[f"lightning {name}"] = [told(callback.report), logged, ended]


def hugging_face():
    from transformers import Trainer, TrainingArguments

    from whygrad.integrations.transformers import WhyGrad

    class WithLoss(Net):
        def forward(self, x, labels):
            scores = super().forward(x)
            return {"loss": F.cross_entropy(scores, labels), "logits": scores}

    data = [{"x": row, "labels": label} for row, label in zip(x, y)]
    for name, (cut, asked, epochs) in RUNS.items():
        callback = WhyGrad(**asked, quiet=True)
        arguments = TrainingArguments(folder, num_train_epochs=epochs, report_to=[], disable_tqdm=True, use_cpu=True, logging_steps=1000, save_strategy="no")
        trainer = Trainer(WithLoss(cut), arguments, train_dataset=data, callbacks=[callback])
        ended = raised(trainer.train)
        logged = sorted({key for row in trainer.state.log_history for key in row if key.startswith("whygrad/")})
        found[f"transformers {name}"] = [told(callback.report), logged, ended]


def accelerate():
    from accelerate import Accelerator
    from accelerate.tracking import GeneralTracker

    from whygrad.integrations.accelerate import watch

    class Kept(GeneralTracker):
        name, requires_logging_directory, main_process_only = "kept", False, True
        tracker = None

        def __init__(self):
            self.rows = []
            super().__init__()

        def store_init_configuration(self, values):
            pass

        def log(self, values, step=None, **kwargs):
            self.rows.append(values)

    for name, cut in (("sound", False), ("cut", True)):
        kept = Kept()
        accelerator = Accelerator(cpu=True, log_with=kept)
        accelerator.init_trackers("project")
        model = Net(cut)
        model, optimizer, loader = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.1), DataLoader(TensorDataset(x, y), 8))
        with watch(accelerator, model, optimizer) as watching:
            for inputs, labels in loader:
                optimizer.zero_grad()
                accelerator.backward(F.cross_entropy(model(inputs), labels))
                optimizer.step()
        found[f"accelerate {name}"] = [told(watching.report), sorted({key for row in kept.rows for key in row if key.startswith("whygrad/")}), False]


{"lightning": lightning, "transformers": hugging_face, "accelerate": accelerate}[sys.argv[1]]()
print(json.dumps(found))
