"""The source of a hostile strategy, made from a seed: hostile values, and tricks on the process.

`VALUES` are what an answer may be made of: a strategy that only answers with them must do no harm
and must be called intact. `TRICKS` attack the process itself: what they did must be found, or they
must have done nothing.
"""

from __future__ import annotations

import random

HEAD = """\
import gc, os, signal, sys, threading, time, types
from decimal import Decimal
from fractions import Fraction
from logos import (Cancel, Replace, Side, Strategy, Target, TimeInForce, Weight,
                   limit, market, stop, stop_limit)


class Word(str):
    def __str__(self): return "7"
    def __eq__(self, other): return True
    def __hash__(self): return 7
    def strip(self, *_): return "9"
    def encode(self, *_): return b"9"


class Whole(int):
    def __eq__(self, other): return True
    def __lt__(self, other): return True
    def __gt__(self, other): return False
    def __le__(self, other): return True
    def __ge__(self, other): return True
    def __mul__(self, other): return 0
    def __hash__(self): return 0
    def __str__(self): return "1"


class Real(float):
    def __repr__(self): return "1"
    def __lt__(self, other): return True
    def __float__(self): return 1.0


class Exact(Decimal):
    def is_finite(self): return True
    def __lt__(self, other): return True
    def __gt__(self, other): return False


class Tricky:
    calls = 0
    def __index__(self):
        Tricky.calls += 1
        return 1 if Tricky.calls % 2 else 10 ** 9
    __int__ = __index__
    def __float__(self): return float("nan")
    def __eq__(self, other): return True
    def __hash__(self): return 1
    def __bool__(self): raise ValueError("no truth here")
    def __getattr__(self, name): return Tricky()


class Rude:
    def __repr__(self): raise RuntimeError("no words")
    __str__ = __repr__
    def __eq__(self, other): raise KeyError("never equal")
    __hash__ = None


class Nameless(Exception):
    def __str__(self): raise ValueError("nothing to say")
    __repr__ = __str__


class Row(list):
    def __iter__(self): return iter([market(Side.BUY, 10 ** 6)] * 3)
    def __len__(self): return 0


def knot():
    tied = []
    tied.append(tied)
    return tied


def nest(depth):
    deep = market(Side.BUY, 1)
    for _ in range(depth):
        deep = [deep]
    return deep


def forever():
    while True:
        yield market(Side.BUY, 1)


def dive():
    return dive() + 1


def every(word):
    gc.unfreeze()
    return [each for each in gc.get_objects() if word in type(each).__name__]


class Desk(Strategy):
    seen = 0

    def on_bar(self, context, bar):
        self.seen += 1
        move = getattr(self, "move_%d" % self.seen, None)
        return move(context, bar) if move is not None else None
"""

VALUES = (
    *("float('nan')", "float('inf')", "-float('inf')", "0", "-1", "-0.0", "10**30", "10**4000"),
    *("True", "False", "1e308", "5e-324", "0.1 + 0.2", "2**63", "-(2**63)", "2**64 + 5", "5", "50"),
    *(
        "'nan'",
        "'1e999999'",
        "'-0'",
        "' 5 '",
        "'5_0'",
        "'\\u0665'",
        "'5\\n'",
        "'\\x00'",
        "'9' * 5000",
    ),
    *("Decimal('NaN')", "Decimal('sNaN')", "Decimal('Infinity')", "Decimal('1E+999999')"),
    *("Decimal('1E-999999')", "Decimal('7')", "Exact('NaN')", "Exact('1E+30')", "Fraction(1, 3)"),
    *("Word('5')", "Whole(5)", "Whole(10**9)", "Real(5.0)", "Real('nan')", "Tricky()", "Rude()"),
    *("None", "[]", "{}", "b'5'", "1j", "object()", "len", "Side.BUY", "context", "bar", "self"),
    *("Row()", "knot()", "'ACME'", "'=cmd|1'", "'\\ud800'", "''", "'<script>'", "'\\x1b[2J'"),
)

ANSWERS = (
    *("market(Side.BUY, {v})", "market(Side.SELL, {v})", "market({v}, 5)", "Target({v})"),
    *("limit(Side.BUY, {v}, bar.close)", "limit(Side.BUY, 5, {v})", "limit(Side.SELL, {v}, {w})"),
    *("stop(Side.SELL, {v}, {w})", "stop_limit(Side.BUY, 5, {v}, {w})", "Weight({v})"),
    *("Cancel(tag={v})", "Cancel(order_id={v})", "Replace(tag='a', quantity={v})"),
    *("Replace(tag='a', limit_price={v})", "market(Side.BUY, 5, tag={v})", "{v}", "[{v}, {w}]"),
    *("market(Side.BUY, 5, symbol={v})", "Target(5, symbol={v})", "(Side.BUY, {v})"),
    *("limit(Side.BUY, 5, bar.close, time_in_force={v})", "[Side.BUY, [Side.SELL, {v}]]"),
    *("limit(Side.BUY, 5, bar.close - 1, tag='a')", "[market(Side.BUY, 50)] * 20", "Target(100)"),
    *(
        "[limit(Side.BUY, 9, bar.close - 2, tag='a')] * 9",
        "[Side.SELL] * 30",
        "market(Side.BUY, 9)",
    ),
)

