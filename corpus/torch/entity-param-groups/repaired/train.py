import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self, vocab, dim, tags):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.rnn = nn.GRU(dim, dim, batch_first=True)
        self.fc = nn.Linear(dim, tags)
        self.transition = nn.Parameter(torch.zeros(tags, tags))

    def forward(self, ids):
        h, _ = self.rnn(self.embed(ids))
        scores = self.fc(h)
        carry = scores[:, :-1].softmax(-1) @ self.transition
        return torch.cat([scores[:, :1], scores[:, 1:] + carry], dim=1)


class TagTrainer:
    def __init__(self, model, lr=5e-3, head_lr=2e-2):
        self.model = model
        self.lr, self.head_lr = lr, head_lr
        self.before_train()

    def before_train(self):
        groups = []
        body = {"lr": self.lr, "weight_decay": 1e-2, "params": []}
        for name, p in self.model.named_parameters():
            if name.startswith(("embed", "rnn")):
                body["params"].append(p)
        groups.append(body)
        head = {"lr": self.head_lr, "weight_decay": 0.0, "params": []}
        for name, p in self.model.named_parameters():
            if name.startswith(("fc", "transition")):
                head["params"].append(p)
        groups.append(head)
        self.optimizer = torch.optim.AdamW(groups)

    def train(self, batches):
        self.model.train()
        for step, (ids, tags) in enumerate(batches, 1):
            scores = self.model(ids)
            loss = nn.functional.cross_entropy(scores.transpose(1, 2), tags)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if step % 20 == 0:
                acc = (scores.argmax(-1) == tags).float().mean()
                print(f"step {step} loss {loss.item():.3f} tag accuracy {acc.item():.3f}")


def batches(steps, gen, vocab=36, tags=9):
    table = torch.randint(0, tags, (vocab,), generator=gen)
    for _ in range(steps):
        ids = torch.randint(0, vocab, (24, 10), generator=gen)
        yield ids, table[ids]


if __name__ == "__main__":
    torch.manual_seed(2)
    TagTrainer(Tagger(36, 12, 9)).train(batches(100, torch.Generator().manual_seed(3)))
