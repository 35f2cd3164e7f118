import torch
import torch.nn as nn
import torch.nn.functional as F


class GraphConv(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(i, o))
        self.bias = nn.Parameter(torch.zeros(o))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, adj):
        return adj @ (x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass, p=0.3):
        super().__init__()
        self.gc1, self.gc2, self.p = GraphConv(nfeat, nhid), GraphConv(nhid, nclass), p

    def forward(self, x, adj):
        x = F.dropout(F.relu(self.gc1(x, adj)), self.p, training=self.training)
        return F.log_softmax(self.gc2(x, adj), dim=1)


def block_graph(n=180, classes=3, p_in=0.12, p_out=0.015):
    y = torch.arange(n) % classes
    same = y[:, None] == y[None]
    a = (torch.rand(n, n) < torch.where(same, p_in, p_out)).float().triu(1)
    a = a + a.t() + torch.eye(n)
    d = a.sum(1).rsqrt()
    x = torch.randn(n, 16)
    x[:, :classes] += 0.7 * F.one_hot(y, classes)
    return x, d[:, None] * a * d[None], y


torch.manual_seed(45)
features, adj, labels = block_graph()
idx = torch.randperm(180)
idx_train, idx_test = idx[:30], idx[30:]
model = GCN(16, 16, 3)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02, weight_decay=5e-4)
for epoch in range(80):
    model.train()
    optimizer.zero_grad()
    output = model(features, adj)
    loss_train = F.nll_loss(output[idx_train], labels[idx_train])
    loss_train.backward()
    optimizer.step()
    if epoch % 20 == 19:
        model.eval()
        with torch.no_grad():
            acc = (model(features, adj)[idx_test].argmax(1) == labels[idx_test]).float().mean()
        print(f"epoch {epoch + 1} loss {loss_train.item():.3f} test accuracy {acc.item():.3f}")
