"""One line of the switch's record: what is written, what is read, what is refused."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import pytest
from switch_evidence import ZEROS, transition

from logos.killswitch.records import (
    MarkerNote,
    RecordDamagedError,
    StaleEpochError,
    clean_text,
    decode_line,
    decode_marker,
    encode_line,
    encode_marker,
)


def unchecked(body: bytes) -> bytes:
    """A line with a right checksum around any body."""
    return b'{"body":' + body + b',"crc32":%d}\n' % zlib.crc32(body)


def line_of(**changes: Any) -> bytes:
    return unchecked(msgspec.json.encode(transition(**changes)))


def test_a_line_is_written_today_as_it_was_when_the_files_out_there_were() -> None:
    body = (
        b'{"schema":"logos.kill-switch/1","epoch":5,"state":"ENGAGED","was":"SAFE","who":"ann",'
        b'"why":"why","time_ns":5,"mode":"paper","build":"1","host":"h","granted_epoch":0,'
        b'"engaged_epoch":0,"markers":"","previous":"' + ZEROS.encode() + b'"}'
    )
    assert encode_line(transition()) == unchecked(body)
    assert decode_line(unchecked(body)) == transition()


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": 1},
        {"epoch": 2**53},
        {"granted_epoch": 5},
        {"engaged_epoch": 5},
        {"why": "x" * (8_192 - len(line_of(why="")))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_just_within_the_bounds_is_read(changes: dict[str, Any]) -> None:
    assert decode_line(line_of(**changes)) == transition(**changes)


WHOLE = line_of()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "is empty"),
        (line_of(why="x" * (8_193 - len(line_of(why="")))), "is larger than 8192 bytes"),
        (WHOLE + b"\n", "is not one whole line"),
        (WHOLE[:-1], "is not one whole line"),
        (b"\n" + WHOLE[:-1], "is not one whole line"),
        (b"{}\n", "is not a record of this switch"),
        (WHOLE.replace(b'"ann"', b'"bob"'), "fails its checksum"),
        (unchecked(b"{}"), "is not a record of this switch"),
        (line_of(schema="logos.kill-switch/2"), "has the schema 'logos.kill-switch/2'"),
        (line_of(epoch=0), "has the impossible epoch 0"),
        (line_of(epoch=2**53 + 1), "has the impossible epoch"),
        (line_of(granted_epoch=6), "names epochs of its own future"),
        (line_of(engaged_epoch=6), "names epochs of its own future"),
    ],
)
def test_what_is_not_a_line_is_refused_with_the_reason(line: bytes, words: str) -> None:
    with pytest.raises(RecordDamagedError, match=words):
        decode_line(line)


def test_what_would_not_read_back_is_not_written() -> None:
    with pytest.raises(RecordDamagedError, match="does not read back as what was written"):
        encode_line(transition(why=b"bytes"))


def test_a_stale_epoch_is_named_with_the_current_one() -> None:
    error = StaleEpochError(3, 5, "engaged meanwhile")
    assert (error.given, error.current) == (3, 5)
    assert "epoch 3 is not the current epoch, 5 is (engaged meanwhile)" in str(error)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("abcde", "abcde"), (" abcd ", "abcd"), ("abcdef", "ab..."), ("a" * 9, "aa..."), ("a\n", "a"),
     ("a\nb", "a?b")],
)  # fmt: skip
def test_text_is_shortened_beyond_its_bound_and_not_before(text: str, cleaned: str) -> None:
    assert clean_text(text, 5) == cleaned


def test_a_marker_is_believed_in_words_alone_and_only_so_many() -> None:
    assert encode_marker("ann", "stop", 7) == b'{"who":"ann","why":"stop","epoch":7}\n'
    assert decode_marker(encode_marker("ann", "stop", 7)) == MarkerNote("ann", "stop", 0)
    assert decode_marker(b"junk") == MarkerNote("", "", 0)
    note = decode_marker(encode_marker("a" * 121, "b" * 601, 7))
    assert (len(note.who), len(note.why)) == (120, 600)
    assert decode_marker(encode_marker("a" * 120, "b" * 600, 7)).why == "b" * 600
