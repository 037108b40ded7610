"""TensorFlow: modules saved, loaded, trained on; tables and their files; folders of SavedModels."""

from __future__ import annotations

import gc
import io
import platform
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import safeload
from safeload.artifact.environment import check_environment
from safeload.container.manifest import Environment
from safeload.errors import CodecError, DigestMismatchError, MissingExtraError, UnsafeFileError
from testkit.frameworks import need
from testkit.members import signed
from testkit.pages import run_page
from testkit.roundtrip import peak, through

need("tensorflow", extra="tensorflow")
import tensorflow as tf

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Keys

pytestmark = pytest.mark.filterwarnings("ignore")
DIGITS = load_digits()
X = (DIGITS.images[:200, :, :, None] / 16).astype("f4")
Y = DIGITS.target[:200].astype("i4")


class Net(tf.Module):  # type: ignore[misc]  # tensorflow is not there to mypy
    """A convolution, a loop, lists and dicts of variables, and a step of training with momentum."""

    def __init__(self) -> None:
        super().__init__()
        rng = tf.random.Generator.from_seed(1)
        self.kernel = tf.Variable(rng.normal((3, 3, 1, 4), stddev=0.3))
        self.layers = [tf.Variable(rng.normal((256, 10), stddev=0.1)), tf.Variable(tf.zeros(10))]
        self.speeds = {str(n): tf.Variable(tf.zeros_like(each)) for n, each in enumerate(self.weights)}
        self.steps = tf.Variable(0, trainable=False)
        self.labels = tf.Variable([str(n) for n in range(10)])

    @property
    def weights(self) -> Any:
        return [self.kernel, *self.layers]

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32)])  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> Any:
        hidden = tf.reshape(tf.nn.relu(tf.nn.conv2d(x, self.kernel, 1, "SAME")), (-1, 256))
        return hidden @ self.layers[0] + self.layers[1]

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32), tf.TensorSpec((None,), tf.int32)]
    )
    def train(self, x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, self(x)))
        for number, (weight, slope) in enumerate(zip(self.weights, tape.gradient(loss, self.weights), strict=True)):
            speed = self.speeds[str(number)]
            speed.assign(0.9 * speed + slope)
            weight.assign_sub(0.1 * speed)
        self.steps.assign_add(1)
        return loss

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32)])  # type: ignore[untyped-decorator]
    def named(self, x: Any) -> Any:
        return tf.gather(self.labels, tf.argmax(self(x), 1))


def trained() -> Net:
    net = Net()
    for _ in range(5):
        net.train(X, Y)
    return net


