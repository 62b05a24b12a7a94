"""How large files, functions, parameter lists and folders may be, and what is still larger.

Problem: a limit that the code of today exceeds cannot be switched on, and one that is switched
on with exceptions fills up with exceptions. Method: what is above a limit stands in a table with
its number of today. Nothing else may be above it, a listed number may only fall, and a line goes
when its thing is small enough; tests/structure/test_ratchet.py holds all three.

Run: python tests/helpers/ratchet.py            lists what does not agree with the table
     python tests/helpers/ratchet.py --write    lowers, removes and follows what moved; what is
                                                new or has grown stays a finding
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from import_graph import parsed
from places import PROJECT, TESTS

TABLE: Final = TESTS / "structure" / "ratchet.txt"
MEASURED_FOLDERS: Final = ("src", "tests", "bench", "tools", "examples")
LIMITS: Final = {"file lines": 400, "function lines": 70, "parameters": 8, "modules": 16}
REFRESH: Final = "python tests/helpers/ratchet.py --write"

Sizes = dict[tuple[str, str], int]
"""The number of each thing, by what was counted and the thing's name."""


def measure(project: Path = PROJECT) -> Sizes:
    """All sizes of the project's Python files, those within their limits too.

    Lines of a function run from `def` to its last one. Parameters are all that a caller may give,
    `*args` and `**kwargs` as one each, without `self` and `cls`. Modules are the files of a
    folder of src, not its folders and not `__init__.py`.
    """
    sizes: Sizes = {}
    modules: Counter[str] = Counter()
    for folder in MEASURED_FOLDERS:
        for path in sorted((project / folder).rglob("*.py")):
            name = path.relative_to(project).as_posix()
            text = path.read_text(encoding="utf-8")
            sizes["file lines", name] = text.count("\n")
            for function, kind, number in _functions(parsed(path), ""):
                key = (kind, f"{name}::{function}")
                sizes[key] = max(number, sizes.get(key, 0))
            if folder == "src" and path.name != "__init__.py":
                modules[name.rpartition("/")[0]] += 1
    return sizes | {("modules", folder): number for folder, number in modules.items()}


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, str, int]]:
    """Name, kind and number of every function in `node`, nested ones too."""
    below = [
        child for _, value in ast.iter_fields(node) if isinstance(value, list) for child in value
    ]
    for child in below:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{prefix}{child.name}"
            yield name, "function lines", (child.end_lineno or child.lineno) - child.lineno + 1
            yield name, "parameters", _parameters(child.args)
            yield from _functions(child, f"{name}.")
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _functions(child, prefix)


def _parameters(arguments: ast.arguments) -> int:
    names = [argument.arg for argument in [*arguments.posonlyargs, *arguments.args]]
    own = 1 if names[:1] in (["self"], ["cls"]) else 0
    rest = sum(argument is not None for argument in (arguments.vararg, arguments.kwarg))
    return len(names) - own + len(arguments.kwonlyargs) + rest


def problems(
    sizes: Mapping[tuple[str, str], int], listed: Mapping[tuple[str, str], int]
) -> list[str]:
    """Every disagreement between the code and the table, a sentence each with what to do."""
    found = []
    for (kind, name), number in sorted(sizes.items()):
        known, limit = listed.get((kind, name)), LIMITS[kind]
        if known is None and number > limit:
            found.append(
                f"{name}: {number} {kind}, and the limit is {limit}: split it "
                f"(if it was larger still under another name: {REFRESH})"
            )
        elif known is not None and number > max(known, limit):
            found.append(
                f"{name}: {number} {kind}, and {known} are listed, which may only shrink: split it"
            )
        elif known is not None and number <= limit:
            found.append(f"{name}: {number} {kind} are within the limit: unlist it: {REFRESH}")
        elif known is not None and number < known:
            found.append(f"{name}: {number} {kind}, and {known} are listed: lower it: {REFRESH}")
    for kind, name in sorted(set(listed) - set(sizes)):
        found.append(f"{name}: listed for its {kind} and gone: unlist it: {REFRESH}")
    return found


def refreshed(sizes: Mapping[tuple[str, str], int], listed: Mapping[tuple[str, str], int]) -> Sizes:
    """The table brought up to date without letting anything grow.

    A name that is gone lends its number to a larger-than-allowed one of the same last name that
    is not listed yet: a file or function that moved.
    """
    above = {key: number for key, number in sizes.items() if number > LIMITS[key[0]]}
    kept = {key: min(number, listed[key]) for key, number in above.items() if key in listed}
    gone = {key: number for key, number in listed.items() if key not in sizes}
    for (kind, name), number in sorted(above.items()):
        if (kind, name) in listed:
            continue
        origins = [
            key
            for key, before in sorted(gone.items())
            if key[0] == kind and before >= number and _last(kind, key[1]) == _last(kind, name)
        ]
        if origins:
            del gone[origins[0]]
            kept[kind, name] = number
    return kept


def _last(kind: str, name: str) -> str:
    """The file's own name, or the function's without its file and class."""
    return name.rpartition("/")[2] if "::" not in name else name.rpartition("::")[2].split(".")[-1]


def read(text: str) -> Sizes:
    """The table of `text`: `kind | number | name` a line; `#` begins a remark.

    Of two numbers for one thing, which a merge may leave, the smaller counts. Raises ValueError
    with the line's number for a line that is none.
    """
    listed: Sizes = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 3 or parts[0] not in LIMITS or not parts[1].isdigit():
            raise ValueError(f"{TABLE.name}:{number}: not `kind | number | name`: {line}")
        key = (parts[0], parts[2])
        listed[key] = min(int(parts[1]), listed.get(key, int(parts[1])))
    return listed


def written(sizes: Mapping[tuple[str, str], int]) -> str:
    """The table as text, sorted."""
    limits = ", ".join(f"{kind} {limit}" for kind, limit in LIMITS.items())
    head = (
        f"# What is larger than its limit ({limits}).\n"
        f"# A number may only fall. To lower and remove lines: {REFRESH}\n"
    )
    rows = sorted((kind, name, number) for (kind, name), number in sizes.items())
    return head + "".join(f"{kind} | {number} | {name}\n" for kind, name, number in rows)


def main(arguments: list[str]) -> int:
    """Compare the code with the table, or bring the table up to date; 1 if anything disagrees."""
    if arguments not in ([], ["--write"]):
        print(__doc__)
        return 2
    sizes = measure()
    listed = read(TABLE.read_text(encoding="utf-8"))
    if arguments:
        listed = refreshed(sizes, listed)
        TABLE.write_text(written(listed), encoding="utf-8")
    found = problems(sizes, listed)
    print("\n".join(found) or f"{len(listed)} sizes are above their limits, as listed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
