import torch


def length_mask(lengths, max_len):
    steps = torch.arange(max_len).unsqueeze(0)
    return steps < lengths.unsqueeze(1)


def pad_batch(items):
    lengths = torch.tensor([len(v) for v, _ in items])
    top = 24
    values = torch.zeros(len(items), top, items[0][0].size(1))
    target = torch.zeros(len(items), top)
    for row, (v, t) in enumerate(items):
        values[row, :len(v)] = v
        target[row, :len(t)] = t
    return values, target, length_mask(lengths, top)
