"""PMML: models of scikit-learn, and what the evaluator answers; and what a document would have Java do."""

from __future__ import annotations

import contextlib
import io
import os
import select
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import safeload
from safeload.errors import CodecError, DigestMismatchError, MissingExtraError, SafeloadError, UnsafeFileError
from testkit.frameworks import need
from testkit.members import signed
from testkit.mutations import assert_no_crash
from testkit.pages import run_page
from testkit.roundtrip import peak, through

need("nyoka", "pypmml", extra="pmml")

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Keys

FILES = Path(__file__).parent.parent / "data" / "scan"
DOCUMENT = (FILES / "model.pmml").read_text("utf-8")
BODY = DOCUMENT[DOCUMENT.index("<PMML") :]
RECORD = [0.1, 0.2, 0.3, 0.4]


def logistic() -> Any:
    return LogisticRegression(max_iter=10_000)


MODELS: dict[str, tuple[Callable[[], Any], Callable[..., Any]]] = {
    "linear": (LinearRegression, load_diabetes),
    "linear, scaled": (lambda: make_pipeline(StandardScaler(), LinearRegression()), load_diabetes),
    "logistic": (lambda: LogisticRegression(solver="liblinear"), load_breast_cancer),
    "logistic, scaled": (lambda: make_pipeline(MinMaxScaler(), LogisticRegression()), load_breast_cancer),
    "logistic, three classes": (lambda: make_pipeline(StandardScaler(), logistic()), load_wine),
    "tree": (lambda: DecisionTreeClassifier(random_state=0), load_iris),
    "tree of numbers": (lambda: DecisionTreeRegressor(random_state=0), load_diabetes),
    "forest": (lambda: RandomForestClassifier(20, random_state=0), load_iris),
    "forest, scaled": (
        lambda: make_pipeline(StandardScaler(), RandomForestClassifier(20, random_state=0)),
        load_breast_cancer,
    ),
    "forest of numbers": (lambda: RandomForestRegressor(10, random_state=0), load_diabetes),
    "boosting": (lambda: GradientBoostingClassifier(n_estimators=20, random_state=0), load_breast_cancer),
    "boosting, three classes": (lambda: GradientBoostingClassifier(n_estimators=10, random_state=0), load_iris),
    "boosting of numbers": (lambda: GradientBoostingRegressor(n_estimators=20, random_state=0), load_diabetes),
}


def evaluator_of(model: Any, team: Keys) -> Any:
    return through(model, team, codec="pmml", environment="exact")


