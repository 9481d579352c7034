"""TensorFlow on the CPU: the network as one graph, by tf.function."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # greetings to stderr

import tensorflow as tf

REQUIRES = "tensorflow"
COMPILES = True

ACTIVATIONS = {
    "sigmoid": tf.sigmoid,
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
    "linear": lambda z: z,
}

# TensorFlow's own pools ignore the variables that others obey; 0 leaves the choice to it.
THREADS = int(os.environ.get("OMP_NUM_THREADS", "").partition(",")[0] or 0)
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)
tf.config.set_visible_devices([], "GPU")
tf.config.experimental.enable_tensor_float_32_execution(False)  # float32 stays what it is


def prepare_layers(layers):
    parameters = [
        (tf.constant(weights), tf.constant(bias), ACTIVATIONS[activation])
        for weights, bias, activation in layers
    ]
    inputs, dtype = layers[0].weights.shape[0], layers[0].weights.dtype

    @tf.function(input_signature=[tf.TensorSpec((None, inputs), dtype)])  # any batch, one graph
    def network(x):
        for weights, bias, g in parameters:
            x = g(tf.matmul(x, weights) + bias)
        return x

    return network.get_concrete_function()


prepare_input = tf.constant


def forward(x, layers):
    return layers(x)


def to_numpy(out):
    return out.numpy()


thread_count = tf.config.threading.get_intra_op_parallelism_threads