class Words(tf.Module):  # type: ignore[misc]
    """Tables: of a vocabulary in a file, of constants, and one that is filled."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        (folder / "words.txt").write_text("set\nosa\nvirginica\n")
        lines, numbers = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        file = tf.lookup.TextFileInitializer(str(folder / "words.txt"), tf.string, lines, tf.int64, numbers)
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(["set", "x"]), tf.constant([10, 20], tf.int64))
        self.file, self.pairs = tf.lookup.StaticHashTable(file, -1), tf.lookup.StaticHashTable(pairs, 0)
        self.seen = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
        self.seen.insert(tf.constant(["osa"]), tf.constant([100], tf.int64))

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])  # type: ignore[untyped-decorator]
    def find(self, words: Any) -> Any:
        return self.file.lookup(words) + self.pairs.lookup(words) + self.seen.lookup(words)


ASKED, FOUND = ["set", "osa", "virginica", "x", "y"], [10, 101, 2, 19, -1]


def test_a_module_answers_as_it_did_and_trains_on(team: Keys) -> None:
    net = trained()
    loaded = through(net, team)
    assert np.array_equal(loaded(X), net(X))
    assert np.array_equal(loaded.named(X), net.named(X))
    assert int(loaded.steps) == 5
    assert loaded.kernel.trainable
    assert not loaded.steps.trainable
    for _ in range(3):
        assert np.array_equal(loaded.train(X, Y), net.train(X, Y))
    assert np.array_equal(loaded.layers[0], net.layers[0])


def test_what_was_loaded_is_saved_again_with_its_signatures(team: Keys, tmp_path: Path) -> None:
    net = trained()
    tf.saved_model.save(net, str(tmp_path / "m"), signatures={"digits": net.__call__})
    safeload.pack(tmp_path / "m", tmp_path / "m.safeload", signer=team.key)
    loaded = safeload.load(tmp_path / "m.safeload", trust=team.pub)
    for again in (loaded, through(loaded, team), through(through(loaded, team), team)):
        (answers,) = again.signatures["digits"](x=tf.constant(X)).values()
        assert np.array_equal(answers, net(X))


LOADS = """
import sys, numpy as np, safeload
model = safeload.load(sys.argv[1], trust=sys.argv[2], environment="exact")
np.save(sys.argv[4], model(np.load(sys.argv[3])))
"""


def test_it_answers_the_same_in_another_process(tmp_path: Path, team: Keys) -> None:
    net = trained()
    manifest = safeload.dump(net, tmp_path / "m.safeload", "zstd", signer=team.key)
    assert {member.kind for member in manifest.members} == {"tensorflow.file"}
    assert [member.name for member in manifest.members] == [
        "fingerprint.pb",
        "saved_model.pb",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]
    assert tf.__version__ in manifest.environment.distributions.values()
    np.save(tmp_path / "x.npy", X)
    paths = [str(tmp_path / name) for name in ("m.safeload", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", LOADS, paths[0], str(team.pub), *paths[1:]], check=True)
    assert np.array_equal(np.load(tmp_path / "y.npy"), net(X))


def test_unpack_gives_what_tensorflow_reads(tmp_path: Path, team: Keys) -> None:
    net = trained()
    safeload.dump(net, tmp_path / "m.safeload", signer=team.key)
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "out", trust=team.pub)
    assert np.array_equal(tf.saved_model.load(str(tmp_path / "out"))(X), net(X))


def test_tables_are_filled_and_their_files_stay_as_long_as_the_object(
    team: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    model = Words(tmp_path)
    once = through(model, team)
    again = through(once, team)  # which copies the vocabulary
    assert len([*(tmp_path / "tmp").rglob("words.txt")]) == 2
    for each in (model, once, again):
        assert each.find(tf.constant(ASKED)).numpy().tolist() == FOUND
    del once, again, each
    gc.collect()
    assert [*(tmp_path / "tmp").glob("safeload-*")] == []


def test_nothing_is_left_in_the_temporary_folder(team: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    safeload.dump(trained(), io.BytesIO(), signer=team.key)  # TensorFlow keeps there what it makes of a function, once
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = io.BytesIO()
    safeload.dump(trained(), file, signer=team.key)
    assert [*tmp_path.iterdir()] == []
    loaded = safeload.load(io.BytesIO(file.getvalue()), trust=team.pub)
    assert [*tmp_path.iterdir()] == []
    assert np.isfinite(loaded(X)).all()
    with tf.Graph().as_default(), pytest.raises(CodecError, match="not loaded within"):
        safeload.load(io.BytesIO(file.getvalue()), trust=team.pub)
    assert [*tmp_path.iterdir()] == []


def test_a_model_of_keras_is_exported_if_one_asks_for_it(team: Keys) -> None:
    import keras  # which TensorFlow brings

    if keras.backend.backend() != "tensorflow":
        pytest.skip("only with KERAS_BACKEND=tensorflow")
    layers = keras.layers
    words = layers.TextVectorization(output_mode="int", output_sequence_length=5)
    words.adapt(["a b c", "d e"])
    text = [layers.Input((), dtype="string"), words, layers.Embedding(20, 4), layers.LSTM(3)]
    for parts, given in (
        ([layers.Input((8, 8, 1)), layers.Conv2D(3, 3), layers.BatchNormalization(), layers.Flatten()], X),
        (text, tf.constant(["a d", "x"])),
    ):
        model = keras.Sequential(parts)
        loaded = through(model, team, codec="tensorflow")
        assert np.allclose(loaded.serve(given), model(given, training=False), atol=1e-6)
        assert len(loaded.trainable_variables) == 4
    assert isinstance(through(model, team), keras.Model)


def test_a_module_trains_a_model_of_keras_with_its_optimizer(team: Keys) -> None:
    import keras

    class Fit(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            layers = [keras.layers.Flatten(), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(10)]
            self.model = keras.Sequential([keras.layers.Input((8, 8, 1)), *layers])
            self.optimizer = keras.optimizers.Adam(1e-2)
            self.optimizer.build(self.model.trainable_variables)

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32), tf.TensorSpec((None,), tf.int32)]
        )
        def step(self, x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, self.model(x)))
            weights = self.model.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
            return loss

    fit = Fit()
    fit.step(X, Y)
    loaded = through(fit, team)
    assert [float(loaded.step(X, Y)) for _ in range(4)] == [float(fit.step(X, Y)) for _ in range(4)]


def test_what_cannot_be_saved_is_said(team: Keys) -> None:
    with pytest.raises(CodecError, match=r"takes a tf\.Module or a keras\.Model; this is a dict"):
        safeload.dump({}, io.BytesIO(), signer=team.key, codec="tensorflow")
    net = Net()
    net.bad = tf.function(lambda x: tf.py_function(lambda v: v, [x], tf.float32))
    net.bad.get_concrete_function(tf.TensorSpec((), tf.float32))
    with pytest.raises((CodecError, UnsafeFileError)):
        safeload.dump(net, io.BytesIO(), signer=team.key)


def files(folder: Path) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[f"{name}/"] = None
    return found


def test_a_folder_that_is_packed_loads_and_comes_back_byte_for_byte(tmp_path: Path, team: Keys) -> None:
    net = trained()
    tf.saved_model.save(net, str(tmp_path / "m"))
    (tmp_path / "m" / "assets.extra").mkdir()
    manifest = safeload.pack(tmp_path / "m", tmp_path / "m.safeload", signer=team.key)
    assert {member.name for member in manifest.members if member.kind == "tensorflow.empty"} == {
        "assets",
        "assets.extra",
    }
    assert np.array_equal(safeload.load(tmp_path / "m.safeload", trust=team.pub)(X), net(X))
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "out", trust=team.pub)
    assert files(tmp_path / "out") == files(tmp_path / "m")
    report = safeload.scan(tmp_path / "m.safeload", trust=team.pub)
    assert report.exit_code == 0


def test_a_folder_with_anything_else_in_it_is_a_folder_like_others(tmp_path: Path, team: Keys) -> None:
    tf.saved_model.save(trained(), str(tmp_path / "m"))
    (tmp_path / "m" / "code.py").write_text("print(1)")
    manifest = safeload.pack(tmp_path / "m", tmp_path / "m.safeload", signer=team.key)
    assert {member.kind for member in manifest.members} == {"tree", "tree.empty"}
    with pytest.raises(CodecError, match="holds no single object"):
        safeload.load(tmp_path / "m.safeload", trust=team.pub)
    with pytest.raises(CodecError, match="is a folder, and none that is loaded here"):
        safeload.load_untrusted(tmp_path / "m")


def test_a_folder_is_converted_as_it_is(tmp_path: Path, team: Keys) -> None:
    words = Words(tmp_path)
    tf.saved_model.save(words, str(tmp_path / "m"))
    assert safeload.load_untrusted(tmp_path / "m").find(tf.constant(ASKED)).numpy().tolist() == FOUND
    manifest = safeload.convert(tmp_path / "m", tmp_path / "m.safeload", signer=team.key)
    assert tf.__version__ in manifest.environment.distributions.values()
    loaded = safeload.load(tmp_path / "m.safeload", trust=team.pub)
    assert loaded.find(tf.constant(ASKED)).numpy().tolist() == FOUND
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "out", trust=team.pub)
    assert files(tmp_path / "out") == files(tmp_path / "m")


def test_one_changed_byte_is_refused_before_tensorflow_sees_it(team: Keys, tmp_path: Path) -> None:
    safeload.dump(trained(), tmp_path / "m.safeload", signer=team.key)
    data = bytearray((tmp_path / "m.safeload").read_bytes())
    data[data.index(b"MatMul")] ^= 1
    (tmp_path / "m.safeload").write_bytes(data)
    with pytest.raises(DigestMismatchError):
        safeload.load(tmp_path / "m.safeload", trust=team.pub)


ABSENT = """
import sys
sys.modules["tensorflow"] = None
import safeload
try:
    safeload.load(sys.argv[1], trust=sys.argv[2])
