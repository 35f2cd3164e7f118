import torch
import torch.nn as nn
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.utils.data import DataLoader, TensorDataset


class TabularAttention(nn.Module):
    def __init__(self, columns, d=16, classes=2):
        super().__init__()
        self.scale = nn.Parameter(torch.randn(columns, d) * 0.5)
        self.shift = nn.Parameter(torch.zeros(columns, d))
        self.attn = nn.MultiheadAttention(d, 2, batch_first=True)
        self.norm = nn.LayerNorm(d)
        self.head = nn.Linear(columns * d, classes)

    def forward(self, x):
        t = x.unsqueeze(-1) * self.scale + self.shift
        t = self.norm(t + self.attn(t, t, t, need_weights=False)[0])
        return self.head(t.flatten(1))


def get_loaders():
    x = torch.randn(640, 6)
    y = ((x[:, 0] * x[:, 1] > 0) & (x[:, 2] > -0.5)).long()
    tr, te = TensorDataset(x[:512], y[:512]), TensorDataset(x[512:], y[512:])
    return DataLoader(tr, batch_size=16, shuffle=True), DataLoader(te, batch_size=128)


def main():
    set_seed(32)
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    train, test = get_loaders()
    model = TabularAttention(6)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    model, optimizer, train, test = accelerator.prepare(model, optimizer, train, test)
    for epoch in range(8):
        model.train()
        for x, y in train:
            with accelerator.accumulate(model):
                loss = nn.functional.cross_entropy(model(x), y)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
        model.eval()
        with torch.no_grad():
            hits = [accelerator.gather_for_metrics((model(x).argmax(1) == y).float()) for x, y in test]
        accelerator.print(f"epoch {epoch} loss {loss.item():.3f} acc {torch.cat(hits).mean().item():.3f}")


if __name__ == "__main__":
    main()
