"""``safeload scan`` of ``s3://``, ``gs://`` and ``hf://``, against servers of these protocols on this machine."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import joblib
import numpy as np
import pytest

from test_scan_recall import PAYLOAD, in_zip

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("moto") is None and not os.environ.get("SAFELOAD_TEST_CLOUDS"),
    reason="pip install '.[cloudtest]', in an environment of its own: it holds dateutil below 3",
)


class Cloud(NamedTuple):
    """What serves it on this machine and says where, what puts `source` there, the place, and what tells clients."""

    server: str
    put: str
    place: str
    variable: str
    others: dict[str, str]


CLOUDS = {
    "s3": Cloud(
        """
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
port = server.get_host_and_port()[1]
""",
        "import s3fs; files = s3fs.S3FileSystem(); files.mkdir('models'); "
        "files.put(source, 'models/v1', recursive=True)",
        "s3://models/v1",
        "AWS_ENDPOINT_URL",
        {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"},
    ),
    "gs": Cloud(
        """
from gcp_storage_emulator.server import create_server
server = create_server("127.0.0.1", 0, in_memory=True)
server.start()
port = server._api._httpd.server_port
""",
        "import gcsfs; files = gcsfs.GCSFileSystem(project='testing', token='anon'); files.mkdir('models'); "
        "files.put(source, 'models/v1', recursive=True)",
        "gs://models/v1",
        "STORAGE_EMULATOR_HOST",
        {"FSSPEC_GS_TOKEN": "anon", "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"},
    ),
    # There is no server of the Hub to install; this one answers what its client asks.
    "hf": Cloud(
        """
from pathlib import Path
from http.server import ThreadingHTTPServer
import threading
from testkit.hub import Hub
Hub.root = Path(sys.argv[1])
server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()
port = server.server_port
""",
        "import os, shutil; shutil.copytree(source, os.environ['HUB'], dirs_exist_ok=True)",
        "hf://org/model",
        "HF_ENDPOINT",
        {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_ETAG_TIMEOUT": "2"},
    ),
}
_SERVE = """
print(f"http://127.0.0.1:{port}", flush=True)
sys.stdin.read()
os._exit(0)
"""


@pytest.fixture(scope="module", params=CLOUDS)
def cloud(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def environment(cloud: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = str(tmp_path_factory.mktemp("served"))
    command = [sys.executable, "-W", "ignore", "-c", f"import os, sys\n{CLOUDS[cloud].server}{_SERVE}", folder]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parent,
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), "the server did not start"
        yield {**os.environ, CLOUDS[cloud].variable: url, "HUB": folder, **CLOUDS[cloud].others}
        server.communicate()


@pytest.fixture(scope="module")
def bucket(cloud: str, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("bucket")
    joblib.dump({"a": np.arange(3_000_000)}, folder / "good.joblib")  # 24 MB: in several parts
    (folder / "deep").mkdir()
    (folder / "deep" / "bad.zip").write_bytes(in_zip(PAYLOAD))
    (folder / "cut.pkl").write_bytes(pickle.dumps(list(range(100)))[:-20])
    put = f"source = {f'{folder}/'!r}; {CLOUDS[cloud].put}"
    subprocess.run([sys.executable, "-c", put], env=environment, check=True, timeout=120)
    return CLOUDS[cloud].place


def scan(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "safeload", "scan", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_bucket_is_scanned_like_a_folder(environment: dict[str, str], bucket: str, jobs: str) -> None:
    done = scan(environment, bucket, "--format", "json", "--jobs", jobs)
    assert done.returncode == 1, done.stderr
    files = {file["file"].removeprefix(f"{bucket}/"): file for file in json.loads(done.stdout)["files"]}
    assert files.keys() == {"good.joblib", "deep/bad.zip", "cut.pkl"}
    assert not files["good.joblib"]["findings"]
    assert {each["rule"] for each in files["deep/bad.zip"]["findings"]} == {"SL101"}
    assert files["cut.pkl"]["unread"]


def test_one_object_is_scanned_like_a_file(environment: dict[str, str], bucket: str) -> None:
    assert scan(environment, f"{bucket}/good.joblib").returncode == 0
    assert scan(environment, f"{bucket}/deep/bad.zip").returncode == 1
    assert scan(environment, f"{bucket}/cut.pkl").returncode == 2


def test_what_is_larger_than_allowed_is_unread(environment: dict[str, str], bucket: str) -> None:
    done = scan(environment, f"{bucket}/good.joblib", "--max-size", "1")
    assert done.returncode == 2
    assert "larger" in done.stdout


@pytest.mark.parametrize("place", ["none.pkl", "nowhere/v1"])
def test_what_is_not_there_is_no_clean_file(cloud: str, environment: dict[str, str], bucket: str, place: str) -> None:
    done = scan(environment, f"{bucket}/{place}" if place == "none.pkl" else f"{cloud}://{place}")
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("cloud", ["s3", "hf"], indirect=True)  # gcsfs tries for a minute
def test_while_the_server_does_not_answer_nothing_is_called_clean(
    cloud: str, environment: dict[str, str], bucket: str
) -> None:
    stopped = {**environment, CLOUDS[cloud].variable: "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    done = scan(stopped, f"{bucket}/good.joblib")
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr
