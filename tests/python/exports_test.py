"""What Unroll writes, read by Python: a run's weights and last checkpoint, and an exported model.

    exports_test.py BIN_FOLDER

Exits with 77, which CTest shows as skipped, where torch or safetensors cannot be imported.
"""

import json
import subprocess
import sys
import tempfile
import warnings

try:
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

# Of logits up to 4. Two ways to compute the logits of 10,000 symbols were at most 1.3e-6 and 1.9e-15 apart, with the
# weights of 20 seeds and LibTorch's arithmetic of SSE4, AVX2 and AVX-512.
TOLERANCE = {"float32": 5e-6, "float64": 1e-14}


class Network(torch.nn.Module):
    """The modules that a weights file is written for."""

    def __init__(self, num_classes, hidden_size):
        super().__init__()
        self.num_classes = num_classes
        self.rnn = torch.nn.RNN(num_classes, hidden_size, batch_first=True)
        self.readout = torch.nn.Linear(hidden_size, num_classes)

    def forward(self, inputs, state):
        one_hot = torch.nn.functional.one_hot(inputs, self.num_classes).to(state.dtype)
        hidden, last = self.rnn(one_hot, state.unsqueeze(0))
        return self.readout(hidden), last.squeeze(0)


def expect_equal(what, dtype, left, right):
    difference = (left - right).abs().max().item()
    assert difference <= TOLERANCE[dtype], f"{what} differ by {difference}"
    print(f"{what}: within {difference:.1e}")


def expect_weights_in_checkpoint(run, weights):
    checkpoint = load_file(f"{run}/checkpoints/last.safetensors")
    for name, tensor in weights.items():
        assert torch.equal(checkpoint[name], tensor), name
    state = checkpoint["state"]
    assert state.shape == (3, 7) and state.abs().max() <= 1, state
    with safe_open(f"{run}/checkpoints/last.safetensors", "pt") as file:
        progress = json.loads(file.metadata()["progress"])
    assert (progress["epoch"], progress["windows"]) == (1, 1000), progress
    print(f"{run}: the last checkpoint's weights are the final ones")


def check(bin_folder, folder, model, dtype):
    run = f"{folder}/{model}-{dtype}"
    subprocess.run(
        [f"{bin_folder}/unroll-train", "--model", model, "--dtype", dtype, "--hidden-size", "7", "--epochs", "1",
         "--series-length", "30000", "--out", run, "--quiet"],
        check=True, stdout=subprocess.DEVNULL)
    subprocess.run([f"{bin_folder}/unroll-export", run, "--output", f"{run}.pt"], check=True,
                   stdout=subprocess.DEVNULL)

    network = Network(2, 7).to(getattr(torch, dtype))
    weights = load_file(f"{run}/weights.safetensors")
    network.load_state_dict(weights, strict=True)
    expect_weights_in_checkpoint(run, weights)
    extra_files = {"unroll.json": ""}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        exported = torch.jit.load(f"{run}.pt", _extra_files=extra_files)
    with open(f"{run}/summary.json") as file:
        assert json.loads(extra_files["unroll.json"])["summary"] == json.load(file)
    assert set(exported.state_dict()) == set(network.state_dict())

    generator = torch.Generator().manual_seed(0)
    inputs = torch.randint(0, 2, (4, 25), generator=generator)
    state = torch.rand((4, 7), generator=generator).to(getattr(torch, dtype))
    for name, ours, theirs in zip(("logits", "states"), exported(inputs, state), network(inputs, state)):
        expect_equal(f"{model} {dtype} {name}", dtype, ours, theirs)

    symbols = torch.randint(0, 2, (1, 10_000), generator=generator)
    expected, _ = network(symbols, exported.initial_state(1))
    state = exported.initial_state(1)
    streamed = []
    for symbol in symbols.split(1, dim=1):
        logits, state = exported(symbol, state)
        streamed.append(logits)
    expect_equal(f"{model} {dtype} logits of 10,000 streamed symbols", dtype, torch.cat(streamed, 1), expected)


def main():
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as folder:
        for model in ("manual", "builtin"):
            for dtype in ("float32", "float64"):
                check(sys.argv[1], folder, model, dtype)


main()
