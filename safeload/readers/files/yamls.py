"""YAML and configurations of Hydra, in whatever text: tags and targets by which a loader calls what the file names.

The text is not parsed: what is looked for are the tags and keys themselves, in each way of writing them. Sources: YAML
1.2.2, 5.7 (escapes), 6.8.2 (%TAG), 6.9.1 (tags); PyYAML's constructor.py; hydra/_internal/instantiate/_instantiate2.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safeload.readers.observations import GlobalUse, Use
from safeload.text import printable

if TYPE_CHECKING:
    from safeload.readers.files.look import Look

__all__ = ["look_into_yaml", "say_target"]

# Tags of PyYAML's unsafe loaders, with which Keras below 2.6 read configurations: called, they run anything. A tag may
# be written with escapes, or behind a prefix that %TAG declares, and then says nothing of itself.
_TAG = re.compile(
    rb"(?:!!|yaml\.org,2002:)python/(?:object|name|module)[\w.:/]{0,80}|![!<][\w.:,/]{0,80}%[0-9A-Fa-f]{2}"
    rb"|^%TAG[ \t]",
    re.MULTILINE,
)


def _however(text: str) -> bytes:
    """A pattern for `text`, each letter plain or escaped as between double quotes."""
    codes = [ord(each) for each in text]
    return b"".join(rb"(?:%c|\\x%02x|\\u%04x|\\U%08x)" % (code, code, code, code) for code in codes)


# The value may stand on a line of its own, or behind the sign of a block.
_TARGET = re.compile(
    rb"(?<!\w)%s[\"']?\s{0,200}:\s{0,200}(?:[|>][-+\d]{0,2}\s{1,200})?[\"']?([\w.\\]{1,400})" % _however("_target_"),
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U0{0,4}([0-9a-fA-F]{1,4}))")


def look_into_yaml(look: Look, data: memoryview) -> None:
    if tag := _TAG.search(data):
        shown = printable(str(tag[0], "utf-8", "replace"), 80)
        look.say("yaml-object", tag.start(), f'a tag of YAML, "{shown}", makes an object of Python or may do so')
    for target in {match[1]: match for match in _TARGET.finditer(data)}.values():
        say_target(look, _ESCAPE.sub(_plain, str(target[1], "utf-8", "replace")), target.start())


def _plain(escape: re.Match[str]) -> str:
    return chr(int(escape[1] or escape[2] or escape[3], 16))


def say_target(look: Look, path: str, offset: int) -> None:
    """What Hydra calls, with which NeMo and others make a model from its configuration."""
    module, _, name = path.rpartition(".")
    used = GlobalUse(module, name, offset, Use.CALLED, module, name)
    look.say("target", offset, printable(path), used=used)
