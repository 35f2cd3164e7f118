import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from decoder import SmallDecoder
from sft_data import IGNORE, InstructionSet

ARGS = {
    "vocab": 13,
    "prompt_len": 12,
    "max_length": 20,
    "batch": 64,
    "lr": 5e-3,
    "epochs": 12,
}


def lm_loss(logits, labels):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORE)


def main(a):
    torch.manual_seed(1)
    data = InstructionSet(512, a["prompt_len"], a["max_length"], a["vocab"])
    model = SmallDecoder(a["vocab"])
    opt = torch.optim.AdamW(model.parameters(), lr=a["lr"], weight_decay=0.0)
    sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1.0, (s + 1) / 10))
    for epoch in range(a["epochs"]):
        for ids, labels in DataLoader(data, a["batch"], shuffle=True):
            loss = lm_loss(model(ids), labels)
            opt.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            sched.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")


if __name__ == "__main__":
    main(ARGS)
