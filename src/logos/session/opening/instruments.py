"""The instruments of a session: from its settings, or from beside its data; whether they can be.

What neither knows is asked for with a draft, which is drawn from the data. A draft with something
empty in it is refused, and so is a contract that is plainly set up as something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from logos.config import Config, ConfigError, InstrumentSettings, make_config, read_toml
from logos.data.source import DataSource
from logos.data.suggest import draft_instrument, name_words
from logos.data.terms.contracts import coin_settled
from logos.data.terms.currencies import contract_word, is_coin, is_fiat

_DOLLARS_OF_A_CONTRACT: Final = (Decimal(10), Decimal(100))
"""What exchanges make their coin-settled contracts of."""
_FILLED_IN: Final = ("tick", "lot", "quote", "multiplier", "settlement")


def find_instruments(
    config: Config, sources: Sequence[DataSource], *, infer: bool = False
) -> dict[str, InstrumentSettings]:
    """The instrument of every symbol in `sources`, in their order.

    Settings win over an `instruments.toml` beside the data. A symbol that neither knows raises
    ConfigError with a table to paste; with `infer`, that table is used as it stands, which is
    good enough to look at data and not to trade on it.
    """
    beside = _beside(sources, config)
    found: dict[str, InstrumentSettings] = {}
    for source in sources:
        symbol = source.symbol
        settings = config.instruments.get(symbol) or beside.get(symbol)
        if settings is None and infer:
            table = {"instruments": {symbol: draft_instrument(source).assumed()}}
            settings = make_config(table).instruments[symbol]
        if settings is None:
            draft = draft_instrument(source)
            what = f" and filling in {', '.join(draft.missing)}" if draft.missing else ""
            raise ConfigError(
                f"no instrument for {symbol} ({source.path}). Add this to the configuration, "
                f"after checking it{what}:\n\n{draft.toml()}"
            )
        refuse_misused(symbol, settings, name_words(source))
        found[symbol] = settings
    return found


def _beside(sources: Iterable[DataSource], config: Config) -> dict[str, InstrumentSettings]:
    """Instruments of the `instruments.toml` files that lie beside the data.

    Only those that are asked for are read: the draft of another one may still have to be filled in.
    """
    found: dict[str, InstrumentSettings] = {}
    wanted = {source.symbol for source in sources} - set(config.instruments)
    for folder in dict.fromkeys(source.path.parent for source in sources):
        path = folder / "instruments.toml"
        if path.is_file():
            table = dict(read_toml(path))
            tables = table.get("instruments")
            if isinstance(tables, Mapping):
                table["instruments"] = {
                    symbol: _filled_in(symbol, each, path)
                    for symbol, each in tables.items()
                    if symbol in wanted
                }
            found.update(make_config(table, str(path)).instruments)
    return found


def _filled_in(symbol: str, table: Any, path: Path) -> Any:
    """The table of an instrument. Raises ConfigError where something in it is still empty."""
    if isinstance(table, Mapping):
        empty = [name for name in _FILLED_IN if table.get(name) == ""]
        if empty:
            raise ConfigError(
                f"{path}: instruments.{symbol}: {', '.join(empty)} must be filled in: what the data"
                " does not show was left empty in its draft"
            )
    return table


def refuse_misused(
    symbol: str, settings: InstrumentSettings, words: frozenset[str] = frozenset()
) -> None:
    """Raise ConfigError for a contract of so many dollars, settled in the coin, that is set up as
    one of so many coins: its profit would be a hundred thousand times too large.

    `words` are those of the name of its file, which may say the venue.
    """
    if settings.settlement != "margin" or not is_fiat(settings.quote):
        return
    settled = coin_settled(symbol, words)
    if settled is not None:
        family = settled.family
        raise ConfigError(
            f"instruments.{symbol}: {family.venue} settles it in {settled.coin}, and one contract"
            f" is worth {family.worth} ({family.source}); as a contract on margin one would be"
            f" {settings.multiplier} {settled.coin}. Set {_as_inverse(settled.coin)}, and that"
            f" worth as its multiplier. If it is another one, on margin in {settings.quote}, give"
            " it another symbol"
        )
    is_perpetual = contract_word(symbol) in ("PERP", "PERPETUAL", "SWAP")
    if is_perpetual and settings.multiplier in _DOLLARS_OF_A_CONTRACT and is_coin(settings.base):
        coin, money = settings.base, settings.quote
        raise ConfigError(
            f"instruments.{symbol}: as a contract on margin one would be {settings.multiplier} "
            f"{coin}. A perpetual of {settings.multiplier} {money} is settled in the coin: "
            f"{_as_inverse(coin)}. If one is indeed {settings.multiplier} {coin}, give it a symbol "
            f"that does not say {contract_word(symbol)}"
        )


def _as_inverse(coin: str) -> str:
    return f'settlement = "inverse", quote = "{coin}" (docs/FILLS.md, Inverse contracts)'
