"""The whole network compiled for this CPU: product, bias, activation, block by block."""

import functools
import math

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

REQUIRES = "numba"
COMPILES = True
REUSES_OUTPUT = True  # the next call overwrites what this one returned

FEATURES = llvmlite.binding.get_host_cpu_features()
WIDE = FEATURES.get("avx512f", False)
VECTOR_BYTES = 64 if WIDE else 32 if FEATURES.get("avx2") else 16
MANY_REGISTERS = WIDE or not FEATURES.get("sse2", False)  # 32 of them, as on ARM; 16 otherwise
# A tile of 6 rows by that many vectors of sums stays in registers: 24 of 32, or 12 of 16.
ROWS, VECTORS = 6, 4 if MANY_REGISTERS else 2
CHAINS = 8  # sums under way at once: two units, each starting one each cycle and taking four
DEPTH = 256  # products summed before the next tile: so much of a panel fits the first cache
BLOCK = 96  # rows that go through all layers together, from cache to cache
WORTH_THREADS = 2**19  # multiply-adds below which waking a thread costs more than it brings

SPARE = 64  # numbers after a buffer's last: whole vectors are read, and activated, beyond the end
ACTIVATIONS = ("sigmoid", "relu", "tanh", "linear")

PLAIN = numba.njit(error_model="numpy")  # without checks for division by zero: they stop vectors
CONTRACTED = numba.njit(error_model="numpy", fastmath={"contract"})  # only: a * b + c in one


def prepare_layers(layers):
    packed, table, size = [], [], 0
    for weights, bias, activation in layers:
        inputs, units = weights.shape
        panels, padded_bias = pack(weights, bias)
        packed += [panels, padded_bias]
        code = ACTIVATIONS.index(activation)
        table.append((inputs, units, size, size + panels.size, code))
        size += panels.size + padded_bias.size
    return (
        np.concatenate(packed),
        np.array(table, np.int64),
        {},
    )  # what is made ready for each batch size


def prepare_input(x):
    return np.require(x, requirements=["C", "W"])


def forward(x, layers):
    parameters, table, made = layers
    batch = len(x)
    if batch not in made:
        made[batch] = make_ready(batch, parameters, table)
    run, hidden, flat, out = made[batch]
    run(x, parameters, table, hidden, flat)
    return out


thread_count = numba.get_num_threads


def make_ready(batch, parameters, table):
    """Choose how to compute a batch, and make its buffers."""
    threads = numba.get_num_threads()
    work = batch * int(table[:, 0] @ table[:, 1])
    if threads == 1 or work < WORTH_THREADS:
        threads, way = 1, "one"
    else:
        way = "rows" if batch >= ROWS * threads else "columns"
    dtype = parameters.dtype
    rows = batch if way == "columns" else min(batch, BLOCK)  # that are under way at a time
    return network(dtype)(way), *make_buffers(batch, table, dtype, threads, rows)


def make_buffers(batch, table, dtype, threads, rows):
    """Make what hidden layers write to, a flat array for the result, and the result in it."""
    units = table[-1, 1]
    flat = np.zeros(batch * units + SPARE, dtype)
    # Two for each thread: a layer's input and its output.
    size = rows * table[:, 1].max() + SPARE
    hidden = np.zeros((2 * threads, size), dtype)
    return hidden, flat, flat[: batch * units].reshape(batch, units)


def pack(weights, bias):
    """Lay the weights out in the order in which tiles read them, and pad the bias likewise.

    Columns go side by side in panels of VECTORS vectors, those left over in panels of 2 and 1.
    """
    units = len(bias)
    lanes = VECTOR_BYTES // weights.itemsize
    padded = np.pad(weights, ((0, 0), (0, -units % lanes)))
    panels, j = [], 0
    while j < units:
        width = panel_vectors(units - j, lanes) * lanes
        panels.append(padded[:, j : j + width].ravel())
        j += width
    return np.concatenate(panels), np.pad(bias, (0, -units % lanes))


@PLAIN
def panel_vectors(columns, lanes):
    vectors = (columns + lanes - 1) // lanes
    return VECTORS if vectors >= VECTORS else 2 if vectors >= 2 else 1


# --- activations, branch-free, so that LLVM computes a vector of them at a time ------------

LN2 = {"float64": (0.6931471803691238, 1.9082149292705877e-10),  # its first bits, and the others
       "float32": (0.693359375, -2.12194440e-4)}  # fmt: skip
