"""The commands of `logos`, as Markdown for the manual, from the parsers themselves.

`argparse` lays out its help differently from version to version, so the tables are made here from
what the parsers hold: names, placeholders, choices and the words beside them.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from importlib import import_module

from logos.cli import main as command_line

_MARKDOWN = re.compile(r"([\\*_\[\]<>|])")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")


def commands() -> str:
    """Every command and subcommand with its arguments, as Markdown, from the parsers."""
    parts = [
        "# Commands\n",
        "`logos COMMAND`; `python -m logos.live COMMAND` is the same. Each takes `--help`, "
        "and `logos --version` names the version.\n",
        "| command | what it does |\n|---|---|",
    ]
    for name, (purpose, _) in command_line._COMMANDS.items():
        parts.append(f"| [`logos {name}`](#logos-{name}) | {plain(purpose)} |")
    parts.append("")
    for parser, level in parsers():
        parts += _command(parser, level)
    return "\n".join(parts)


def parsers() -> Iterator[tuple[argparse.ArgumentParser, int]]:
    """Every command's parser and its subcommands', with the level of its heading."""
    for name, (purpose, module) in command_line._COMMANDS.items():
        parser = argparse.ArgumentParser(
            prog=f"logos {name}", description=purpose[0].upper() + purpose[1:] + "."
        )
        import_module(module).add_arguments(parser)
        yield parser, 2
        for _, subparser in subparsers(parser):
            yield subparser, 3


def subparsers(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The subcommands of a command, by name, in their order."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _command(parser: argparse.ArgumentParser, level: int) -> list[str]:
    prog = parser.prog
    lines = [f"{'#' * level} {prog}\n", f"```\n{_usage(parser)}\n```\n"]
    description = parser.description or _purpose_of(parser)
    if description:
        lines.append(plain(description) + "\n")
    rows = [_argument(parser, action) for action in parser._actions if action.dest != "help"]
    if rows:
        lines.append("| argument | meaning |\n|---|---|")
        lines += [f"| {names} | {words} |" for names, words in rows]
        lines.append("")
    if parser.epilog:
        lines.append(f"```\n{parser.epilog.strip()}\n```\n")
    return lines


def _purpose_of(parser: argparse.ArgumentParser) -> str:
    """What the command above it says of a subcommand that does not describe itself."""
    above, _, name = parser.prog.rpartition(" ")
    module = command_line._COMMANDS[above.removeprefix("logos ")][1]
    parent = argparse.ArgumentParser(prog=above)
    import_module(module).add_arguments(parent)
    for action in parent._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                if choice.dest == name and choice.help:
                    return f"{choice.help[0].upper()}{choice.help[1:]}."
    return ""


def _usage(parser: argparse.ArgumentParser) -> str:
    words = [parser.prog]
    if any(action.option_strings and action.dest != "help" for action in parser._actions):
        words.append("[OPTIONS]")
    for action in parser._actions:
        if action.option_strings:
            if action.required:
                words.append(f"{action.option_strings[0]} {_placeholder(action)}")
            continue
        shown = _placeholder(action)
        shown = {"*": f"[{shown} ...]", "+": f"{shown} ...", "?": f"[{shown}]"}.get(
            str(action.nargs), shown
        )
        if isinstance(action, argparse._SubParsersAction) and not action.required:
            shown = f"[{shown}]"
        words.append(shown)
    return " ".join(words)


def _argument(parser: argparse.ArgumentParser, action: argparse.Action) -> tuple[str, str]:
    """One row of the table: what is written, and what it means."""
    if isinstance(action, argparse._SubParsersAction):
        names = ", ".join(
            f"[`{name}`](#{slug(f'{parser.prog} {name}')})" for name in action.choices
        )
        return f"`{_placeholder(action)}`", f"one of {names}"
    words = ""
    if action.help:
        words = plain(action.help % {**vars(action), "prog": parser.prog})
    if action.choices is not None:
        choices = ", ".join(f"`{choice}`" for choice in action.choices)
        words = f"{words}; one of {choices}" if words else f"one of {choices}"
    if action.option_strings and action.required:
        words += "; required"
    if not action.option_strings:
        return f"`{_placeholder(action)}`", words
    takes = "" if action.nargs == 0 else f" {_placeholder(action)}"
    return ", ".join(f"`{_cell(option + takes)}`" for option in action.option_strings), words


def _placeholder(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return action.dest.upper() if action.option_strings else action.dest


def plain(text: str) -> str:
    """`text` for Markdown, its punctuation taken literally; what stands in backticks is code."""
    parts = text.split("`")
    is_paired = len(parts) % 2 == 1
    return "`".join(
        _cell(part) if is_paired and position % 2 else _MARKDOWN.sub(r"\\\1", part)
        for position, part in enumerate(parts)
    ).replace("\n", " ")


def _cell(code: str) -> str:
    """Code inside of a table's cell."""
    return code.replace("|", "\\|")


def slug(words: str) -> str:
    """The anchor that a heading has where the documents are usually read."""
    return _NOT_IN_SLUG.sub("", words.lower()).replace(" ", "-")
