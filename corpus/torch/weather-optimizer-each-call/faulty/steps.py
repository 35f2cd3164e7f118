import torch


def make_optimizer(model, settings):
    return torch.optim.SGD(model.parameters(), lr=settings["lr"], momentum=settings["momentum"])


def train_step(model, batch, settings):
    optimizer = make_optimizer(model, settings)
    x, y = batch
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()