# Each is a whole body of a method; `return` is not needed.
TRICKS = (
    "bar.close_units = 1",
    "object.__setattr__(bar, 'close_units', 1)",
    "import msgspec; msgspec.structs.force_setattr(bar, 'close_units', 10**9)",
    "context.params['x'] = 1",
    "context.now_ns = 0",
    "context.position = lambda symbol: -10**9",
    "type(context).position = lambda self, symbol: -10**9",
    "type(bar).__eq__ = lambda self, other: True",
    "[setattr(each, name, 10**15) for each in every('Limits') for name in dir(each)"
    " if name.startswith('max_') and isinstance(getattr(each, name), int)]",
    "import msgspec; [msgspec.structs.force_setattr(each, name, 10**15) for each in every('Limit')"
    " if isinstance(each, msgspec.Struct) for name in each.__struct_fields__"
    " if isinstance(getattr(each, name), int)]",
    "gc.unfreeze(); [each.clear() for each in gc.get_objects() if type(each) is list and each"
    " and 'Guard' in type(each[0]).__name__]",
    "[setattr(m, n, lambda *a, **k: None) for p, m in list(sys.modules.items())"
    " if p.startswith('logos.core.guards') for n in dir(m)"
    " if isinstance(getattr(m, n), types.FunctionType)]",
    "[setattr(m, n, lambda *a, **k: '') for p, m in list(sys.modules.items())"
    " if p.startswith('logos.core') for n in dir(m) if n == 'why_closed']",
    "[setattr(c, n, lambda *a, **k: None) for p, m in list(sys.modules.items())"
    " if p == 'logos.core.risk' for c in vars(m).values() if isinstance(c, type)"
    " for n in list(vars(c)) if n.startswith('check') or n.startswith('_check')]",
    "f = sys._getframe(1)\nwhile f:\n"
    "    for v in f.f_locals.values():\n"
    "        if 'TradingCore' in type(v).__name__:\n"
    "            for n in dir(v):\n"
    "                if 'risk' in n or 'gate' in n or 'switch' in n:\n"
    "                    try: setattr(v, n, Tricky())\n"
    "                    except Exception: pass\n"
    "    f = f.f_back",
    "time.time_ns = time.monotonic_ns = lambda: 0",
    "import builtins; builtins.open = lambda *a, **k: None",
    "os.fsync = os.fdatasync = os.write = lambda *a, **k: 0",
    "import zlib, hashlib; zlib.crc32 = lambda *a: 0",
    "import json; json.dumps = lambda *a, **k: '{}'",
    "sys.setrecursionlimit(60)",
    "sys.settrace(lambda *a: 1 / 0)",
    "gc.disable(); gc.freeze()",
    "[signal.signal(s, signal.SIG_IGN) for s in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)]",
    "os.environ['LOGOS_HOME'] = '/nowhere'; os.environ['LOGOS_SEED'] = '9'",
    "os.chdir('/')",
    "sys.stdout.close(); sys.stderr.close()",
    "os.closerange(3, 64)",
    "os.umask(0o777)",
    "[open(p, 'ab').write(b'{}\\n') for p in FILES]",
    "[os.truncate(p, os.path.getsize(p) // 2) for p in FILES]",
    "[os.remove(p) for p in FILES]",
    "threading.Thread(target=lambda: [setattr(context, 'now_ns', n) for n in range(1000)]).start()",
    "threading.Thread(target=lambda: time.sleep(30)).start()",
    "threading.Thread(target=lambda: (time.sleep(0.01), self.on_bar(context, bar))).start()",
    "threading.Thread(target=dive, daemon=True).start()",
    "os.fork()",
    "os.fork() or os._exit(0)",
    "os.fork() or sys.exit(0)",
    "os.fork() or time.sleep(3)",
    "sys.exit(0)",
    "os._exit(0)",
    "os.abort()",
    "os.kill(os.getpid(), signal.SIGTERM)",
    "os.kill(os.getpid(), signal.SIGUSR1)",
    "os.kill(os.getpid(), signal.SIGKILL)",
    "raise KeyboardInterrupt",
    "raise GeneratorExit",
    "raise Nameless",
    "raise MemoryError",
    "raise StopIteration",
    "raise BaseExceptionGroup('both', [SystemExit(0), KeyboardInterrupt()])",
    "dive()",
    "return nest(3000)",
    "return nest(100000)",
    "return forever()",
    "import asyncio; asyncio.run(asyncio.sleep(0))",
    "del sys.modules['logos.core.risk']",
    "import ctypes; ctypes.pythonapi.PyErr_SetInterrupt()",
)


def method(number: int, body: str) -> str:
    lines = "".join(f"        {line}\n" for line in body.split("\n"))
    return f"\n    def move_{number}(self, context, bar):\n{lines}"


def hostile_source(seed: int, files: tuple[str, ...], tricks: int) -> tuple[str, list[str]]:
    """The module of a strategy, and the tricks in it.

    With `tricks` = 0 it only answers, with hostile values. `files` are those of the session that
    tricks damage.
    """
    rolled = random.Random(f"hostile {seed}")
    chosen = rolled.sample(TRICKS, tricks)
    at = dict(zip(sorted(rolled.sample(range(20, 90), tricks)), chosen, strict=True))
    parts = [HEAD.replace("import gc", f"FILES = {files!r}\nimport gc", 1)]
    # Behind a trick the strategy asks for more than its limits allow: so that a trick that worked
    # shows in the orders.
    greedy = "return [market(Side.BUY, 45), market(Side.BUY, 900), limit(Side.BUY, 60, bar.close)]"
    for number in range(1, 120):
        if number in at:
            parts.append(method(number, at[number]))
        elif at and number > min(at):
            parts.append(method(number, greedy))
        elif rolled.random() < 0.6:
            answer = rolled.choice(ANSWERS)
            body = answer.format(v=rolled.choice(VALUES), w=rolled.choice(VALUES))
            parts.append(method(number, f"try: answer = {body}\n" + REFUSED))
    return "".join(parts), chosen


# A value that logos refuses where the answer is made ends nothing: the next one is tried.
REFUSED = "except Exception: answer = None\nreturn answer"
