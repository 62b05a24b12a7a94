"""The settings of a session: a TOML file < `.env` < the environment < the command line.

Every key stands once, in `settings`, with its default and its unit. A key nobody knows is refused
with the nearest one that exists, and every problem is reported at once, with the place it stands
at. Keys and passwords are never settings: `credentials` looks them up, as Secrets.
"""

from __future__ import annotations

from logos.config.credentials import Credentials, CredentialsError, credentials
from logos.config.environment import Environment
from logos.config.layers import Effective, load_config, read_layers
from logos.config.limits import live_problems, sends_real_orders, with_limits
from logos.config.making import config_hash, make_config, merge
from logos.config.permission import live_overrides, refusals
from logos.config.reading import read_toml
from logos.config.secret import Secret
from logos.config.settings import (
    BALANCE_DEFAULT,
    AccountSettings,
    Config,
    DataSettings,
    FeeSettings,
    FundingSettings,
    InstrumentSettings,
    OrderSettings,
    OrdersSettings,
    PaperSettings,
    RiskLimits,
    RiskSettings,
    SessionSettings,
    StrategySettings,
    SwitchSettings,
    TotalLimits,
)
from logos.config.tables.live import (
    FeedKind,
    FeedName,
    LiveSettings,
    OnExternal,
    Transport,
    VenueName,
    VenueSettings,
)
from logos.errors import ConfigError

__all__ = [
    "BALANCE_DEFAULT",
    "AccountSettings",
    "Config",
    "ConfigError",
    "Credentials",
    "CredentialsError",
    "DataSettings",
    "Effective",
    "Environment",
    "FeeSettings",
    "FeedKind",
    "FeedName",
    "FundingSettings",
    "InstrumentSettings",
    "LiveSettings",
    "OnExternal",
    "OrderSettings",
    "OrdersSettings",
    "PaperSettings",
    "RiskLimits",
    "RiskSettings",
    "Secret",
    "SessionSettings",
    "StrategySettings",
    "SwitchSettings",
    "TotalLimits",
    "Transport",
    "VenueName",
    "VenueSettings",
    "config_hash",
    "credentials",
    "live_overrides",
    "live_problems",
    "load_config",
    "make_config",
    "merge",
    "read_layers",
    "read_toml",
    "refusals",
    "sends_real_orders",
    "with_limits",
]
