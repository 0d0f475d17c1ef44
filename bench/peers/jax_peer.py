"""JAX: a compiled step called window by window (step), or a scan over a chunk's windows compiled whole (scan)."""

import sys

import jax
import jax.numpy as jnp

from worker import LEARNING_RATE, Task, TrainChunk, serve


def make(variant: str, task: Task) -> TrainChunk:
    C = task.size.C
    parameters = {
        "W": jnp.array(task.W),
        "b": jnp.zeros(task.size.H),
        "V": jnp.array(task.V),
        "c": jnp.zeros(C),
    }
    state = jnp.zeros((task.size.B, task.size.H))

    def loss_and_state(parameters, state, inputs, targets):
        def cell(h, x_t):
            h = jnp.tanh(jnp.concatenate([x_t, h], 1) @ parameters["W"] + parameters["b"])
            return h, h

        state, hidden = jax.lax.scan(cell, state, jax.nn.one_hot(inputs.T, C), unroll=True)
        log_p = jax.nn.log_softmax(hidden @ parameters["V"] + parameters["c"])  # [T, B, C]
        return -jnp.take_along_axis(log_p, targets.T[:, :, None], 2).mean(), state

    def step(carry, window):
        parameters, state = carry
        (loss, state), gradients = jax.value_and_grad(loss_and_state, has_aux=True)(parameters, state, *window)
        parameters = jax.tree.map(lambda p, gradient: p - LEARNING_RATE * gradient, parameters, gradients)
        return (parameters, state), loss

    carry = (parameters, state)
    if variant == "scan":
        scan = jax.jit(lambda carry, windows: jax.lax.scan(step, carry, windows))
        chunks = [(jnp.array(x), jnp.array(y)) for x, y in zip(task.inputs, task.targets)]

        def train_chunk(chunk: int) -> float:
            nonlocal carry
            carry, losses = scan(carry, chunks[chunk])
            jax.block_until_ready(carry)
            return float(losses.mean())
    else:
        compiled_step = jax.jit(step)
        windows = [[(jnp.array(x), jnp.array(y)) for x, y in zip(*chunk)] for chunk in zip(task.inputs, task.targets)]

        def train_chunk(chunk: int) -> float:
            nonlocal carry
            losses = []
            for window in windows[chunk]:
                carry, loss = compiled_step(carry, window)
                losses.append(loss)
            jax.block_until_ready(carry)
            return float(jnp.stack(losses).mean())

    return train_chunk


serve(f"JAX {jax.__version__}", lambda task: make(sys.argv[1], task))
