"""Chooses the coordinator's client. Redis needs a library, which is only imported here."""

from __future__ import annotations

from logos.installation import install_command
from logos.killswitch.fleet.etcd import EtcdStore
from logos.killswitch.fleet.records import CoordinatorError
from logos.killswitch.fleet.store import Coordinator, Store


def connect(terms: Coordinator) -> Store:
    """The client of a coordinator; asks nobody yet.

    Raises CoordinatorError when TLS files cannot be used or the library is not installed.
    """
    if terms.backend == "etcd":
        return EtcdStore(terms)
    try:
        from logos.killswitch.fleet.redis import RedisStore
    except ImportError:
        raise CoordinatorError(
            f"the coordinator redis needs a library: {install_command('redis')}"
        ) from None
    return RedisStore(terms)