except safeload.errors.MissingExtraError as error:
    print(error.extra)
"""


def test_without_tensorflow_the_extra_is_named(team: Keys, tmp_path: Path) -> None:
    safeload.dump(trained(), tmp_path / "m.safeload", signer=team.key)
    command = [sys.executable, "-c", ABSENT, str(tmp_path / "m.safeload"), str(team.pub)]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "tensorflow\n"
    assert issubclass(MissingExtraError, CodecError)


@pytest.mark.parametrize("name", ["tensorflow", "tensorflow-cpu", "tensorflow_cpu"])
def test_which_of_its_two_distributions_is_installed_is_no_difference(name: str) -> None:
    recorded = Environment(
        python=platform.python_version(), platform=sysconfig.get_platform(), distributions={name: tf.__version__}
    )
    check_environment(recorded, "exact")


class Large(tf.Module):  # type: ignore[misc]
    def __init__(self, rows: int) -> None:
        super().__init__()
        self.tables = [tf.Variable(tf.random.uniform((rows, 1000))) for _ in range(4)]

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.int32)])  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> Any:
        return tf.add_n([tf.gather(table, x) for table in self.tables])


def test_memory_stays_below_1_3_times_the_model(team: Keys, tmp_path: Path) -> None:
    peaks = {}
    for name, rows in (("small", 10), ("large", 20_000)):
        safeload.dump(Large(rows), tmp_path / name, signer=team.key)
        peaks[name] = peak(tmp_path / name, team)
    assert peaks["large"] - peaks["small"] < 1.3 * 320_000_000


def test_scan_looks_into_the_members(tmp_path: Path, team: Keys) -> None:
    safeload.dump(trained(), tmp_path / "m.safeload", signer=team.key)
    assert safeload.scan(tmp_path / "m.safeload", trust=team.pub).exit_code == 0
    call = b"\x80\x02cos\nsystem\nU\x09touch MARKq\x00\x85R."
    path = signed(
        tmp_path / "bad.safeload", team.key, [("variables/variables.data-00000-of-00001", "tensorflow.file", call)]
    )
    assert safeload.scan(path, trust=team.pub).exit_code == 1


def test_the_page_does_what_it_says(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page("frameworks/tensorflow.md", tmp_path, team, monkeypatch)
