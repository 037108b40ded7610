"""``python framework_files.py FOLDER``: models saved by the real frameworks, in each of their formats.

Needs torch, keras, hickle, onnx, skl2onnx, safetensors, nyoka, skops, py7zr. What it wrote is in tests/data/scan; names
that begin with "bad" have a finding. The commands in them leave a mark, and nothing else. TensorFlow wants a process of
its own: ``python framework_files.py FOLDER tensorflow``.
"""

from __future__ import annotations

import importlib.machinery as machinery
import io
import os
import pickle
import struct
import sys
import tarfile
import types
import warnings

os.environ["KERAS_BACKEND"] = "torch"
warnings.simplefilter("ignore")

import hickle
import keras
import numpy as np
import onnx
import pandas as pd
import py7zr
import safetensors.torch
import skops.io
import torch
from nyoka import skl_to_pmml
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

RNG = np.random.default_rng(0)
X = RNG.random((40, 4)).astype("f4")
Y = (X[:, 0] > 0.5).astype(int)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3)

    def forward(self, x):
        return self.b(self.a(x))


class Marks:
    def __reduce__(self):
        return os.system, ("touch MARK",)


class Own:
    x = 1


def of_a_package(cls):
    package = sys.modules.setdefault("mypkg", types.ModuleType("mypkg"))
    package.__spec__ = machinery.ModuleSpec("mypkg", None)
    cls.__module__ = "mypkg"
    setattr(package, cls.__name__, cls)


def by_torch():
    net = Net()
    torch.save(net.state_dict(), "weights.pt")
    torch.save(net.state_dict(), "legacy.pt", _use_new_zipfile_serialization=False)
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.rand(5, 4)).sum().backward()
    optimizer.step()
    kinds = {"h": torch.rand(3).half(), "b": torch.rand(3).bfloat16(), "s": torch.eye(3).to_sparse()}
    state = {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "p": torch.nn.Parameter(torch.rand(2))}
    torch.save({**kinds, **state, "epoch": 3}, "checkpoint.pt")
    torch.jit.save(torch.jit.script(net), "script.pt")
    torch.export.save(torch.export.export(net.eval(), (torch.rand(5, 4),)), "exported.pt2")
    safetensors.torch.save_file(net.state_dict(), "weights.safetensors")
    torch.save(torch.nn.Linear(2, 2), "bad-module.pt")
    torch.save(Marks(), "bad.pt")
    torch.save(Marks(), "bad-legacy.pt", _use_new_zipfile_serialization=False)


def as_a_tar(name, extra):
    """As PyTorch wrote before 0.2, which is read and no longer written: torch.load says whether it is right."""
    tensors = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2, dtype=torch.float64)}
    kinds = {
        torch.float32: (torch.FloatStorage, torch.FloatTensor),
        torch.float64: (torch.DoubleStorage, torch.DoubleTensor),
    }

    def kept(value):
        return pickle.dumps(value, 2)

    storages, numbered = kept(len(tensors)), kept(len(tensors))
    for key, tensor in enumerate(tensors.values()):
        storage, kind = kinds[tensor.dtype]
        storages += kept((key, "cpu", storage)) + struct.pack("<q", tensor.numel()) + tensor.numpy().tobytes()
        sizes = struct.pack(f"<{2 * tensor.dim()}q", *tensor.shape, *tensor.stride())
        numbered += kept((10 + key, key, kind)) + struct.pack("<i4x", tensor.dim()) + sizes + struct.pack("<q", 0)

    class WithKeys(pickle.Pickler):
        def persistent_id(self, value):
            return next((10 + key for key, tensor in enumerate(tensors.values()) if tensor is value), None)

    stream = io.BytesIO()
    WithKeys(stream, 2).dump({**tensors, **extra})
    info = {"protocol_version": 1000, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    members = {
        "sys_info": kept(info),
        "pickle": stream.getvalue(),
        "tensors": numbered,
        "storages": storages + kept([]),
    }
    with tarfile.open(name, "w:", format=tarfile.PAX_FORMAT) as archive:
        for member, data in members.items():
            header = tarfile.TarInfo(member)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    loaded = torch.load(name, weights_only=False)
    assert all(torch.equal(loaded[key], tensor) for key, tensor in tensors.items())


def by_keras():
    dense = [keras.layers.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dropout(0.1)]
    model = keras.Sequential([*dense, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.save("model.keras")
    model.save("model.h5")
    model.save_weights("model.weights.h5")
    with open("model.json", "w") as file:
        file.write(model.to_json())
    odd = keras.Sequential([keras.layers.Input((4,)), keras.layers.Lambda(lambda x: x * 2), keras.layers.Dense(1)])
    odd.save("bad-lambda.keras")
    odd.save("bad-lambda.h5")
    with open("bad-lambda.json", "w") as file:
        file.write(odd.to_json())


def by_others():
    hickle.dump({"a": X, "b": [1, 2, "x"], "c": {"d": (1, 2.5)}}, "data.hkl")
    of_a_package(Own)
    hickle.dump(Own(), "bad-own.hkl")
    of_a_package(Marks)
    hickle.dump(Marks(), "bad.hkl")
    forest = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0)).fit(X, Y)
    with open("model.onnx", "wb") as file:
        file.write(to_onnx(forest, X[:1]).SerializeToString())
    loaded = onnx.load("model.onnx")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Add", ["x", "w"], ["y"])],
        "external",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [300])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [300])],
        [onnx.numpy_helper.from_array(np.ones(300, "f4"), "w")],
    )
    outside = onnx.helper.make_model(graph)
    onnx.save(outside, "external.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    os.remove("weights.bin")
    path = onnx.load("external.onnx", load_external_data=False)
    for entry in path.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = "../../etc/passwd"
    onnx.save(path, "bad-path.onnx")
    loaded.graph.node[0].domain = "my.domain"
    onnx.save(loaded, "bad-domain.onnx")
    skops.io.dump(forest, "model.skops")
    skops.io.dump(KNeighborsClassifier(2, algorithm="kd_tree").fit(X, Y), "neighbors.skops")
    line = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())]).fit(
        pd.DataFrame(X, columns=list("abcd")), Y
    )
    skl_to_pmml(line, list("abcd"), "y", "model.pmml")
    with py7zr.SevenZipFile("bad.7z", "w") as archive:
        archive.writestr(pickle.dumps(Marks()), "config.dat")
    with py7zr.SevenZipFile("good.7z", "w") as archive:
        archive.writestr(pickle.dumps(forest), "model.pkl")


def by_tensorflow():
    import tensorflow as tf

    class Product(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(tf.ones((4, 2)))

        @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32)])
        def f(self, x):
            return tf.nn.relu(x @ self.w)

    class Reads(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((), tf.string)])
        def f(self, x):
            return tf.io.read_file(x)

    class Calls(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((), tf.float32)])
        def f(self, x):
            return tf.py_function(lambda v: v + 1, [x], tf.float32)

    for model, name in ((Product(), "model"), (Reads(), "bad-files"), (Calls(), "bad-python")):
        tf.saved_model.save(model, "folder")
        os.replace("folder/saved_model.pb", f"{name}.savedmodel")


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    os.chdir(sys.argv[1])
    if sys.argv[2:] == ["tensorflow"]:
        by_tensorflow()
    else:
        by_torch()
        as_a_tar("old-tar.pt", {})
        as_a_tar("bad-old-tar.pt", {"marks": Marks()})
        by_keras()
        by_others()
