"""`ecgdig`: one command for all of them; each is imported only when it is called."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from ecgdig.commands.voice import BAD_OPTION, EXIT_CODES

# name -> module, the function in it that takes (args, prog), the one that gives its options, what it is for
COMMANDS = {
    "digitize": ("ecgdig.commands.digitize", "parser", "read scans and photos into recordings"),
    "render": ("ecgdig.commands.render", "parser", "draw recordings as pages with their exact truth"),
    "eval": ("ecgdig.commands.evaluate_options", "parser_of", "score pages with known truth, compare results"),
    "train": ("ecgdig.commands.train", "", "train a network: train --config unet.yaml"),
    "serve": ("ecgdig.commands.serve", "parser", "see, correct and download readings on a local web page"),
    "doctor": ("ecgdig.commands.doctor", "parser", "check this installation and say what to do"),
}
_MAINS = {"eval": "ecgdig.commands.evaluate"}
_SHELLS = ("bash", "zsh", "tcsh")


def main(args: Sequence[str] | None = None) -> None:
    """Call the command that is named first.

    Raises:
        SystemExit: its exit code, see `voice.EXIT_CODES`.
    """
    given = list(sys.argv[1:] if args is None else args)
    options = _parser().parse_args(given[:1])
    if options.command == "completion":
        shell = argparse.ArgumentParser(prog="ecgdig completion", description="Print a completion script for a shell.")
        shell.add_argument("shell", choices=_SHELLS)
        print(completion(shell.parse_args(given[1:]).shell))
        return
    try:
        _call(options.command, given[1:])
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def completion(shell: str) -> str:
    """A completion script; it is static, so completing starts no Python."""
    try:
        import shtab
    except ImportError:
        print("completion needs shtab; pip install 'ecgdig[completion]'", file=sys.stderr)
        raise SystemExit(BAD_OPTION) from None
    parser = argparse.ArgumentParser(prog="ecgdig")
    commands = parser.add_subparsers()
    for name, (module, options, what) in COMMANDS.items():
        if not options:  # of train, Lightning's own parser
            commands.add_parser(name, help=what)
            continue
        make: Callable[[str], argparse.ArgumentParser] = getattr(import_module(module), options)
        made = make(f"ecgdig {name}")
        commands.add_parser(name, help=what, parents=[made], add_help=False)
    commands.add_parser("completion", help="print a completion script").add_argument("shell", choices=_SHELLS)
    return str(shtab.complete(parser, shell))


def _call(name: str, args: Sequence[str]) -> None:
    try:
        module = import_module(_MAINS.get(name, COMMANDS[name][0]))
    except ModuleNotFoundError as error:  # of torch, where only what reading needs is installed
        print(f"ecgdig {name}: {error.name} is not installed; pip install {error.name}", file=sys.stderr)
        raise SystemExit(BAD_OPTION) from None
    if name == "train":
        module.main(args)
        return
    result = module.main(args, prog=f"ecgdig {name}")
    if name == "eval" and (code := module.exit_code(result)):
        raise SystemExit(code)


def _parser() -> argparse.ArgumentParser:
    from importlib.metadata import version

    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:{width}}  {what}" for name, (_, _, what) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="ecgdig",
        description="Paper ECGs back to millivolts.",
        usage="ecgdig COMMAND ... (ecgdig COMMAND --help has its options)",
        epilog=f"commands:\n{listed}\n\nshell completion: ecgdig completion {'|'.join(_SHELLS)}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ecgdig {version('ecgdig')}")
    choices = [*COMMANDS, "completion"]
    parser.add_argument("command", choices=choices, metavar="COMMAND", help="one of those below")
    return parser
