"""deploy/mt5/LogosBridge.mq5, read: it cannot be compiled here, and says so."""

from __future__ import annotations

import re

import pytest
from mql_reader import (
    called,
    constants,
    defined,
    methods,
    names_in,
    protocol_rows,
    read_source,
)
from places import PROJECT

EXPERT = (PROJECT / "deploy" / "mt5" / "LogosBridge.mq5").read_text(encoding="utf-8")
GUIDE = (PROJECT / "docs" / "MT5.md").read_text(encoding="utf-8")
SOURCE = read_source(EXPERT)

MQL5 = names_in(
    """AccountInfoDouble AccountInfoInteger AccountInfoString ArrayRemove ArrayResize ArraySize
    CopyRates CopyTicksRange DoubleToString EnumToString EventKillTimer EventSetMillisecondTimer
    GetLastError GetTickCount64 HistoryDealGetDouble HistoryDealGetInteger HistoryDealGetString
    HistoryDealGetTicket HistoryDealSelect HistoryDealsTotal HistorySelect IntegerToString MathAbs
    MathRound NormalizeDouble OrderGetDouble OrderGetInteger OrderGetString OrderGetTicket
    OrderSendAsync OrdersTotal PositionGetDouble PositionGetInteger PositionGetString
    PositionGetTicket PositionSelectByTicket PositionsTotal Print PrintFormat ShortToString
    StringFormat StringGetCharacter StringLen StringToDouble StringToInteger SymbolInfoDouble
    SymbolInfoInteger SymbolInfoString SymbolInfoTick SymbolSelect TerminalInfoInteger TimeToString
    TimeTradeServer iTime"""
)
"""Functions that are used, by MetaQuotes' reference (https://www.mql5.com/en/docs)."""

BINDING = names_in(
    "bind getData recv send setCurvePublicKey setCurveSecretKey setCurveServer setLinger "
    "setSendHighWaterMark size"
)
"""Methods of dingmaotu/mql-zmq: Include/Zmq/Socket.mqh, SocketOptions.mqh, ZmqMsg.mqh."""

BINDING_CONSTANTS = frozenset(("ZMQ_REP", "ZMQ_PUSH"))
MQL5_CONSTANTS = re.compile(
    r"(ACCOUNT|COPY_TICKS|DEAL|ENUM|INIT|ORDER|PERIOD|POSITION|SYMBOL|TERMINAL|TIME|TRADE)_\w+"
)
EVENTS = {"OnInit", "OnDeinit", "OnTimer", "OnTradeTransaction"}
"""Called by the terminal itself."""


def test_every_bracket_text_and_comment_is_closed() -> None:
    assert SOURCE.problems == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("void f() {", "a '{' is never closed"),
        ("int a[3);", "a ')' closes nothing that is open"),
        ('string s = "x', "line 1: a text that does not end"),
        ("\n/* x", "line 2: a comment that does not end"),
    ],
)
def test_the_reader_finds_what_is_not_closed(source: str, problem: str) -> None:
    assert problem in read_source(source).problems


def test_the_reader_takes_no_bracket_from_texts_and_comments() -> None:
    source = read_source(
        'void f()\n  {\n   Print("{ \\" ["); // {\n   ushort c = \'{\'; /* ( */\n  }'
    )
    assert source.problems == []
    assert source.texts == ['{ \\" [']
    assert (defined(source.code), called(source.code)) == ({"f"}, {"f", "Print"})


def test_every_function_that_is_used_is_defined_or_known() -> None:
    ours = defined(SOURCE.code)
    assert called(SOURCE.code) - ours - MQL5 == set()
    assert methods(SOURCE.code) - BINDING == set()
    assert MQL5 - called(SOURCE.code) == set()
    assert not ours & MQL5


def test_every_function_that_is_defined_is_used() -> None:
    for name in defined(SOURCE.code) - EVENTS:
        assert len(re.findall(rf"\b{name}\b", SOURCE.code)) > 1, name
    assert defined(SOURCE.code) >= EVENTS


def test_every_constant_is_one_of_its_own_of_mql5_or_of_the_binding() -> None:
    for name in constants(SOURCE.code) - BINDING_CONSTANTS:
        assert MQL5_CONSTANTS.fullmatch(name) or f"#define {name}" in EXPERT, name


def test_every_message_of_the_protocol_is_read_and_written() -> None:
    rows = protocol_rows(GUIDE)
    assert len(rows) > 20
    for row in rows:
        for word in (word for cell in row for word in cell):
            assert word in SOURCE.texts, f"{word} stands in no text of the Expert Advisor"


def test_nothing_is_written_that_the_table_does_not_name() -> None:
    written = set(re.findall(r'\b(?:Named\w*|AnswerList)\("(\w+)"', EXPERT))
    assert len(written) > 50
    assert written <= {word for row in protocol_rows(GUIDE) for cell in row for word in cell}


def test_requests_are_read_by_the_fields_of_the_table() -> None:
    read = set(re.findall(r'Field(?:Text|Number|Whole)\("(\w+)"\)', EXPERT))
    assert read <= {field for _, fields, _ in protocol_rows(GUIDE) for field in fields}


def test_it_says_that_nobody_compiled_it_and_so_does_the_guide() -> None:
    assert "NEVER COMPILED OR RUN" in EXPERT[:600]
    assert "compiled or run it yet" in GUIDE


def test_it_listens_elsewhere_only_with_keys() -> None:
    begin = EXPERT[EXPERT.index("int OnInit()") :]
    refusal = begin.index("INIT_PARAMETERS_INCORRECT")
    assert "!IsLoopback(Host) && !has_keys" in begin[:refusal]
    assert refusal < begin.index("Opened(")
