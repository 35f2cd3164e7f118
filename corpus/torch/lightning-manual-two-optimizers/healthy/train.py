import logging
import warnings

import lightning as L
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
for name in ("lightning.pytorch", "lightning.fabric"):
    logging.getLogger(name).setLevel(logging.ERROR)


class AdversarialAutoencoder(L.LightningModule):
    """Codes are pushed to a standard normal by a small judge."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.enc = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 2))
        self.dec = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 10))
        self.judge = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def training_step(self, batch, batch_idx):
        (x,) = batch
        opt_ae, opt_judge = self.optimizers()

        self.toggle_optimizer(opt_ae)
        z = self.enc(x)
        rec = F.mse_loss(self.dec(z), x)
        fool = F.softplus(-self.judge(z)).mean()
        opt_ae.zero_grad()
        self.manual_backward(rec + 0.02 * fool)
        opt_ae.step()
        self.untoggle_optimizer(opt_ae)

        self.toggle_optimizer(opt_judge)
        real = self.judge(torch.randn_like(z))
        fake = self.judge(z.detach())
        d = F.softplus(-real).mean() + F.softplus(fake).mean()
        opt_judge.zero_grad()
        self.manual_backward(d)
        opt_judge.step()
        self.untoggle_optimizer(opt_judge)
        self.log_dict({"rec": rec, "judge": d}, on_step=False, on_epoch=True)

    def on_train_epoch_end(self):
        m = self.trainer.callback_metrics
        if self.current_epoch % 3 == 2:
            print(f"epoch {self.current_epoch} reconstruction {m['rec']:.4f} judge {m['judge']:.3f}")

    def configure_optimizers(self):
        ae = torch.optim.Adam([*self.enc.parameters(), *self.dec.parameters()], lr=5e-3)
        return [ae, torch.optim.Adam(self.judge.parameters(), lr=2e-3)], []


def main():
    L.seed_everything(65, verbose=False)
    u = torch.rand(512, 2) * 2 - 1
    x = torch.tanh(u @ torch.randn(2, 10)) + 0.02 * torch.randn(512, 10)
    trainer = L.Trainer(max_epochs=12, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
                        enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(AdversarialAutoencoder(), DataLoader(TensorDataset(x), batch_size=32, shuffle=True))


main()
