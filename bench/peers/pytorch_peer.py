"""PyTorch: a cell loop (manual), nn.RNN (builtin), or the cell loop under torch.compile (compiled), which on a GPU can
record it in CUDA graphs (reduce-overhead). On the CPU, or on a device that is named after the variant."""

import sys

import torch
from torch.nn import functional as F

from worker import Task, TrainChunk, serve

COMPILE_MODES = {"compiled": "default", "reduce-overhead": "reduce-overhead"}


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


def make(variant: str, device: str, task: Task) -> TrainChunk:
    torch.manual_seed(0)
    model = (BuiltinRnn(task) if variant == "builtin" else ManualRnn(task)).to(device)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], task.learning_rate)

    def loss_and_state(inputs: torch.Tensor, targets: torch.Tensor, state: torch.Tensor):
        logits, state = model(inputs, state)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten()), state

    if variant in COMPILE_MODES:
        torch._dynamo.reset()
        loss_and_state = torch.compile(loss_and_state, dynamic=False, mode=COMPILE_MODES[variant])
    has_graphs = variant == "reduce-overhead"  # whose outputs the next window overwrites
    synchronize = torch.cuda.synchronize if device == "cuda" else lambda: None

    inputs = torch.from_numpy(task.inputs).long().to(device)
    targets = torch.from_numpy(task.targets).long().to(device)
    windows = [list(zip(x.unbind(0), y.unbind(0))) for x, y in zip(inputs, targets)]
    state = torch.zeros(task.size.B, task.size.H, device=device)

    def train_chunk(chunk: int) -> float:
        nonlocal state
        losses = []
        for x, y in windows[chunk]:
            if has_graphs:
                torch.compiler.cudagraph_mark_step_begin()
            optimizer.zero_grad()
            loss, state = loss_and_state(x, y, state)
            loss.backward()
            optimizer.step()
            loss, state = loss.detach(), state.detach()
            if has_graphs:
                loss, state = loss.clone(), state.clone()
            losses.append(loss)
        synchronize()
        return torch.stack(losses).mean().item()

    return train_chunk


def version(device: str) -> str:
    cudnn = f" with cuDNN {torch.backends.cudnn.version()}" if device == "cuda" else ""
    return f"PyTorch {torch.__version__}{cudnn}"


def main(variant: str, device: str = "cpu") -> None:
    torch.set_num_threads(1)
    if device == "cuda":  # as in Unroll
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    serve(version(device), lambda task: make(variant, device, task))


main(*sys.argv[1:])
