import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

VOCAB = 80
PRAISE, BLAME = range(1, 20), range(20, 39)


class Reviews(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.rows = []
        for _ in range(n):
            length = int(torch.randint(6, 20, (1,), generator=g))
            mood = int(torch.randint(0, 2, (1,), generator=g))
            words = torch.randint(39, VOCAB, (length,), generator=g)
            spots = torch.randperm(length, generator=g)[:length // 3]
            words[spots] = torch.randint(1, 20, (len(spots),), generator=g) + 19 * (1 - mood)
            self.rows.append((words, float(mood)))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


def collate(batch):
    words, moods = zip(*batch)
    lengths = torch.tensor([len(w) for w in words])
    lengths, order = lengths.sort(descending=True)
    words = pad_sequence([words[i] for i in order], batch_first=True)
    return words, lengths, torch.tensor(moods)
