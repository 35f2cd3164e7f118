"""A watched loop whose figures go to W&B, MLflow and TensorBoard; prints what each of them holds afterwards as JSON."""

import json
import os
import tempfile

import torch

import whygrad

folder = tempfile.mkdtemp()
os.environ |= {"WANDB_SILENT": "true", "WANDB_MODE": "offline", "WANDB_DIR": folder, "MLFLOW_ALLOW_FILE_STORE": "true"}


def train(log):
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with whygrad.watch(model, optimizer, log=log):
        for _ in range(4):
            x = torch.randn(16, 4)
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
            optimizer.step()


def wandb():
    import wandb

    with wandb.init(project="watched") as run:
        train(run)
        run.log({"trained": True})  # a step counts once the next begins
        return {name: value for name, value in dict(run.summary).items() if name.startswith("whygrad/")}


def mlflow():
    import mlflow

    mlflow.set_tracking_uri(f"file:{folder}/mlruns")
    mlflow.set_experiment("watched")
    with mlflow.start_run() as run:
        train(mlflow)
    return mlflow.get_run(run.info.run_id).data.metrics


def tensorboard():
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(folder) as writer:
        train(writer)
    events = EventAccumulator(folder).Reload()
    return {name: events.Scalars(name)[-1].value for name in events.Tags()["scalars"]}


print(json.dumps({logger.__name__: logger() for logger in (wandb, mlflow, tensorboard)}))
