"""Settings without the secrets that people put into a strategy's parameters, and with them again.

Settings are shown, hashed and written into the session's folder and its journal. Most of them
cannot hold a secret; the parameters of a strategy can. A parameter that is taken for one
(`logos.secrecy`) is a mask wherever settings leave the process, and a session that is resumed or
replayed asks for it anew, in the variable that sets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from logos.config.environment import Environment
from logos.config.making import Path, is_table
from logos.config.names import PREFIX, read_names
from logos.config.settings import Config
from logos.errors import ConfigError
from logos.secrecy import MASK, secrets_in

_PARAMETERS: Path = ("strategy", "params")


def config_secrets(config: Config) -> tuple[str, ...]:
    """The texts in the settings that are taken for secrets."""
    return tuple(secrets_in(_PARAMETERS[-1], config.strategy.params))


def unmasked_config(config: Config, variables: Mapping[str, str] | None = None) -> Config:
    """`config` as read from a session, with every masked parameter as the variables set it.

    `variables` replaces those of the process. Raises ConfigError that names the variables to set.
    """
    masked = [key for key, value in config.strategy.params.items() if _has_mask(value)]
    if not masked:
        return config
    environment = Environment.read(variables)
    found = _parameters({**environment.dotenv, **environment.process}, config)
    params, missing = dict(config.strategy.params), []
    for key in masked:
        # A variable sets a whole parameter, also where only a part of it was masked.
        if key in found:
            params[key] = found[key]
        else:
            missing.append(PREFIX + "__".join((*_PARAMETERS, key)).upper())
    if missing:
        raise ConfigError(
            f"secrets among the strategy's parameters are not written into a session: set "
            f"{' and '.join(missing)} in the environment or in {environment.path}, to what the "
            "session had"
        )
    strategy = msgspec.structs.replace(config.strategy, params=params)
    return msgspec.structs.replace(config, strategy=strategy)


def _parameters(variables: Mapping[str, str], config: Config) -> Mapping[str, Any]:
    """The strategy's parameters that variables set."""
    stem = PREFIX + "__".join(_PARAMETERS).upper()
    ours = {name: text for name, text in variables.items() if name.upper().startswith(stem)}
    below = {"strategy": {"params": config.strategy.params}}
    strategy = read_names(ours, below).tables.get("strategy", {})
    params: Mapping[str, Any] = strategy.get("params", {})
    return params


def _has_mask(value: object) -> bool:
    if is_table(value):
        return any(map(_has_mask, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_has_mask, value))
    return value == MASK