TERMS = {"float64": 13, "float32": 7}  # of the exponential's series: below half a last place
LARGEST = {"float64": 708.0, "float32": 87.0}  # beyond it the exponential leaves the range


@intrinsic
def same_bits(context, number, like):  # the bits of a number, read as one of another type
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(like))

    return like(number, like), generate


def make_activations(dtype):
    float_, int_ = (np.float64, np.int64) if dtype == "float64" else (np.float32, np.int32)
    mantissa = np.finfo(dtype).nmant
    one, two, zero = float_(1), float_(2), float_(0)
    # Adding this leaves the integer nearest to a small number in the lowest bits.
    rounder = float_(1.5 * 2**mantissa)
    high, low = map(float_, LN2[dtype])
    per_ln2, largest = float_(1 / math.log(2)), float_(LARGEST[dtype])
    bias = int_(np.finfo(dtype).maxexp - 1)
    shift = int_(mantissa)
    series = tuple(float_(1 / math.factorial(n)) for n in range(TERMS[dtype], 0, -1))

    @CONTRACTED
    def parts(z):  # exp(z) is (1 + rest) * power, power a power of two, |rest| < 0.42
        z = -largest if z < -largest else z  # in this form a NaN stays one
        z = largest if z > largest else z
        shifted = z * per_ln2 + rounder
        k = shifted - rounder
        r = z - k * high - k * low
        rest = zero
        for term in series:
            rest = rest * r + term
        rest *= r
        return rest, same_bits(int_((same_bits(shifted, bias) + bias) << shift), zero)

    @CONTRACTED
    def sigmoid(z):
        rest, power = parts(-z)
        return one / (one + (rest * power + power))

    @CONTRACTED
    def tanh(z):
        rest, power = parts(two * z)
        less_one = rest * power + (power - one)  # exp(2 z) - 1, with all digits near zero
        return less_one / (less_one + two)

    @CONTRACTED
    def relu(z):
        return zero if z < zero else z

    return sigmoid, relu, tanh


# --- the product, a tile of sums in registers at a time -------------------------------------

INT32, INT64 = ir.IntType(32), ir.IntType(64)


class Vectors:
    """Vectors of numbers at addresses, in LLVM's terms: what a tile is written in."""

    def __init__(self, builder, dtype):
        self.builder = builder
        self.size = np.dtype(dtype).itemsize
        self.lanes = VECTOR_BYTES // self.size
        self.number = ir.DoubleType() if dtype == "float64" else ir.FloatType()
        self.kind = ir.VectorType(self.number, self.lanes)
        self.suffix = f"v{self.lanes}f{8 * self.size}"

    def at(self, address, offset, kind):  # a pointer to what lies `offset` numbers further
        step = self.builder.mul(offset, INT64(self.size))
        return self.builder.inttoptr(self.builder.add(address, step), kind.as_pointer())

    def load(self, address, offset):
        return self.builder.load(self.at(address, offset, self.kind), align=self.size)

    def load_number(self, address, offset):  # one number, in every lane
        return self.spread(self.builder.load(self.at(address, offset, self.number)))

    def spread(self, value):
        many = ir.VectorType(value.type, self.lanes)
        one = self.builder.insert_element(ir.Constant(many, ir.Undefined), value, INT32(0))
        first = ir.Constant(ir.VectorType(INT32, self.lanes), None)
        return self.builder.shuffle_vector(one, one, first)

    def multiply_add(self, a, b, c):  # a * b + c, rounded once where the CPU can
        kind = ir.FunctionType(self.kind, [self.kind] * 3)
        return self.call("fmuladd", self.suffix, kind, [a, b, c])

    def store(self, value, address, offset):
        self.builder.store(value, self.at(address, offset, self.kind), align=self.size)

    def store_some(self, value, address, offset, count):  # the first `count` lanes only
        lanes = ir.Constant(ir.VectorType(INT64, self.lanes), [*range(self.lanes)])
        mask = self.builder.icmp_signed("<", lanes, self.spread(count))
        types = [self.kind, self.kind.as_pointer(), INT32, mask.type]
        target = self.at(address, offset, self.kind)
        kind = ir.FunctionType(ir.VoidType(), types)
        arguments = [value, target, INT32(self.size), mask]
        self.call("masked.store", f"{self.suffix}.p0", kind, arguments)

    def call(self, name, suffix, kind, arguments):
        module = self.builder.module
        function = cgutils.get_or_insert_function(module, kind, f"llvm.{name}.{suffix}")
        return self.builder.call(function, arguments)


