import torch
from torch.utils.data import Dataset

IGNORE = -100


class InstructionSet(Dataset):
    """Prompt of random symbols; the answer repeats its first four, reversed."""

    def __init__(self, n, prompt_len, max_length, vocab, seed=1):
        g = torch.Generator().manual_seed(seed)
        self.max_length = max_length
        self.prompts = torch.randint(3, vocab, (n, prompt_len), generator=g)
        self.answers = self.prompts[:, :4].flip(1)

    def __len__(self):
        return len(self.prompts)

    def __getitem__(self, i):
        prompt, answer = self.prompts[i], self.answers[i]
        ids = torch.cat([prompt, torch.tensor([1]), answer, torch.tensor([2])])
        labels = ids.clone()
        labels[:len(prompt) + 1] = IGNORE
        return ids[:self.max_length], labels[:self.max_length]
