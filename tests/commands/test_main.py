from __future__ import annotations

import subprocess
import sys

import pytest

from ecgdig.commands import digitize
from ecgdig.commands.main import COMMANDS, completion, main

SLOW = ("torch", "numpy", "scipy", "numba")
HELP = f"""
import sys
from ecgdig.commands.main import main
try:
    main(["--help"])
except SystemExit:
    pass
sys.exit(", ".join(name for name in {SLOW} if name in sys.modules) or 0)
"""


def test_help_lists_the_commands_and_imports_nothing_slow() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"  {name}" in done.stdout for name in COMMANDS)
    assert "exit codes" in done.stdout


def test_a_command_gets_its_arguments_and_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    got = []
    monkeypatch.setattr(digitize, "main", lambda args, prog: got.append((args, prog)))
    main(["digitize", "a.png", "--out", "x"])
    assert got == [(["a.png", "--out", "x"], "ecgdig digitize")]


def test_an_interrupt_gives_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(args: list[str], prog: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(digitize, "main", interrupted)
    with pytest.raises(SystemExit) as stopped:
        main(["digitize"])
    assert stopped.value.code == 130


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["digitise"])
    assert stopped.value.code == 2
    assert "digitize" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_commands_and_options(shell: str) -> None:
    script = completion(shell)
    assert all(word in script for word in ("digitize", "doctor", "overwrite", "json-lines", "pages-per-record"))