def assert_same_answers(evaluator: Any, model: Any, X: Any) -> None:  # noqa: N803
    """Sums may be rounded in another order; nothing else differs."""
    columns = evaluator.outputNames
    rows = dict(zip(columns, zip(*evaluator.predict(X.tolist()), strict=True), strict=True))
    expected = model.predict(X)
    if expected.dtype.kind == "f":
        assert np.allclose(rows["predicted_target"], expected, rtol=1e-12, atol=1e-12)
        return
    assert list(map(str, rows["predicted_target"])) == list(map(str, expected))
    shares = np.transpose([rows[f"probability_{name}"] for name in model.classes_])
    assert np.allclose(shares, model.predict_proba(X), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_an_evaluator_answers_as_scikit_learn_does(name: str, team: Keys) -> None:
    build, load = MODELS[name]
    X, y = load(return_X_y=True)  # noqa: N806
    model = build().fit(X, y)
    assert_same_answers(evaluator_of(model, team), model, X)


def test_classes_may_have_names(team: Keys) -> None:
    X, y = load_iris(return_X_y=True)  # noqa: N806
    names = np.array(["<one>", 'the "second"', "drei & mehr"])[y]
    model = make_pipeline(StandardScaler(), logistic()).fit(X, names)
    assert_same_answers(evaluator_of(model, team), model, X)


@pytest.mark.parametrize("step", [0.1, 1 / 3, 1e-3, 1e9])
def test_a_number_on_a_threshold_goes_the_same_way(step: float, team: Keys) -> None:
    """Values between which trees cut, and some of which 32 bits round to the place of the cut."""
    rng = np.random.default_rng(0)
    X = rng.integers(-30, 30, size=(200, 3)) * step  # noqa: N806
    y = (X[:, 0] + rng.normal(size=200) * step * 10 > 0).astype(int)
    model = RandomForestClassifier(5, random_state=0).fit(X, y)
    cuts = np.concatenate([tree.tree_.threshold[tree.tree_.feature >= 0] for tree in model.estimators_])
    near = np.concatenate([cuts, np.nextafter(cuts, -np.inf), np.nextafter(cuts, np.inf), cuts.astype("f4")])
    among = np.repeat(rng.permutation(near)[:200, None], 3, axis=1)
    assert_same_answers(evaluator_of(model, team), model, np.concatenate([X, among]))


def test_columns_are_called_as_they_were(team: Keys) -> None:
    data = load_iris(as_frame=True)
    model = DecisionTreeClassifier(random_state=0).fit(data.data, data.target)
    assert evaluator_of(model, team).inputNames == list(data.data.columns)
    model.fit(data.data.to_numpy(), data.target)
    assert evaluator_of(model, team).inputNames == ["x0", "x1", "x2", "x3"]
    record = dict(zip(["x0", "x1", "x2", "x3"], data.data.iloc[0].tolist(), strict=True))
    assert evaluator_of(model, team).predict(record)["predicted_target"] == 0


@pytest.mark.parametrize("kind", ["places", "names", "two, as a frame", "numbers"])
def test_a_document_has_the_score_of_its_model(kind: str, team: Keys, tmp_path: Path) -> None:
    """Whatever the evaluator answers besides: a probability for each class, and labels as text or as floats."""
    inputs, targets = load_iris(return_X_y=True, as_frame=kind.endswith("frame"))
    model: Any = make_pipeline(StandardScaler(), logistic())
    if kind == "names":
        targets = np.array(["setosa", "versicolor", "virginica"])[targets]
    elif kind == "two, as a frame":
        targets = (targets == 1).astype(int)
    elif kind == "numbers":
        inputs, targets = load_diabetes(return_X_y=True)
        model = DecisionTreeRegressor(max_depth=4, random_state=0)
    model.fit(inputs, targets)
    safeload.dump(model, tmp_path / "m.safeload", signer=team.key, codec="pmml")
    found = safeload.evaluate(tmp_path / "m.safeload", inputs, targets, trust=team.pub, repeats=1)
    assert found.measure == ("R^2" if kind == "numbers" else "accuracy")
    assert found.score == pytest.approx(model.score(inputs, targets), abs=1e-9)


def test_the_same_model_is_the_same_document(team: Keys) -> None:
    model = logistic().fit(*BINARY)
    one, other = (bytes(evaluator_of(model, team).pmml) for _ in range(2))
    assert one == other
    assert b"Timestamp" not in one
    assert b"copyright" not in one


X, Y = load_iris(return_X_y=True)
BINARY = (X[:100], Y[:100])
REFUSED: dict[str, Callable[[], Any]] = {
    "another estimator": lambda: SVC().fit(X, Y),
    "a kin of one": lambda: Ridge().fit(X, Y),
    "another scaler": lambda: make_pipeline(StandardScaler(), MinMaxScaler(), LogisticRegression()).fit(X, Y),
    "no model": lambda: make_pipeline(StandardScaler()).fit(X),
    "no estimator": lambda: {"a": 1},
    "not fitted": lambda: make_pipeline(StandardScaler(), logistic()),
    "several targets": lambda: DecisionTreeRegressor().fit(X, X[:, :2]),
    "a column of targets": lambda: LinearRegression().fit(X, Y[:, None]),
    "no intercept": lambda: LinearRegression(fit_intercept=False).fit(X, Y),
    "not centred": lambda: make_pipeline(StandardScaler(with_mean=False), logistic()).fit(X, Y),
    "clipped": lambda: make_pipeline(MinMaxScaler(clip=True), LogisticRegression()).fit(X, Y),
    "another beginning": lambda: GradientBoostingClassifier(init=LogisticRegression()).fit(X, Y),
    "another loss": lambda: GradientBoostingClassifier(loss="exponential").fit(*BINARY),
    "truth values": lambda: logistic().fit(X, Y > 0),
    "classes that are no whole numbers": lambda: logistic().fit(X, Y * 1.0),
    "trees without a cut": lambda: RandomForestClassifier(3, max_depth=1, min_samples_leaf=70).fit(X, Y),
    "a column with the name of a step": lambda: make_pipeline(StandardScaler(), logistic()).fit(
        named("standardScaler(x)", "x", "y", "z"), Y
    ),
    "a column with the name of a sum": lambda: logistic().fit(named("probablity_0", "x", "y", "z"), Y),
    "a column of two lines": lambda: logistic().fit(named("a\nb", "x", "y", "z"), Y),
    "a class of two lines": lambda: logistic().fit(X, np.array(["a\nb", "c", "d"])[Y]),
    "a class without a name": lambda: logistic().fit(X, np.array(["", "c", "d"])[Y]),
    "a column that XML cannot name": lambda: logistic().fit(named("a\0", "x", "y", "z"), Y),
    "a column without a name": lambda: Pipeline([("m", logistic())]).fit(named("a", "", "c", "d"), Y),
    "a column with the name of the target": lambda: logistic().fit(named("a", "b", "c", "target"), Y),
}


def named(*names: str) -> Any:
    return load_iris(as_frame=True).data.set_axis(list(names), axis=1)


@pytest.mark.parametrize("name", REFUSED)
def test_what_pmml_would_not_say_the_same_is_refused(name: str, team: Keys, tmp_path: Path) -> None:
    with pytest.raises(CodecError):
        safeload.dump(REFUSED[name](), tmp_path / "m.safeload", signer=team.key, codec="pmml")
    assert [*tmp_path.iterdir()] == []


PROGRAM = """
import json, sys, safeload
evaluator = safeload.load(sys.argv[1], trust=sys.argv[2])
print(json.dumps(evaluator.predict(json.loads(sys.argv[3]))))
"""


def run(program: str, *arguments: str, **environment: str) -> str:
    """What a process of its own prints, in which any warning is an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-W", "default::DeprecationWarning", "-c", program, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_another_process_gets_the_same_answers(team: Keys, tmp_path: Path) -> None:
    model = logistic().fit(*BINARY)
    safeload.dump(model, tmp_path / "m.safeload", signer=team.key, codec="pmml")
    (answer,) = eval(run(PROGRAM, str(tmp_path / "m.safeload"), str(team.pub), str([X[0].tolist()])))  # noqa: S307
    assert np.allclose(answer[:2], model.predict_proba(X[:1])[0], rtol=0, atol=1e-12)


# --- documents of others ---------------------------------------------------------------------------


def load_document(data: str | bytes, team: Keys, tmp_path: Path) -> Any:
    data = data.encode() if isinstance(data, str) else data
    path = signed(tmp_path / "m.safeload", team.key, [("model.pmml", "pmml.file", data)])
    return safeload.load(path, trust=team.pub)


def test_a_file_that_is_packed_comes_back_byte_for_byte_and_loads(tmp_path: Path, team: Keys) -> None:
    manifest = safeload.pack(FILES / "model.pmml", tmp_path / "m.safeload", signer=team.key)
    assert [member.kind for member in manifest.members] == ["pmml.file"]
    safeload.unpack(tmp_path / "m.safeload", tmp_path / "model.pmml", trust=team.pub)
    assert (tmp_path / "model.pmml").read_bytes() == (FILES / "model.pmml").read_bytes()
    evaluator = safeload.load(tmp_path / "m.safeload", trust=team.pub)
    assert evaluator.inputNames == ["a", "b", "c", "d"]
    assert evaluator.predict(RECORD)[2] == 0


def test_a_document_goes_on_as_it_was(tmp_path: Path, team: Keys) -> None:
    evaluator = safeload.load_untrusted(FILES / "model.pmml")
    safeload.dump(evaluator, tmp_path / "a.safeload", signer=team.key)
    safeload.convert(FILES / "model.pmml", tmp_path / "b.safeload", signer=team.key)
    for name in ("a", "b"):
        safeload.unpack(tmp_path / f"{name}.safeload", tmp_path / name, trust=team.pub)
        assert (tmp_path / name).read_bytes() == (FILES / "model.pmml").read_bytes()
        report = safeload.scan(tmp_path / f"{name}.safeload", trust=team.pub)
        assert report.exit_code == 0
        assert report.files[0].findings == ()


def test_a_document_of_another_program_answers_as_its_model_did(team: Keys) -> None:
    evaluator = safeload.load_untrusted(FILES.parent / "sklearn2pmml-0.133.1.pmml")
    model = make_pipeline(StandardScaler(), logistic()).fit(X, Y)
    assert np.allclose(evaluator.predict(X.tolist()), model.predict_proba(X), rtol=0, atol=1e-3)
    assert safeload.scan(FILES.parent / "sklearn2pmml-0.133.1.pmml").exit_code == 0


def test_an_evaluator_that_was_made_elsewhere_has_no_document(team: Keys) -> None:
    import pypmml

    safeload.load_untrusted(FILES / "model.pmml")  # the JVM is the same
    with pytest.raises(CodecError, match="does not have the document"):
        safeload.dump(pypmml.Model.fromFile(str(FILES / "model.pmml")), io.BytesIO(), signer=team.key)


def within(text: str) -> str:
    return BODY.replace("<DataDictionary", f"{text}<DataDictionary", 1)


HOSTILE: dict[str, str | bytes] = {
    "entities in entities": '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]>'
    + within("<Taxonomy>&c;</Taxonomy>"),
    "an entity from a file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + BODY,
    "a document type from elsewhere": '<!DOCTYPE PMML SYSTEM "http://127.0.0.1/x.dtd">' + BODY,
    "a document type": "<!DOCTYPE PMML>" + BODY,
    "a stylesheet": '<?xml-stylesheet href="http://127.0.0.1/x.xsl"?>' + BODY,
    "xinclude": within('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'),
    "xinclude in an extension": within(
        '<Extension><i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd"/></Extension>'
    ),
    "a table elsewhere": within("<Taxonomy><TableLocator/></Taxonomy>"),
    "a class of Java": BODY.replace('function="-"', 'function="java.lang.Runtime.getRuntime"'),
    "UTF-16 without a mark": BODY.encode("utf-16-le"),
    "UTF-16 with one": BODY.encode("utf-16"),
    "UTF-16 by its own word": '<?xml version="1.0" encoding="UTF-16"?>' + BODY,
    "UTF-7": '<?xml version="1.0" encoding="UTF-7"?>' + BODY,
    "UTF-7, begun": b'<?xml version="1.0" encoding="UTF-7"?>' + BODY.encode("utf-7"),
    "EBCDIC": ('<?xml version="1.0" encoding="cp037"?>' + BODY).encode("cp037"),
    "EBCDIC, begun": b'<?xml version="1.0" encoding="cp037"?>' + BODY.encode("cp037"),
    "a codec that is none": '<?xml version="1.0" encoding="zlib"?>' + BODY,
    "not UTF-8": BODY.encode().replace(b"LogisticRegression", b"\xc3\x28"),
    "depth": within("<a>" * 20_000 + "</a>" * 20_000),
    "cut off": DOCUMENT[:-100],
    "two of them": BODY + BODY,
    "an archive behind it": DOCUMENT.encode() + (FILES / "model.keras").read_bytes(),
    "a pickle": b"\x80\x02cos\nsystem\nU\x09touch MARK\x85R.",
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_scan_would_find_does_not_get_to_java(name: str, team: Keys, tmp_path: Path) -> None:
    with pytest.raises(UnsafeFileError):
        load_document(HOSTILE[name], team, tmp_path)
    (tmp_path / "m.pmml").write_bytes(data if isinstance(data := HOSTILE[name], bytes) else data.encode())
    with pytest.raises(SafeloadError):
        safeload.convert(tmp_path / "m.pmml", tmp_path / "converted", signer=team.key)
    assert not (tmp_path / "converted").exists()


SIZES = [
    '<Array n="2000000000" type="real">1</Array>',
    '<Array n=" +99999999999999999999"/>',
    '<Matrix nbRows="9000" nbCols="9000"/>',
]


@pytest.mark.parametrize("text", SIZES)
def test_what_says_that_it_is_larger_than_the_file_is_refused(text: str, team: Keys, tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="larger than the file"):
        load_document(within(text), team, tmp_path)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (BODY.replace('function="-"', 'function="exec"'), "'exec' is not defined"),
        (BODY.replace("TransformationDictionary", "Taxonomy"), "pypmml cannot take this model"),
        (within("<Taxonomy " + " ".join(f'a{n}="1"' for n in range(20_000)) + "/>"), "pypmml cannot take"),
        ("<html><body>hello</body></html>", "is xml, and no PMML"),
        ('{"PMML": 1}', "is json, and no PMML"),
    ],
)
def test_what_no_evaluator_takes_is_said(data: str, told: str, team: Keys, tmp_path: Path) -> None:
    with pytest.raises(CodecError, match=told):
        load_document(data, team, tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + DOCUMENT.encode(),
        b'<?xml version="1.0" encoding="iso-8859-1"?>' + BODY.replace("Default", "Gew\u00f6hnlich").encode("latin-1"),
        BODY.replace("<", "<p:").replace("<p:/", "</p:").replace("xmlns=", "xmlns:p="),
        within(
            '<?php system("id") ?><!-- a word --><Extension name="code" value="import os"><b xmlns="c"/></Extension>'
        ),
        BODY.replace("0.4701448528794572", "<![CDATA[0.4701448528]]><!-- -->794572"),
    ],
    ids=["a mark", "Latin-1", "a prefix", "words for others", "a section"],
)
def test_an_honest_document_answers_however_it_is_written(data: str | bytes, team: Keys, tmp_path: Path) -> None:
    expected = safeload.load_untrusted(FILES / "model.pmml").predict(RECORD)
    assert load_document(data, team, tmp_path).predict(RECORD) == expected


def test_java_gets_what_was_looked_at_and_nothing_else() -> None:
    from safeload.codecs.pmml_document import rewrite

    text = (
        '<?xml version="1.0" encoding="iso-8859-1"?><?go there?><!-- for nobody -->'
        '<p:PMML xmlns:p="http://www.dmg.org/PMML-4_4" xmlns:x="urn:x" version="4.4" x:say="no">'
        '<p:Extension a="b"><p:Header/>c</p:Extension><p:Header copyright="&lt;&#13;&quot;\u00e9"/>'
        "<x:row><x:a>&amp;<![CDATA[<b>]]>&#13;</x:a></x:row></p:PMML>"
    )
    file = io.StringIO()
    rewrite(memoryview(text.encode("latin-1")), file)
    assert file.getvalue() == (
        '<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header copyright=\'&lt;&#13;"\u00e9\'></Header>'
        '<x:row xmlns:x="urn:x"><x:a xmlns:x="urn:x">&amp;&lt;b&gt;&#13;</x:a></x:row></PMML>'
    )


MUTANTS = """
import random, re, sys
from pathlib import Path
from safeload import Policy, SafeloadError
from safeload.codecs import CODECS, Held, LoadOptions
from safeload.limits import DEFAULT_LIMITS
document = Path("data/scan/model.pmml").read_text()
pieces = re.findall(r'"[^"]*"|<[^>]*>|[^<"]+', document)
values = ['""', '"-1"', '"99999999999"', '"NaN"', '"x"', "<Node>", "</Header>", "<True/>", "1e999", "-", "&#0;", "<!--"]
rng, loaded, refused = random.Random(int(sys.argv[1])), 0, 0
options = LoadOptions(policy=Policy.default(), mmap_mode=None, limits=DEFAULT_LIMITS)
for _ in range(int(sys.argv[2])):
    changed = list(pieces)
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(changed))
        changed[at] = rng.choice((rng.choice(values), rng.choice(pieces), changed[at] * 2, ""))
    data = "".join(changed).encode()
    try:
        CODECS["pmml"].load([Held("m", "pmml.file", lambda: memoryview(data))], options)
        loaded += 1
    except SafeloadError:
        refused += 1
