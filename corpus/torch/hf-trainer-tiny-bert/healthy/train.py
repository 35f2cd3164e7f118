import tempfile

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed


class Reviews(torch.utils.data.Dataset):
    """Token lists; words 10-19 speak for class 1, words 20-29 for class 0."""

    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.rows = []
        for i in range(n):
            label = int(rng.integers(0, 2))
            words = rng.integers(30, 60, size=12)
            at = rng.choice(12, size=5, replace=False)
            words[at] = rng.integers(10, 20, size=5) if label else rng.integers(20, 30, size=5)
            self.rows.append((np.concatenate([[2], words, [3]]), label))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        ids, label = self.rows[i]
        return {"input_ids": torch.tensor(ids), "attention_mask": torch.ones(len(ids), dtype=torch.long), "labels": label}


def compute_metrics(p):
    return {"accuracy": float((p.predictions.argmax(-1) == p.label_ids).mean())}


def main():
    set_seed(13)
    model = BertForSequenceClassification(
        BertConfig(vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
                   max_position_embeddings=16, num_labels=2)
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=folder, num_train_epochs=3, per_device_train_batch_size=16, learning_rate=3e-3,
                lr_scheduler_type="linear", warmup_steps=5, logging_steps=20, save_strategy="no", report_to="none",
                use_cpu=True, disable_tqdm=True, seed=13, dataloader_pin_memory=False,
            ),
            train_dataset=Reviews(400, 1),
            eval_dataset=Reviews(100, 2),
            compute_metrics=compute_metrics,
        )
        trainer.train()
        print(trainer.evaluate())


if __name__ == "__main__":
    main()
