"""The exchanges whose whole round trip is tried, each through the real ccxt against its dialect.

An exchange joins with a line in `CASES`. docs/VENUES.md's table of exchanges is made of them.
"""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import base64
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from venue_tools import KEY, NOW_NS, SECRET, Word, approved

from logos.adapters.ccxt.venue import CcxtVenue
from logos.core.fixed import parse_units
from logos.core.instrument import Instrument, instrument
from logos.core.outbox import SubmitOrder
from logos.core.types import Side, TimeInForce
from logos.simulators.exchange.account import PlacedOrder, SpotAccount
from logos.simulators.exchange.binance import BinanceShape
from logos.simulators.exchange.dialects.bitget import Bitget
from logos.simulators.exchange.dialects.bybit import Bybit
from logos.simulators.exchange.dialects.coinbase import Coinbase
from logos.simulators.exchange.dialects.dialect import Dialect, Keys
from logos.simulators.exchange.dialects.gate import Gate
from logos.simulators.exchange.dialects.hyperliquid import Hyperliquid
from logos.simulators.exchange.dialects.kraken import Kraken
from logos.simulators.exchange.dialects.kucoin import Kucoin
from logos.simulators.exchange.dialects.mexc import Mexc
from logos.simulators.exchange.dialects.okx import Okx
from logos.simulators.exchange.market import Listing, Market
from logos.simulators.exchange.orders import ExchangeOrders, Troubles
from logos.simulators.exchange.private.binance import BinanceOrders
from logos.simulators.exchange.private.bitget import BitgetOrders
from logos.simulators.exchange.private.bybit import BybitOrders
from logos.simulators.exchange.private.coinbase import CoinbaseOrders
from logos.simulators.exchange.private.gate import GateOrders
from logos.simulators.exchange.private.hyperliquid import HyperliquidOrders
from logos.simulators.exchange.private.kraken import KrakenOrders
from logos.simulators.exchange.private.okx import OkxOrders
from logos.simulators.exchange.private.stream import PrivateStream
from logos.simulators.exchange.server import Exchange
from logos.testing.clock import ManualClock
from logos.venues.contract import VenueOrder

PHRASE: Final = "a pass phrase of ours"
COINBASE_KEY: Final = "organizations/6ba7b810-9dad/apiKeys/7d444840-9dc0"
COINBASE_PEM: Final = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)
HOLDINGS: Final = {"USDT": "1000000", "BTC": "10"}
_NO_AUTHORITIES: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_KEYS: Final = Keys(KEY, SECRET)
BINANCE_REQUESTS: Final = {
    "create": "POST /api/v3/order",
    "cancel": "DELETE /api/v3/order",
    "find": "GET /api/v3/order",
    "open": "GET /api/v3/openOrders",
    "fills": "GET /api/v3/myTrades",
    "balances": "GET /api/v3/account",
}


@dataclass(frozen=True)
class Case:
    """One exchange of the suite."""

    exchange_id: str
    dialect: type[Dialect] | None
    """None: Binance, whose simulated exchange is older than the dialects."""
    keys: Keys = _KEYS
    tick: str = "0.01"
    lot: str = "0.00001"
    quote: str = "USDT"
    has_two_fees: bool = True
    """Whether the exchange can tell a fee in two currencies for one fill at all."""
    tells_two_fees_in_one_form: bool = True
    """Whether the second of them is told as the first is; else such a fill cannot be read."""
    goes_on_within_a_moment: bool = True
    """Whether a list of fills can go on in the middle of a millisecond."""
    has_third_fee: bool = True
    """Whether the exchange can take a fee in a coin that is neither traded nor paid with."""
    repeats_an_order: bool = False
    """Whether an id that was used before is answered with its order, rather than refused."""
    asks_with_keys_at_open: bool = False
    """Whether a wrong key is seen when the markets are loaded."""
    third_coin: str = "XTRA"
    """A coin for fees that is neither traded nor paid with."""
    priced: frozenset[Side] = frozenset()
    """Sides whose market orders go out as limit orders that do not rest."""
    wrong_key: tuple[str, str] = ("apiKey", "another")
    """ccxt's name of a credential, and a wrong value of it."""

    def market_id(self) -> str:
        return (
            "BTC" + self.quote
            if self.dialect is None
            else self.dialect.market_id("BTC", self.quote)
        )


