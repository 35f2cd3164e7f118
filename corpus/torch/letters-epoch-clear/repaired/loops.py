import torch


def run_epoch(model, loader, loss_fn, optimizer):
    model.train()
    total, right, count = 0.0, 0, 0
    for image, letter in loader:
        scores = model(image)
        loss = loss_fn(scores, letter)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(letter)
        right += (scores.argmax(1) == letter).sum().item()
        count += len(letter)
    return total / count, right / count


@torch.no_grad()
def run_eval(model, loader):
    model.eval()
    right = sum((model(image).argmax(1) == letter).sum().item() for image, letter in loader)
    return right / len(loader.dataset)
