import torch
import torch.nn.functional as F


class Engine:
    def __init__(self, model, lr, use_bfloat16):
        self.model = model
        self.use_bfloat16 = use_bfloat16
        self.opt = torch.optim.SGD(model.parameters(), lr=lr)

    def loss(self, frames, following):
        return F.mse_loss(self.model(frames).float(), following)

    def train_step(self, frames, following):
        if self.use_bfloat16:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = self.loss(frames, following)
            self.opt.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 10.0)
            self.opt.step()
        else:
            loss = self.loss(frames, following)
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
        return loss.item()