CASES: Final = (
    Case("binance", None, has_two_fees=False),
    Case(
        "kraken",
        Kraken,
        Keys("kQH5HW/8p1uGOVjbgWA7", base64.b64encode(SECRET.encode()).decode()),
        # D add-order, oflags: fees are in quote (fciq) or base (fcib), never in two or others.
        has_two_fees=False,
        has_third_fee=False,
    ),
    # D order/execution: a second fee stands in extraFees, in a form that is not documented.
    Case("bybit", Bybit, tells_two_fees_in_one_form=False),
    # D Get transaction details: a fill has one fee, in feeCcy.
    Case("okx", Okx, Keys(KEY, SECRET, PHRASE), has_two_fees=False),
    # D orders/get-trade-history: one fee, in feeCurrency; `tax` is a test of its own.
    Case("kucoin", Kucoin, Keys(KEY, SECRET, PHRASE), has_two_fees=False),
    Case(
        "coinbase",
        Coinbase,
        Keys(COINBASE_KEY, COINBASE_PEM),
        # D orders/list-fills: commission, in quote.
        has_two_fees=False,
        has_third_fee=False,
        repeats_an_order=True,
        asks_with_keys_at_open=True,
    ),
    Case("gate", Gate, third_coin="GT", priced=frozenset((Side.BUY,))),
    Case(
        "bitget",
        Bitget,
        Keys(KEY, SECRET, "a-passphrase"),
        has_two_fees=False,
        priced=frozenset((Side.BUY,)),
    ),
    Case(
        "mexc",
        Mexc,
        has_two_fees=False,
        # D account-trade-list: the next page is asked for by time.
        goes_on_within_a_moment=False,
        priced=frozenset((Side.BUY,)),
    ),
    Case(
        "hyperliquid",
        Hyperliquid,
        Keys("0x" + "ab" * 20, "0x" + "11" * 32),
        tick="1",
        quote="USDC",
        has_two_fees=False,
        priced=frozenset((Side.BUY, Side.SELL)),
        wrong_key=("privateKey", "0x" + "22" * 32),
    ),
)


STREAMS: Final[Mapping[str, type[PrivateStream]]] = {
    "binance": BinanceOrders,
    "bybit": BybitOrders,
    "kraken": KrakenOrders,
    "okx": OkxOrders,
    "bitget": BitgetOrders,
    "gate": GateOrders,
    "hyperliquid": HyperliquidOrders,
    "coinbase": CoinbaseOrders,
}
"""The private streams of orders that were written, by exchange."""


@dataclass
class Bench:
    """A venue, the simulated exchange behind it, and what a test does with both."""

    case: Case
    venue: CcxtVenue
    exchange: Exchange
    account: SpotAccount
    troubles: Troubles
    requests: Mapping[str, str]
    clock: ManualClock
    coin: Instrument
    make: Callable[[str], CcxtVenue]
    dialect: Any = None
    """How the exchange speaks; None: Binance's way."""
    stream: Any = None
    """How it tells of orders by itself; None: it does not here."""

    @asynccontextmanager
    async def another_life(self) -> AsyncIterator[CcxtVenue]:
        """The session in another process, a second later, which remembers no answer."""
        # Where requests are numbered by the time, two processes at one moment are one too many.
        await self.pass_time(1)
        venue = self.make("s-1")
        try:
            await venue.open()
            yield venue
        finally:
            await venue.close()

    def order(self, number: int, quantity: str = "0.001", price: str = "90000") -> SubmitOrder:
        """A limit order to buy, which rests below the market at its usual price."""
        terms = approved(self.coin, Side.BUY, quantity, price)
        return SubmitOrder(terms, f"s-1-{number}", self.clock.now_ns())

    def at_market(self, number: int, side: Side, quantity: str = "0.001") -> SubmitOrder:
        """A market order."""
        terms = approved(self.coin, side, quantity, time_in_force=TimeInForce.IOC)
        return SubmitOrder(terms, f"s-1-{number}", self.clock.now_ns())

    def price(self, text: str) -> int:
        """A price in the instrument's units."""
        return parse_units(text, self.coin.price_decimals)

    async def submit(
        self, number: int, quantity: str = "0.001", price: str = "90000"
    ) -> VenueOrder:
        return await self.send(self.order(number, quantity, price))

    async def send(self, request: SubmitOrder) -> VenueOrder:
        """As the link does: first what the venue has to ask."""
        prepare = getattr(self.venue, "prepare", None)
        if prepare is not None:
            await prepare(request)
        return await self.venue.submit(request)

    async def pass_time(self, seconds: float) -> None:
        """Time goes on, here and at the exchange."""
        await self.clock.advance(seconds)
        await self.exchange.advance(seconds)

    def placed(self) -> list[PlacedOrder]:
        return self.account.orders

    def of_stranger(self, price: str = "80000") -> PlacedOrder:
        """An order that the account's owner made elsewhere."""
        return self.account.place_by_hand(self.case.market_id(), "BUY", "0.002", price, "")

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """In here an answer is given up soon; elsewhere it may take as long as a busy machine
        does."""
        client = self.venue._exchange
        patient, client.timeout = client.timeout, 500
        try:
            yield
        finally:
            client.timeout = patient

    def charge(self, *fees: tuple[str, str]) -> None:
        """From now on each fill costs these amounts of these assets."""
        self.account.fees_of = lambda *_: [(asset, Decimal(cost)) for asset, cost in fees]
        for asset, _ in fees:
            self.account.deposit(asset, "1000")


