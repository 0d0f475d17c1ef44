"""PyTorch: a cell loop (manual), nn.RNN (builtin), or the cell loop under torch.compile (compiled)."""

import sys

import torch
from torch.nn import functional as F

from worker import LEARNING_RATE, Task, TrainChunk, serve


class ManualRnn(torch.nn.Module):
    def __init__(self, task: Task):
        super().__init__()
        self.C = task.size.C
        self.W = torch.nn.Parameter(torch.from_numpy(task.W.copy()))
        self.b = torch.nn.Parameter(torch.zeros(task.size.H))
        self.V = torch.nn.Parameter(torch.from_numpy(task.V.copy()))
        self.c = torch.nn.Parameter(torch.zeros(task.size.C))

    def forward(self, inputs: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """inputs [B, T], state [B, H]; logits [B, T, C] and the state after the window."""
        hidden = []
        for x_t in F.one_hot(inputs, self.C).float().unbind(1):
            state = torch.tanh(torch.addmm(self.b, torch.cat([x_t, state], 1), self.W))
            hidden.append(state)
        return torch.stack(hidden, 1) @ self.V + self.c, state


class BuiltinRnn(torch.nn.Module):
    def __init__(self, task: Task):
        super().__init__()
        C, H = task.size.C, task.size.H
        self.C = C
        self.rnn = torch.nn.RNN(C, H, batch_first=True)
        self.readout = torch.nn.Linear(H, C)
        with torch.no_grad():
            self.rnn.weight_ih_l0.copy_(torch.from_numpy(task.W[:C].T))
            self.rnn.weight_hh_l0.copy_(torch.from_numpy(task.W[C:].T))
            self.rnn.bias_ih_l0.zero_()
            self.rnn.bias_hh_l0.zero_().requires_grad_(False)  # One bias, as the others have.
            self.readout.weight.copy_(torch.from_numpy(task.V.T))
            self.readout.bias.zero_()

    def forward(self, inputs: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As ManualRnn's."""
        hidden, last = self.rnn(F.one_hot(inputs, self.C).float(), state[None])
        return self.readout(hidden), last[0]


def make(variant: str, task: Task) -> TrainChunk:
    torch.manual_seed(0)
    model = BuiltinRnn(task) if variant == "builtin" else ManualRnn(task)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], LEARNING_RATE)

    def loss_and_state(inputs: torch.Tensor, targets: torch.Tensor, state: torch.Tensor):
        logits, state = model(inputs, state)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten()), state

    if variant == "compiled":
        torch._dynamo.reset()
        loss_and_state = torch.compile(loss_and_state, dynamic=False)

    inputs = torch.from_numpy(task.inputs).long()
    targets = torch.from_numpy(task.targets).long()
    windows = [list(zip(x.unbind(0), y.unbind(0))) for x, y in zip(inputs, targets)]
    state = torch.zeros(task.size.B, task.size.H)

    def train_chunk(chunk: int) -> float:
        nonlocal state
        losses = []
        for x, y in windows[chunk]:
            loss, state = loss_and_state(x, y, state)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            state = state.detach()
            losses.append(loss.detach())
        return torch.stack(losses).mean().item()

    return train_chunk


torch.set_num_threads(1)
serve(f"PyTorch {torch.__version__}", lambda task: make(sys.argv[1], task))