def make_tile(rows, vectors, dtype):
    """Return c = start + a @ b for ``rows`` rows and ``vectors`` vectors of columns.

    All are addresses of numbers; a has ``depth`` columns, b is a panel of the packed weights,
    strides are in numbers, and of c only the first ``width`` columns are written.
    """
    turns = -(-CHAINS // (rows * vectors))  # that many sums take turns for each place of the tile

    def generate(context, builder, signature, arguments):
        a, a_stride, b, depth, c, c_stride, start, start_stride, width = arguments
        on = Vectors(builder, dtype)
        panel = vectors * on.lanes

        def place(stride, i, v):  # of row i and vector v, in numbers
            return builder.add(builder.mul(stride, INT64(i)), INT64(v * on.lanes))

        sums = {  # variables in memory, which LLVM keeps in registers
            (i, v): [cgutils.alloca_once(builder, on.kind) for _ in range(turns)]
            for i in range(rows)
            for v in range(vectors)
        }
        for (i, v), (first, *others) in sums.items():
            builder.store(on.load(start, place(start_stride, i, v)), first)
            for other in others:
                builder.store(ir.Constant(on.kind, None), other)

        def multiply_add(k, turn):
            row = builder.mul(k, INT64(panel))
            columns = [on.load(b, builder.add(row, INT64(v * on.lanes))) for v in range(vectors)]
            for i in range(rows):
                many = on.load_number(a, builder.add(builder.mul(a_stride, INT64(i)), k))
                for v, column in enumerate(columns):
                    total = sums[i, v][turn]
                    builder.store(on.multiply_add(many, column, builder.load(total)), total)

        whole = builder.sub(depth, builder.srem(depth, INT64(turns)))
        with cgutils.for_range_slice(builder, INT64(0), whole, INT64(turns)) as (k, _):
            for turn in range(turns):
                multiply_add(builder.add(k, INT64(turn)), turn)
        with cgutils.for_range_slice(builder, whole, depth, INT64(1)) as (k, _):
            multiply_add(k, 0)

        totals = {at: functools.reduce(builder.fadd, map(builder.load, sums[at])) for at in sums}
        fits = builder.icmp_signed(">=", width, INT64(panel))
        with builder.if_else(fits) as (then, otherwise):
            with then:
                for (i, v), total in totals.items():
                    on.store(total, c, place(c_stride, i, v))
            with otherwise:
                for (i, v), total in totals.items():
                    left = builder.sub(width, INT64(v * on.lanes))
                    on.store_some(total, c, place(c_stride, i, v), left)
        return context.get_dummy_value()

    @intrinsic
    def tile(context, a, a_stride, b, depth, c, c_stride, start, start_stride, width):
        return numba.void(*[numba.intp] * 9), generate

    @PLAIN
    def call(a, a_stride, b, depth, c, c_stride, start, start_stride, width):
        tile(a, a_stride, b, depth, c, c_stride, start, start_stride, width)

    return call


def make_strip(vectors, dtype):
    """Return the product of any number of rows with one panel, tile by tile."""
    tile, pair, single = (make_tile(rows, vectors, dtype) for rows in (ROWS, 2, 1))
    size = np.dtype(dtype).itemsize

    @PLAIN
    def strip(rows, a, a_stride, b, depth, c, c_stride, start, start_stride, width):
        a_step, c_step, start_step = a_stride * size, c_stride * size, start_stride * size
        i = 0
        while i + ROWS <= rows:
            tile(a + i * a_step, a_stride, b, depth, c + i * c_step, c_stride,
                 start + i * start_step, start_stride, width)  # fmt: skip
            i += ROWS
        while i + 2 <= rows:
            pair(a + i * a_step, a_stride, b, depth, c + i * c_step, c_stride,
                 start + i * start_step, start_stride, width)  # fmt: skip
            i += 2
        if i < rows:
            single(a + i * a_step, a_stride, b, depth, c + i * c_step, c_stride,
                   start + i * start_step, start_stride, width)  # fmt: skip

    return strip


def make_product(dtype):
    """Return the product of some rows with a layer's columns from ``first`` to ``last``."""
    size = np.dtype(dtype).itemsize
    lanes = VECTOR_BYTES // size
    wide, pair, single = (make_strip(vectors, dtype) for vectors in (VECTORS, 2, 1))

    @PLAIN
    def product(rows, a, inputs, panels, bias, c, units, first, last):
        for k in range(0, inputs, DEPTH):
            depth = min(DEPTH, inputs - k)
            j = first
            while j < last:
                vectors = panel_vectors(units - j, lanes)
                b = panels + (j * inputs + k * vectors * lanes) * size
                # The sums start from the bias, and then from what was summed so far.
                start, stride = (bias + j * size, 0) if k == 0 else (c + j * size, units)
                if vectors == 1:
                    single(rows, a + k * size, inputs, b, depth, c + j * size, units, start,
                           stride, units - j)  # fmt: skip
                elif vectors == VECTORS:
                    wide(rows, a + k * size, inputs, b, depth, c + j * size, units, start,
                         stride, units - j)  # fmt: skip
                else:
                    pair(rows, a + k * size, inputs, b, depth, c + j * size, units, start,
                         stride, units - j)  # fmt: skip
                j += vectors * lanes

    return product


# --- the network ------------------------------------------------------------------------------


def make_activate(dtype):
    """Return what applies an activation, given by its number, to some numbers in place."""
    sigmoid, relu, tanh = make_activations(dtype.name)

    @PLAIN
    def activate(numbers, activation):
        if activation == 0:
            for i in range(len(numbers)):
                numbers[i] = sigmoid(numbers[i])
        elif activation == 1:
            for i in range(len(numbers)):
                numbers[i] = relu(numbers[i])
        elif activation == 2:
            for i in range(len(numbers)):
                numbers[i] = tanh(numbers[i])

    return activate


def make_some_rows(dtype, product, activate):
    """Return what takes rows from ``first`` to ``last`` through all layers, block by block."""
    size = dtype.itemsize

    @PLAIN
    def some_rows(x, first, last, parameters, table, hidden, out):
        address = parameters.ctypes.data
        for row in range(first, last, BLOCK):
            rows = min(BLOCK, last - row)
            a = x[row:].ctypes.data
            for number in range(len(table)):
                inputs, units, panels, bias, activation = table[number]
                ends = row + rows == len(x)
                target = hidden[number % 2]
                if number == len(table) - 1:
                    target = out[row * units :]
                product(rows, a, inputs, address + panels * size, address + bias * size,
                        target.ctypes.data, units, 0, units)  # fmt: skip
                # Whole vectors, where nothing but spare numbers comes after the last row's.
                count = rows * units
                activate(target[: (count + SPARE - 1) // SPARE * SPARE if ends else count],
                         activation)  # fmt: skip
                a = target.ctypes.data

    return some_rows


@functools.cache
def network(dtype):
    """Compile for a dtype: for one thread, for rows shared among threads, and for columns."""
    size = dtype.itemsize
    panel = VECTORS * VECTOR_BYTES // size
    product, activate = make_product(dtype.name), make_activate(dtype)
    some_rows = make_some_rows(dtype, product, activate)

    def one_thread(x, parameters, table, hidden, out):
        some_rows(x, 0, len(x), parameters, table, hidden, out)

    def share_rows(x, parameters, table, hidden, out):
        pieces = len(hidden) // 2
        for piece in numba.prange(pieces):
            first, last = len(x) * piece // pieces, len(x) * (piece + 1) // pieces
            some_rows(x, first, last, parameters, table, hidden[2 * piece :], out)

    def share_columns(x, parameters, table, hidden, out):
        pieces = len(hidden) // 2
        address, rows, a = parameters.ctypes.data, len(x), x.ctypes.data
        for number in range(len(table)):
            inputs, units, panels, bias, activation = table[number]
            target = hidden[number % 2]
            if number == len(table) - 1:
                target = out
            c = target.ctypes.data
            columns = math.ceil(units / panel / pieces) * panel
            for piece in numba.prange(pieces):
                first, last = piece * columns, min(units, (piece + 1) * columns)
                product(rows, a, inputs, address + panels * size, address + bias * size, c, units,
                        first, last)  # fmt: skip
                for row in range(rows):
                    activate(target[row * units + first : row * units + last], activation)
            a = c

    number = numba.from_dtype(dtype)
    signature = numba.void(
        number[:, ::1], number[::1], numba.int64[:, ::1], number[:, ::1], number[::1]
    )

    @functools.cache
    def compiled(way):
        function = {"one": one_thread, "rows": share_rows, "columns": share_columns}[way]
        return numba.njit(signature, parallel=way != "one", error_model="numpy")(function)

    return compiled
