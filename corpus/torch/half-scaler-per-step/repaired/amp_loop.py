import torch


class AmpLoop:
    def __init__(self, model, optimizer, loss_fn):
        self.model, self.optimizer, self.loss_fn = model, optimizer, loss_fn
        self.last_scale = None
        self.scaler = torch.amp.GradScaler("cpu")

    def step(self, x, y):
        scaler = self.scaler
        self.optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16):
            out = self.model(x)
            loss = self.loss_fn(out, y)
        scaler.scale(loss).backward()
        scaler.step(self.optimizer)
        scaler.update()
        self.last_scale = scaler.get_scale()
        return loss.item() / len(x)
