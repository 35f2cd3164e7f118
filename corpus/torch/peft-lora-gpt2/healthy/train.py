import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformers import GPT2Config, GPT2LMHeadModel, set_seed

VOCAB, LENGTH = 16, 14


def rows(n, stride):
    start = torch.randint(0, VOCAB, (n, 1))
    return (start + stride * torch.arange(LENGTH)) % VOCAB


def train(model, optimizer, stride, steps, name):
    model.train()
    for step in range(steps):
        ids = rows(32, stride)
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 20 == 0 or step == steps - 1:
            print(f"{name} step {step} loss {loss.item():.3f}")


if __name__ == "__main__":
    set_seed(4)
    base = GPT2LMHeadModel(GPT2Config(
        vocab_size=VOCAB, n_positions=LENGTH, n_embd=32, n_layer=2, n_head=2, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        bos_token_id=0, eos_token_id=0,
    ))
    train(base, torch.optim.AdamW(base.parameters(), lr=5e-3), stride=1, steps=60, name="pretrain")
    peft_model = get_peft_model(base, LoraConfig(
        task_type=TaskType.CAUSAL_LM, r=8, lora_alpha=16, lora_dropout=0.0, target_modules=["c_attn", "c_fc"], fan_in_fan_out=True,
    ))
    peft_model.print_trainable_parameters()
    train(peft_model, torch.optim.AdamW(filter(lambda p: p.requires_grad, peft_model.parameters()), lr=1e-2), stride=3, steps=100, name="adapt")
