"""The evaluator, pypmml: a JVM that is our child, and that nobody else can ask for anything.

The JVM is one a process, and ends with it. It listens on a loopback address, where other users of the machine get
too, so it wants a secret, which only this process has.
"""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

from safeload.codecs.base import missing
from safeload.errors import CodecError
from safeload.text import printable

__all__ = ["evaluator_of"]

_STARTING = threading.Lock()
_HINT = "install a Java runtime and put it on PATH, or set JAVA_HOME; safeload unpack gives the file as it is"
# Nothing is fetched for a document, no file is written beside it, and no other process may attach.
_OPTIONS = (
    "-Djavax.xml.accessExternalDTD=",
    "-Djavax.xml.accessExternalSchema=",
    "-XX:-UsePerfData",
    "-XX:+DisableAttachMechanism",
)


def evaluator_of(path: Path) -> Any:
    """A ``pypmml.Model`` of the document at `path`, which it does not need afterwards. Raises CodecError."""
    try:
        import pypmml
        from py4j.protocol import Py4JError
    except ImportError as error:
        raise missing("a model of PMML", "pmml", "; safeload unpack gives the file") from error
    with _STARTING:
        _start(pypmml.PMMLContext)
    try:
        return pypmml.Model.fromFile(str(path))
    except pypmml.PMMLError as error:
        told = ": ".join(str(each) for each in error.args if each)
        raise CodecError(f"pypmml cannot take this model: {printable(told, 300)}") from error
    except (Py4JError, OSError) as error:
        pypmml.PMMLContext.shutdown()  # the next model gets a JVM of its own
        raise CodecError("the JVM of pypmml does not answer; the next model is loaded in another") from error


def _start(context: Any) -> None:
    """Unless there is one: whoever uses pypmml besides has one already, and all models are in the same."""
    if context._gateway is not None:
        return
    from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
    from pypmml.jvm import Py4jGateway

    gateway, java = Py4jGateway(), _java()
    options = [*gateway.java_opts, *_OPTIONS]
    try:
        port, secret = launch_gateway(
            classpath=gateway.classpath, javaopts=options, java_path=java, die_on_exit=True, enable_auth=True
        )
    except (OSError, ValueError) as error:  # it ended before it said where it listens
        raise CodecError("Java does not start, which pypmml needs", hint=_HINT) from error
    parameters = GatewayParameters(port=port, auth_token=secret, auto_convert=True)
    Py4jGateway._gateway = JavaGateway(gateway_parameters=parameters)
    Py4jGateway._jvm = Py4jGateway._gateway.jvm
    context(gateway_instance=gateway)


def _java() -> str:
    """Where py4j would look, too."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(Path(home, "bin", "java") if home else "java")
    if found is None:
        raise CodecError("pypmml needs Java, which is not here", hint=_HINT)
    return found
