"""Makes this folder's numpy_*.json: window losses of stateful truncated BPTT, in plain NumPy float64.

An implementation of its own, from the equations alone: it shares nothing with Unroll. Run by hand, from anywhere:

    pip install numpy
    python generate.py

Axes: B batch, T steps, C classes, H hidden.
"""

import json
import pathlib

import numpy as np

LAGS = {3: 0.5, 8: -0.25}


def sample_series(length):
    """The tutorial's series, from NumPy's global random state."""
    inputs = np.array(np.random.choice(2, size=(length,)))
    targets = []
    for t in range(length):
        threshold = 0.5 + sum(effect for lag, effect in LAGS.items() if inputs[t - lag] == 1)
        targets.append(0 if np.random.rand() > threshold else 1)
    return inputs, np.array(targets)


def glorot(generator, rows, columns):
    limit = np.sqrt(6.0 / (rows + columns))
    return generator.uniform(-limit, limit, (rows, columns))


def window_step(parameters, inputs, targets, state):
    """A window's loss and its gradients, and the state after it. inputs, targets [B, T]; state [B, H]."""
    W, b, V, c = (parameters[name] for name in ("W", "b", "V", "c"))
    B, T = inputs.shape
    C = V.shape[1]
    hidden = [state]
    columns = []  # [x_t, h_{t-1}] of every step
    for t in range(T):
        columns.append(np.concatenate([np.eye(C)[inputs[:, t]], hidden[-1]], axis=1))
        hidden.append(np.tanh(columns[-1] @ W + b))

    loss = 0.0
    gradients = {name: np.zeros_like(value) for name, value in parameters.items()}
    d_hidden = np.zeros_like(state)  # of the loss, by way of the later steps
    for t in reversed(range(T)):
        logits = hidden[t + 1] @ V + c
        logits = logits - logits.max(axis=1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        loss -= log_p[np.arange(B), targets[:, t]].sum() / (B * T)
        d_logits = (np.exp(log_p) - np.eye(C)[targets[:, t]]) / (B * T)
        gradients["V"] += hidden[t + 1].T @ d_logits
        gradients["c"] += d_logits.sum(axis=0)
        d_sum = (d_hidden + d_logits @ V.T) * (1.0 - hidden[t + 1] ** 2)
        gradients["W"] += columns[t].T @ d_sum
        gradients["b"] += d_sum.sum(axis=0)
        d_hidden = d_sum @ W[C:].T
    return loss, gradients, hidden[-1]


def sgd(learning_rate):
    def update(parameters, gradients):
        for name in parameters:
            parameters[name] = parameters[name] - learning_rate * gradients[name]

    return update


def adagrad(learning_rate, epsilon=1e-10):
    sums = {}

    def update(parameters, gradients):
        for name, gradient in gradients.items():
            sums[name] = sums.get(name, 0.0) + gradient**2
            parameters[name] = parameters[name] - learning_rate * gradient / (np.sqrt(sums[name]) + epsilon)

    return update


def trajectory(optimizer, learning_rate, batch_size, hidden_size, num_steps, series_length, epochs, seed):
    generator = np.random.default_rng(seed)
    parameters = {
        "W": glorot(generator, 2 + hidden_size, hidden_size),
        "b": np.zeros(hidden_size),
        "V": glorot(generator, hidden_size, 2),
        "c": np.zeros(2),
    }
    result = {
        "what": "plain NumPy float64, by generate.py",
        "numpy_seed": seed,
        "series_length": series_length,
        "epochs": epochs,
        "batch_size": batch_size,
        "num_steps": num_steps,
        "hidden_size": hidden_size,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "initial_parameters": {name: value.tolist() for name, value in parameters.items()},
    }
    update = {"sgd": sgd, "adagrad": adagrad}[optimizer](learning_rate)
    np.random.seed(seed)
    losses = []
    for _ in range(epochs):
        inputs, targets = sample_series(series_length)
        row = series_length // batch_size
        inputs = inputs[: batch_size * row].reshape(batch_size, row)
        targets = targets[: batch_size * row].reshape(batch_size, row)
        state = np.zeros((batch_size, hidden_size))
        for first in range(0, row // num_steps * num_steps, num_steps):
            window = slice(first, first + num_steps)
            loss, gradients, state = window_step(parameters, inputs[:, window], targets[:, window], state)
            update(parameters, gradients)
            losses.append(loss)
    result["final_parameters"] = {name: value.tolist() for name, value in parameters.items()}
    result["final_state"] = state.tolist()
    result["window_losses"] = losses
    return result


def main():
    shape = {"batch_size": 8, "hidden_size": 16, "num_steps": 5, "series_length": 20_000, "epochs": 2}
    runs = {
        "numpy_sgd_b8_h16_t5": {"optimizer": "sgd", "learning_rate": 0.2, "seed": 11, **shape},
        "numpy_adagrad_b8_h16_t5": {"optimizer": "adagrad", "learning_rate": 0.05, "seed": 12, **shape},
        "numpy_sgd_b3_h4_t10": {
            "optimizer": "sgd", "learning_rate": 0.2, "seed": 13,
            "batch_size": 3, "hidden_size": 4, "num_steps": 10, "series_length": 15_000, "epochs": 2,
        },
        "numpy_sgd_b1_h5_t1": {
            "optimizer": "sgd", "learning_rate": 0.1, "seed": 14,
            "batch_size": 1, "hidden_size": 5, "num_steps": 1, "series_length": 500, "epochs": 2,
        },
    }
    for name, run in runs.items():
        path = pathlib.Path(__file__).parent / f"{name}.json"
        path.write_text(json.dumps(trajectory(**run)) + "\n")
        print(path.name)


if __name__ == "__main__":
    main()