print(loaded, refused)
"""


def test_a_document_that_was_changed_is_an_evaluator_or_an_error() -> None:
    """10,000 of them, of other seeds, gave nothing else."""
    assert_no_crash(MUTANTS, 0, 400)


def test_one_changed_byte_is_refused_before_anything_is_read(team: Keys, tmp_path: Path) -> None:
    safeload.pack(FILES / "model.pmml", tmp_path / "m.safeload", signer=team.key)
    data = bytearray((tmp_path / "m.safeload").read_bytes())
    data[data.index(b"<RegressionTable")] ^= 1
    (tmp_path / "m.safeload").write_bytes(data)
    with pytest.raises(DigestMismatchError):
        safeload.load(tmp_path / "m.safeload", trust=team.pub)


# --- the JVM ---------------------------------------------------------------------------------------


def test_nothing_is_left_in_the_temporary_folder(team: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    load_document(DOCUMENT, team, tmp_path)
    with pytest.raises(CodecError):
        load_document(BODY.replace('function="-"', 'function="exec"'), team, tmp_path)
    with pytest.raises(CodecError):
        load_document(within(SIZES[0]), team, tmp_path)
    evaluator_of(logistic().fit(*BINARY), team)
    assert [*(tmp_path / "temporary").iterdir()] == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process listens to")
def test_java_listens_to_this_machine_alone_and_to_whoever_knows_the_secret(team: Keys, tmp_path: Path) -> None:
    import pypmml

    load_document(DOCUMENT, team, tmp_path)
    port = pypmml.PMMLContext._gateway._gateway.gateway_parameters.port
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    (address,) = {line[1].partition(":")[0] for line in lines if line[3] == "0A" and line[1].endswith(f":{port:04X}")}
    assert address in ("0100007F", "0000000000000000FFFF00000100007F")
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.settimeout(10)
        stranger.sendall(b"r\nu\njava.lang.Runtime\nrj\ne\n")
        assert stranger.recv(100).startswith(b"!xsAuthentication error")


JVM = """
import os, signal, sys, tempfile, safeload
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
with ThreadPoolExecutor(4) as pool:
    models = list(pool.map(safeload.load_untrusted, sys.argv[1:] * 4))

