import tempfile

import torch
from torch import nn
from transformers import DataCollatorForTokenClassification, DistilBertConfig, DistilBertForTokenClassification, Trainer, TrainingArguments, set_seed


class Padder:
    """The few things that the collator asks of a tokenizer."""

    padding_side = "right"
    pad_token_id = 0

    def pad(self, features, return_tensors=None, **kw):
        width = max(len(f["input_ids"]) for f in features)
        ids = torch.zeros(len(features), width, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for i, f in enumerate(features):
            ids[i, :len(f["input_ids"])] = torch.tensor(f["input_ids"])
            mask[i, :len(f["input_ids"])] = 1
        return {"input_ids": ids, "attention_mask": mask}


def sentence(g):
    ids, labels = [], []
    for _ in range(int(torch.randint(4, 8, (), generator=g))):
        w = int(torch.randint(1, 25, (), generator=g))
        ids.append(w)
        labels.append(1 if w > 18 else 2 if w > 12 else 0)
        if w % 3 == 0:
            ids.append(25 + w % 5)
            labels.append(-100)
    return {"input_ids": ids, "labels": labels}


class WeightedTrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        weight = torch.tensor([0.5, 1.0, 1.0])
        loss = nn.functional.cross_entropy(outputs.logits.transpose(1, 2), labels, weight=weight, ignore_index=-100)
        return (loss, outputs) if return_outputs else loss


def accuracy(p):
    keep = p.label_ids != -100
    return {"accuracy": float((p.predictions.argmax(-1)[keep] == p.label_ids[keep]).mean())}


if __name__ == "__main__":
    set_seed(60)
    g = torch.Generator().manual_seed(60)
    model = DistilBertForTokenClassification(DistilBertConfig(vocab_size=32, dim=32, n_layers=1, n_heads=2, hidden_dim=64, max_position_embeddings=16, num_labels=3))
    with tempfile.TemporaryDirectory() as out:
        trainer = WeightedTrainer(
            model=model,
            args=TrainingArguments(out, max_steps=60, per_device_train_batch_size=16, learning_rate=5e-3, logging_steps=15, save_strategy="no",
                                   report_to="none", use_cpu=True, disable_tqdm=True, dataloader_pin_memory=False, remove_unused_columns=False),
            train_dataset=[sentence(g) for _ in range(320)],
            eval_dataset=[sentence(g) for _ in range(60)],
            data_collator=DataCollatorForTokenClassification(Padder()),
            compute_metrics=accuracy,
        )
        trainer.train()
        print(trainer.evaluate()["eval_accuracy"])