def stream_of(
    case: Case, exchange: Exchange, account: SpotAccount, dialect: Dialect | None
) -> PrivateStream | None:
    """The private stream of an exchange that is made, where one was written."""
    if case.exchange_id not in STREAMS:
        return None
    keys = case.keys
    stream = STREAMS[case.exchange_id](exchange, account, keys.key, keys.secret, keys.password)
    if isinstance(stream, KrakenOrders) and isinstance(dialect, Kraken):
        dialect.new_token = stream.new_token
    return stream


@asynccontextmanager
async def bench(
    case: Case, *, timeout_s: float = 60.0, is_open: bool = True, middlewares: Sequence[Any] = ()
) -> AsyncIterator[Bench]:
    """A venue connected to the simulated exchange of a case: BTC at 99,990 bid, 100,000 asked."""
    listing = Listing(case.market_id(), "BTC", case.quote, tick=case.tick, lot=case.lot)
    listing.minimum_quantity = case.lot
    listing.add_top(NOW_NS - 1, "99990.00", "100000.00", "5", "5")
    exchange = Exchange(Market([listing], NOW_NS))
    exchange.app.middlewares.extend(middlewares)
    holdings = {asset.replace("USDT", case.quote): much for asset, much in HOLDINGS.items()}
    account: SpotAccount
    requests: Mapping[str, str]
    dialect: Dialect | None = None
    if case.dialect is None:
        BinanceShape(exchange)
        account = own = ExchangeOrders(exchange, case.keys.key, case.keys.secret, holdings)
        troubles, requests = own.troubles, BINANCE_REQUESTS
    else:
        account = SpotAccount(exchange.market, holdings, "0.001")
        dialect = case.dialect(exchange, account, case.keys)
        troubles, requests = dialect.troubles, dialect.requests
    stream = stream_of(case, exchange, account, dialect)
    clock = ManualClock(NOW_NS)
    coin = instrument(
        "COIN", base="BTC", quote=case.quote, tick=case.tick, lot=case.lot, min_quantity=case.lot
    )
    password = Word(case.keys.password) if case.keys.password else None
    async with exchange:

        def make(session_id: str) -> CcxtVenue:
            venue = CcxtVenue(
                case.exchange_id,
                {coin.symbol: coin},
                clock,
                Random(1),
                key=Word(case.keys.key),
                secret=Word(case.keys.secret),
                password=password,
                sandbox=False,
                url=exchange.url,
                timeout_s=timeout_s,
                session_id=session_id,
                limit_rate=False,
            )
            # Reading the certificates of all authorities takes longer than most stories.
            venue._exchange.ssl_context = _NO_AUTHORITIES
            venue.hears_orders = True
            return venue

        venue = make("s-1")
        try:
            if is_open:
                await venue.open()
            yield Bench(
                case,
                venue,
                exchange,
                account,
                troubles,
                requests,
                clock,
                coin,
                make,
                dialect,
                stream,
            )
        finally:
            await venue.close()