def children():
    return [pid for each in Path("/proc/self/task").glob("*/children") for pid in each.read_text().split()]

(java,) = [pid for pid in children() if "java" in Path(f"/proc/{pid}/comm").read_text()]
assert not Path(tempfile.gettempdir(), f"hsperfdata_{os.environ.get('USER', 'root')}", java).exists()
files = {os.readlink(each) for each in Path(f"/proc/{java}/fd").iterdir()}
files = {name for name in files if name[0] == "/" and not name.startswith("/dev/")}
assert not {name for name in files if not name.endswith((".jar", "/modules"))}
os.kill(int(java), signal.SIGKILL)
try:
    print(safeload.load_untrusted(sys.argv[1]))
except safeload.SafeloadError as error:
    print(error)
print(safeload.load_untrusted(sys.argv[1]).predict([0.1, 0.2, 0.3, 0.4])[2])
print(*children())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says which processes and files there are")
def test_there_is_one_java_which_begins_anew_if_it_was_ended_and_ends_with_us() -> None:
    said, answer, left = run(JVM, str(FILES / "model.pmml")).splitlines()
    assert "the JVM of pypmml does not answer" in said
    assert answer == "0"
    for child in left.split():
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            ending = os.pidfd_open(int(child))
            assert select.select([ending], [], [], 60)[0]
            os.close(ending)


