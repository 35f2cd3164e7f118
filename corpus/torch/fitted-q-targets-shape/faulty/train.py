import torch

from agent.learner import Learner
from agent.memory import Replay

N_STATE, N_ACTION = 4, 3


def reward_of(state, action, prefer):
    return float((state @ prefer[action]).item())


def main():
    torch.manual_seed(9)
    prefer = torch.randn(N_ACTION, N_STATE)
    learner, memory = Learner(N_STATE, N_ACTION), Replay(seed=9)
    for _ in range(500):
        s = torch.randn(N_STATE)
        a = int(torch.randint(0, N_ACTION, (1,)))
        memory.push(s, a, reward_of(s, a, prefer))
    for it in range(120):
        loss = learner.update(memory.sample(64))
        if it % 20 == 0:
            print(f"update {it:3d} td {loss:.4f}")
    tests = torch.randn(200, N_STATE)
    values = tests @ prefer.T
    picked = values.gather(1, learner.greedy(tests).unsqueeze(1)).mean().item()
    print(f"reward of greedy policy {picked:.3f}, best possible {values.max(1).values.mean().item():.3f}")


if __name__ == "__main__":
    main()
