import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

PAD, START, WORDS, WIDTH = 0, 1, 30, 40


class Captions(Dataset):
    def __init__(self, n=256, seed=319):
        g = torch.Generator().manual_seed(seed)
        self.scene = torch.randint(0, 10, (n,), generator=g)
        self.image = torch.nn.functional.one_hot(self.scene, 10).float() + 0.1 * torch.randn(n, 10, generator=g)
        phrase = torch.randint(2, WORDS, (10, 4), generator=g)
        self.text = [phrase[s][: 2 + s % 3] for s in self.scene.tolist()]

    def __len__(self):
        return len(self.text)

    def __getitem__(self, i):
        return self.image[i], self.text[i]


def gather(batch):
    image, text = zip(*batch)
    rows = pad_sequence([torch.cat([torch.tensor([START]), t]) for t in text], batch_first=True, padding_value=PAD)
    full = torch.full((len(rows), WIDTH), PAD)
    full[:, :rows.size(1)] = rows
    return torch.stack(image), full


class Captioner(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.begin = nn.Linear(10, hidden)
        self.embed = nn.Embedding(WORDS, hidden, padding_idx=PAD)
        self.cell = nn.GRU(hidden, hidden, batch_first=True)
        self.word = nn.Linear(hidden, WORDS)

    def forward(self, image, tokens):
        h0 = torch.tanh(self.begin(image)).unsqueeze(0)
        return self.word(self.cell(self.embed(tokens), h0)[0])


def main():
    torch.manual_seed(319)
    data = Captions()
    net = Captioner()
    criterion = nn.CrossEntropyLoss()
    opt = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
    for epoch in range(6):
        right = words = 0
        for image, tokens in DataLoader(data, 32, shuffle=True, collate_fn=gather):
            scores = net(image, tokens[:, :-1])
            nxt = tokens[:, 1:]
            loss = criterion(scores.flatten(0, 1), nxt.flatten())
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            right += ((scores.argmax(-1) == nxt) & (nxt != PAD)).sum().item()
            words += (nxt != PAD).sum().item()
        print(f"epoch {epoch} loss {loss.item():.4f} words right {right / words:.3f}")


main()