WITHOUT = """
import sys, safeload
sys.modules.update(dict.fromkeys(sys.argv[2:]))
try:
    print(safeload.load_untrusted(sys.argv[1]))
except safeload.SafeloadError as error:
    print(type(error).__name__, getattr(error, "extra", ""), error, error.hint)
"""


def test_what_is_not_installed_is_said() -> None:
    for name in ("pypmml", "py4j"):
        said = run(WITHOUT, str(FILES / "model.pmml"), name)
        assert said.startswith(f"{MissingExtraError.__name__} pmml ")
    said = run(WITHOUT, str(FILES / "model.pmml"), JAVA_HOME="/nowhere")
    assert said.startswith("CodecError")
    assert "needs Java, which is not here" in said


def test_nyoka_that_is_not_installed_is_said(team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nyoka", None)
    with pytest.raises(MissingExtraError) as caught:
        safeload.dump(logistic().fit(*BINARY), io.BytesIO(), signer=team.key, codec="pmml")
    assert caught.value.extra == "pmml"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process took")
def test_a_large_document_takes_its_size_and_little_more(tmp_path: Path, team: Keys) -> None:
    peaks = {}
    note = f"<Annotation>{'word ' * 4_000}</Annotation>"
    for name, size in (("small", 1), ("large", 4_000)):
        data = BODY.replace("</Header>", f"{note * size}</Header>").encode()
        signed(tmp_path / name, team.key, [("model.pmml", "pmml.file", data)])
        peaks[name] = peak(tmp_path / name, team)
    assert peaks["large"] - peaks["small"] < 1.3 * 4_000 * len(note)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process took")
def test_a_forest_takes_its_size_and_little_more(tmp_path: Path, team: Keys) -> None:
    peaks = {}
    for name, trees in (("small", 1), ("large", 90)):
        model = RandomForestRegressor(trees, random_state=0).fit(*load_diabetes(return_X_y=True))
        safeload.dump(model, tmp_path / name, signer=team.key, codec="pmml")
        peaks[name] = peak(tmp_path / name, team)
    size = (tmp_path / "large").stat().st_size
    assert size > 10 << 20
    assert peaks["large"] - peaks["small"] < 1.3 * size


def test_the_page_does_what_it_says(tmp_path: Path, team: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs.pmml").write_text(DOCUMENT, "utf-8")
    run_page("frameworks/pmml.md", tmp_path, team, monkeypatch)
