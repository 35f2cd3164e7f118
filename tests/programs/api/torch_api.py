"""Every way into whygrad from Python, in PyTorch; prints what came of each as JSON."""

import json
import random

import torch
from torch import nn
from torch.nn import functional as F

import whygrad

found = {}
torch.manual_seed(0)
x, y = torch.randn(16, 6), torch.randint(0, 3, (16,))


class Net(nn.Module):
    def __init__(self, cut=False):
        super().__init__()
        self.first, self.norm, self.drop, self.last = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.1), nn.Linear(8, 3)
        self.cut = cut

    def forward(self, x):
        hidden = self.drop(torch.relu(self.norm(self.first(x))))
        if self.cut:
            hidden = hidden.detach()
        return self.last(hidden)


def told(report):
    return {"healthy": report.healthy, "causes": [(c.name, c.site.text.strip() if c.site else "") for c in report.root_causes], "faults": report.faults}


def train(model, optimizer, steps=3, zero=True):
    for _ in range(steps):
        if zero:
            optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()


def bits(model):
    state = [t.clone() for t in model.state_dict().values()]
    return state, [p.grad for p in model.parameters()], torch.get_rng_state(), random.getstate()


def same(one, other):
    return (
        all(torch.equal(a, b) for a, b in zip(one[0], other[0])) and all(a is b for a, b in zip(one[1], other[1]))
        and torch.equal(one[2], other[2]) and one[3] == other[3]
    )


model = Net()
before = bits(model)
report = whygrad.diagnose(model, F.cross_entropy, x, y)
found["untouched"] = same(before, bits(model))
found["sound"] = told(report)
before = bits(model)
found["text"], found["html"] = str(report), report._repr_html_()
found["label_sensitivity"] = report.measures.label_sensitivity
found["learns"] = whygrad.learns(model, F.cross_entropy, x, y)
found["untouched"] = found["untouched"] and same(before, bits(model))
found["cut"] = told(whygrad.diagnose(Net(cut=True), F.cross_entropy, x, y))
found["unused"] = told(whygrad.diagnose(model, lambda scores, labels: scores.pow(2).mean(), x, y))
found["raises"] = told(whygrad.diagnose(model, F.cross_entropy, x, y[:15]))
try:
    whygrad.diagnose(object(), F.cross_entropy, x, y)
except whygrad.WhygradError as problem:
    found["unknown"] = str(problem)

model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with whygrad.recording() as run:
    train(model, optimizer)
found["recording"] = told(run.report)
found["nested"] = None
with whygrad.recording() as outer:
    with whygrad.recording() as inner:
        train(model, optimizer)
found["nested"] = [inner.report is None, told(outer.report)]
try:
    with whygrad.recording() as run:
        loss = F.cross_entropy(model(x), F.one_hot(y, 4).float())
except (RuntimeError, ValueError) as problem:
    found["went on"] = [type(problem).__name__, told(run.report)]

forgotten = torch.optim.SGD(model.parameters(), lr=0.1)
with whygrad.watch(model, forgotten) as watch:
    for _ in range(3):
        F.cross_entropy(model(x), y).backward()
found["no step"] = told(watch.report)

logged = []
with whygrad.watch(model, optimizer, log=lambda figures, step: logged.append((step, sorted(figures)))) as watch:
    train(model, optimizer)
found["watch"], found["logged"] = told(watch.report), logged

cut = Net(cut=True)
optimizer = torch.optim.SGD(cut.parameters(), lr=0.1)
watch = whygrad.watch(cut, optimizer, stop_on="error")
steps = 0
try:
    for _ in range(100):
        train(cut, optimizer, 1)
        steps += 1
        watch.check()
except whygrad.TrainingFault as fault:
    found["stopped"] = [steps, told(fault.report), watch.report is not None]
def broken(figures, step):
    raise OSError("disk full")
with whygrad.watch(model, log=broken) as watch:
    train(model, torch.optim.SGD(model.parameters(), lr=0.1))
found["broken log"] = [told(watch.report), watch.report.limits]
print(json.dumps(found))
