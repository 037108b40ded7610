"""Models of other frameworks, as these wrote them (testkit/framework_files.py), and what can be wrong with them."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import safeload
from safeload.readers.files.table import GAVE_UP

pytestmark = pytest.mark.once

FILES = sorted((Path(__file__).parent / "data" / "scan").iterdir())
GOOD = [path for path in FILES if not path.name.startswith("bad")]
# File -> rules at or above medium, and a word that the finding has to say.
BAD: dict[str, tuple[set[str], str]] = {
    "bad-domain.onnx": ({"SL710"}, "my.domain"),
    "bad-files.savedmodel": ({"SL714"}, "ReadFile"),
    "bad-lambda.h5": ({"SL701"}, "marshalled code"),
    "bad-lambda.json": ({"SL701"}, "marshalled code"),
    "bad-lambda.keras": ({"SL701"}, "marshalled code"),
    "bad-legacy.pt": ({"SL101"}, "posix.system is called with 'touch MARK'"),
    "bad-module.pt": ({"SL201"}, "torch.nn.modules.linear.Linear"),
    "bad-own.hkl": ({"SL201"}, "mypkg.Own"),
    "bad-path.onnx": ({"SL711"}, "../../etc/passwd"),
    "bad-python.savedmodel": ({"SL713"}, "EagerPyFunc"),
    "bad.7z": ({"SL101"}, "posix.system is called with 'touch MARK'"),
    "bad.hkl": ({"SL101"}, "posix.system is called with 'touch MARK'"),
    "bad-old-tar.pt": ({"SL101"}, "posix.system is called with 'touch MARK'"),
    "bad.pt": ({"SL101"}, "posix.system is called with 'touch MARK'"),
}


def scanned(data: bytes) -> safeload.FileReport:
    return safeload.scan(io.BytesIO(data)).files[0]


def rules(file: safeload.FileReport) -> set[str]:
    return {each.rule for each in file.findings if each.severity >= safeload.Severity.MEDIUM}


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_an_honest_model_has_no_finding_that_counts(path: Path) -> None:
    report = safeload.scan(path)
    assert rules(report.files[0]) == set()
    assert report.files[0].unread == ()
    assert report.exit_code == 0


@pytest.mark.parametrize("name", BAD)
def test_another_has_the_one_that_fits(name: str) -> None:
    report = safeload.scan(Path(__file__).parent / "data" / "scan" / name)
    expected, words = BAD[name]
    assert rules(report.files[0]) == expected
    assert any(words in each.text for each in report.findings), report.findings
    assert report.exit_code == 1


def test_every_bad_file_is_in_the_table() -> None:
    assert {path.name for path in FILES if path.name.startswith("bad")} == set(BAD)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_that_is_cut_off_is_never_called_clean(path: Path) -> None:
    data = path.read_bytes().rstrip(b"\0")  # behind what is in a tar, zeros fill its last record
    for end in (len(data) // 3, len(data) // 2, len(data) - 40):
        file = scanned(data[:end])
        assert rules(file) or file.unread, end


def test_a_tar_that_ends_between_two_members_is_cut_off() -> None:
    data = (Path(__file__).parent / "data" / "scan" / "old-tar.pt").read_bytes()
    ends = [at for at in range(512, len(data), 512) if data[at + 257 : at + 262] == b"ustar"]
    assert len(ends) == 3
    for end in (*ends, len(data.rstrip(b"\0")) // 512 * 512 + 512):
        assert scanned(data[:end]).unread, end
    assert not scanned(data[: len(data.rstrip(b"\0")) // 512 * 512 + 1024]).unread


def test_what_follows_the_storages_of_an_old_state_dict_counts() -> None:
    data = (Path(__file__).parent / "data" / "scan" / "legacy.pt").read_bytes()
    assert "SL301" in rules(scanned(data + b"hello"))
    # In the last pickle, behind it, in each storage. Without four bytes the last could be one of four, not of eight.
    for end in {*range(len(data) - 300, len(data))} - {len(data) - 4}:
        assert scanned(data[:end]).unread, end


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_reader_gives_up_on_a_file_that_was_changed(path: Path) -> None:
    rng = np.random.default_rng(len(path.name))
    original = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(6 if path.suffix in (".h5", ".hkl") else 40):
        data = original.copy()
        for _ in range(int(rng.integers(1, 6))):
            at, what = int(rng.integers(len(data))), int(rng.integers(3))
            if what == 0:
                data[at] = rng.integers(256)
            elif what == 1:
                data[at : at + 8] = rng.choice([0, 255, 127])
            else:
                data = np.delete(data, slice(at, at + int(rng.integers(1, 50))))
        file = scanned(data.tobytes())
        assert not [each for each in file.unread if GAVE_UP in each.text], file.unread


# --- safetensors -----------------------------------------------------------------------------------


def tensors(header: Any, data: bytes = bytes(48)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(start: int, end: int, shape: list[int], dtype: str = "F64") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    "header",
    [
        {"a": entry(0, 56, [7])},
        {"a": entry(0, 48, [5])},
        {"a": entry(0, 48, [-6])},
        {"a": entry(0, 48, [6], "F99")},
        {"a": entry(0, 40, [5])},
        {"a": entry(8, 48, [5])},
        {"a": entry(0, 48, [6]), "b": entry(0, 8, [1])},
        {"a": {"dtype": "F64"}},
        {"a": 5},
        [1],
        b'{"a": ' + json.dumps(entry(0, 48, [6])).encode() + b', "a": ' + json.dumps(entry(0, 48, [6])).encode() + b"}",
        b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"a": 1',
    ],
    ids=range(13),
)
def test_safetensors_that_break_a_rule_are_never_called_clean(header: Any) -> None:
    file = scanned(tensors(header))
    assert file.kind == "safetensors" or file.unread
    assert rules(file) or file.unread


# --- GGUF ------------------------------------------------------------------------------------------


def gguf(entries: dict[str, str]) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    body = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in entries.items())
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries)) + body


HARMLESS = "{% for message in messages %}{{ message['role'] + ': ' + message['content'] }}{% endfor %}"
REACHING = "{{ ''.__class__.__mro__[1].__subclasses__() }}"


@pytest.mark.parametrize(
    "reach",
    [
        "{{ ''.__class__.__mro__ }}",
        "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
        "{{ x|attr('\\x5f\\x5fclass') }}",
        "{% set a = lipsum.__globals__",
        "{{ a }} {{ cycler }}",
        "{# {{ ' #}{{ '}}' ~ x.__class__ }}",
        "{% raw %}{{ '{% endraw %}{{ '}}' ~ x.__mro__ }}",
        "{% import 'x' as y %}",
    ],
)
def test_a_template_is_looked_into_wherever_it_stands(reach: str) -> None:
    told = "{% if os %}Write import os, subprocess or __init__ in Python. {{ messages[0].role }}{% endif %}"
    for text, expected in ((told, set()), (told + reach, {"SL705"})):
        for data in (
            json.dumps({"chat_template": text}),
            json.dumps({"chat_template": [{"name": "default", "template": text}]}),
            "\n" + text,
            "<s>" + text,
            "You are a model. " + text,
        ):
            file = scanned(data.encode())
            assert rules(file) == expected, data
            assert not file.unread


@pytest.mark.parametrize(
    ("target", "counts"),
    [("os.system", True), ("builtins.exec", True), ("torch.optim.Adam", False), ("nemo.collections.asr.Model", False)],
)
def test_what_hydra_would_call_is_found(target: str, counts: bool) -> None:
    escaped = target.replace(".", "\\x2e")
    for text in (
        f"model:\n  _target_: {target}\n",
        f"'_target_' : '{target}'",
        json.dumps([{"_target_": target}]),
        f"{{_target_: {target}, a: 1}}",
        f"model:\n  _target_:\n    {target}\n",
        f"? _target_\n: {target}\n",
        f"_target_: >-\n  {target}\n",
        f'"\\x5ftarg\\u0065t_": "{escaped}"',
    ):
        assert rules(scanned(text.encode())) == ({"SL101"} if counts else set()), text


@pytest.mark.parametrize(
    ("tag", "counts"),
    [
        ("!!python/object/apply:os.system ['x']", True),
        ("!<tag:yaml.org,2002:python/object/new:os.system> []", True),
        ("!!python/name:os.system", True),
        ("!!pyth%6Fn/object/apply:os.system ['x']", True),
        ("![a picture](a%20b.png) at 5%", False),
        ("!!python/tuple [1, 2]", False),
        ("!!set {a, b}", False),
    ],
)
def test_yaml_that_makes_objects_is_found(tag: str, counts: bool) -> None:
    assert ("SL718" in rules(scanned(f"backend: tensorflow\nlayer: {tag}\n".encode()))) == counts


def test_a_tag_of_yaml_may_be_declared_in_two_parts() -> None:
    text = b"%TAG !x! tag:yaml.org,2002:pyth\n---\na: !x!on/object/apply:os.system ['x']\n"
    assert rules(scanned(text)) == {"SL718"}


def test_a_chat_template_that_reaches_for_pythons_insides_is_found() -> None:
    assert rules(scanned(gguf({"general.name": "x", "tokenizer.chat_template": HARMLESS}))) == set()
    file = scanned(gguf({"tokenizer.chat_template": REACHING}))
    assert rules(file) == {"SL705"}
    assert "__class__" in file.findings[-1].text


@pytest.mark.parametrize("data", [gguf({"a": "b"})[:20], b"GGUF" + b"\xff" * 60, gguf({"a": "b"})[:-1], b"GGUF"])
def test_gguf_that_is_broken_is_not_read_to_its_end(data: bytes) -> None:
    assert scanned(data).unread


# --- Keras -----------------------------------------------------------------------------------------


def keras(layer: dict[str, Any]) -> bytes:
    return json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}, "module": "keras"}).encode()


@pytest.mark.parametrize(
    ("layer", "rule"),
    [
        ({"class_name": "Lambda", "config": {"function": ["4wEAAA==", None, None]}}, "SL701"),
        ({"class_name": "Lambda", "config": {"function": "my_function"}}, "SL702"),
        ({"class_name": "Mine", "module": "mypkg.layers", "config": {}}, "SL201"),
        ({"class_name": "system", "module": "os", "config": {}}, "SL101"),
        ({"class_name": "function", "module": "builtins", "config": "exec"}, "SL102"),
        ({"class_name": "Mine", "registered_name": "Custom>Mine", "config": {}}, "SL703"),
        ({"class_name": "TFSMLayer", "module": "keras.layers", "config": {"filepath": "/srv/x"}}, "SL704"),
        ({"class_name": "layers.TFSMLayer", "module": "keras", "config": {}}, "SL704"),
        ({"class_name": "layers.TorchModuleWrapper", "module": "keras", "config": {"module": "UEsDBA"}}, "SL704"),
        ({"class_name": "StringLookup", "module": "keras.layers", "config": {"vocabulary": "/etc/passwd"}}, "SL704"),
    ],
)
def test_what_a_configuration_of_keras_asks_for_is_found(layer: dict[str, Any], rule: str) -> None:
    assert rule in rules(scanned(keras(layer)))
    assert rules(scanned(keras({"class_name": "Dense", "module": "keras.layers", "config": {"units": 5}}))) == set()


# --- XML -------------------------------------------------------------------------------------------

PMML = '<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/>{}</PMML>'


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + PMML.format("&a;"), "SL708"),
        ('<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;&a;">]>' + PMML.format("&c;"), "SL708"),
        ('<!DOCTYPE x SYSTEM "http://evil/x.dtd">' + PMML.format(""), "SL708"),
        (PMML.format('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'), "SL704"),
        (PMML.format("<Taxonomy><TableLocator/></Taxonomy>"), "SL704"),
        (PMML.format('<Apply function="java.lang.Runtime.exec"><Constant>x</Constant></Apply>'), "SL710"),
        ('<?xml-stylesheet href="http://evil/x.xsl"?>' + PMML.format(""), "SL704"),
    ],
)
def test_what_leads_out_of_a_document_is_found(text: str, rule: str) -> None:
    assert rule in rules(scanned(text.encode()))


def test_an_extension_of_pmml_is_mentioned() -> None:
    file = scanned(PMML.format('<Extension extender="somebody" name="x"/>').encode())
    assert [each.rule for each in file.findings] == ["SL709"]
    assert file.kind == "pmml"


def test_xml_that_is_broken_is_not_read_to_its_end() -> None:
    assert scanned(PMML.format("<open>").encode()).unread
    assert scanned(b"<PMML>" + b"<a>" * 20_000).unread


def test_a_web_page_is_text() -> None:
    file = scanned(b"<!doctype html><html><body><p>hello<br></body></html>")
    assert file.kind == "text" or rules(file) == {"SL708"}


# --- text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["class Net:\n    x = 1\n", "import os\nos.system('x')\n", "(a b)\n", "# hello", "I am\n"]
)
def test_text_that_begins_like_a_pickle_is_text(text: str) -> None:
    file = scanned(text.encode())
    assert (file.kind, file.findings, file.unread) == ("text", (), ())


def test_a_pickle_that_is_text_is_a_pickle() -> None:
    assert rules(scanned(b"cos\nsystem\n(S'touch MARK'\ntR.")) == {"SL101"}
    assert rules(scanned(b"cos\nsystem\n(S'touch MARK'\ntR and then some text")) >= {"SL101"}


def test_a_pointer_of_git_lfs_is_no_model() -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 123\n"
    assert "the model itself is elsewhere" in scanned(pointer).unread[0].text


def test_what_lies_beside_a_model_is_known(tmp_path: Path) -> None:
    """As a folder of a hub has it."""
    files = {
        "config.json": b'{"architectures": ["X"], "hidden_size": 8}',
        "tokenizer.json": json.dumps({"model": {"vocab": {"a": 1}}}).encode(),
        "spiece.model": b"".join(b"\x0a\x0a\x0a\x03abc\x15" + struct.pack("<f", n) for n in range(20)),
        "merges.txt": b"#version: 0.2\na b\n",
        "README.md": "# \u00e9 model\n".encode(),
        ".gitattributes": b"*.bin filter=lfs\n",
        "plot.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "model.safetensors": tensors({"a": entry(0, 48, [6])}),
        "modeling.py": b"import torch\n\n\nclass Model(torch.nn.Module):\n    pass\n",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    report = safeload.scan(tmp_path)
    assert [(file.file, file.unread, file.findings) for file in report.files if file.unread or file.findings] == []
    assert report.exit_code == 0
    (tmp_path / "plot.png").write_bytes(files["plot.png"] + b"PK\x05\x06" + bytes(18))
    assert safeload.scan(tmp_path).exit_code == 1  # an archive hangs at its end
