import importlib

import pytest

from ecgdig.formats.extra import LIBRARIES, imported, reason
from ecgdig.io.wfdb import RecordError


@pytest.mark.parametrize(("package", "what"), LIBRARIES.items())
def test_a_missing_library_is_named_with_the_remedy(monkeypatch, package, what):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(
        RecordError, match=rf"^{what.replace('+', '[+]')} needs {package}, .*pip install 'ecgdig\[formats\]'$"
    ):
        imported(f"{package}.part")


def test_what_another_library_says_becomes_one_short_line():
    assert reason(ValueError("two\n  lines")) == "two lines"
    assert reason(KeyError()) == "KeyError"
    assert len(reason(ValueError("long " * 100))) <= 200
