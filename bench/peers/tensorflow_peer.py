"""The tutorial's program under TensorFlow 1's interface: a graph, and one session.run a window."""

import numpy as np
import tensorflow as tf

from worker import LEARNING_RATE, Task, TrainChunk, serve

v1 = tf.compat.v1


def make(task: Task) -> TrainChunk:
    v1.disable_eager_execution()
    v1.reset_default_graph()
    size = task.size

    x = v1.placeholder(tf.int32, [size.B, size.T])
    y = v1.placeholder(tf.int32, [size.B, size.T])
    initial_state = v1.placeholder(tf.float32, [size.B, size.H])
    W = v1.get_variable("W", initializer=task.W)
    b = v1.get_variable("b", initializer=np.zeros(size.H, np.float32))
    V = v1.get_variable("V", initializer=task.V)
    c = v1.get_variable("c", initializer=np.zeros(size.C, np.float32))

    state = initial_state
    losses = []
    for x_t, y_t in zip(tf.unstack(tf.one_hot(x, size.C), axis=1), tf.unstack(y, axis=1)):
        state = tf.tanh(tf.matmul(tf.concat([x_t, state], 1), W) + b)
        logits = tf.matmul(state, V) + c
        losses.append(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_t, logits=logits))
    total_loss = tf.reduce_mean(losses)
    train_step = v1.train.GradientDescentOptimizer(LEARNING_RATE).minimize(total_loss)

    session = v1.Session(config=v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1))
    session.run(v1.global_variables_initializer())
    carried = np.zeros((size.B, size.H), np.float32)

    def train_chunk(chunk: int) -> float:
        nonlocal carried
        total = 0.0
        for inputs, targets in zip(task.inputs[chunk], task.targets[chunk]):
            _, loss, carried, _ = session.run(
                [losses, total_loss, state, train_step],
                feed_dict={x: inputs, y: targets, initial_state: carried},
            )
            total += float(loss)
        return total / size.chunk

    return train_chunk


serve(f"TensorFlow {tf.__version__}", make)
