import tempfile

import torch
from fingerprint import end, seed
from transformers import LlamaConfig, LlamaForCausalLM, PrinterCallback, Trainer, TrainingArguments

seed(3)
config = LlamaConfig(vocab_size=40, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=32)
model = LlamaForCausalLM(config)
rows = [{"input_ids": ids, "labels": ids, "attention_mask": torch.ones_like(ids)} for ids in torch.randint(0, 40, (16, 8))]
with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder, per_device_train_batch_size=2, gradient_accumulation_steps=2, max_steps=4, report_to=[], save_strategy="no",
        disable_tqdm=True, use_cpu=True, logging_strategy="no", seed=3,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=rows)
    trainer.remove_callback(PrinterCallback)  # it prints seconds
    result = trainer.train()
end([result.training_loss], model, trainer.optimizer)
