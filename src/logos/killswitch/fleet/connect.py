"""Chooses the coordinator's client. Redis needs a library, which is only imported here."""

from __future__ import annotations

from logos.killswitch.fleet.etcd import EtcdStore
from logos.killswitch.fleet.records import CoordinatorError
from logos.killswitch.fleet.store import Coordinator, Store


def connect(terms: Coordinator) -> Store:
    """The client of a coordinator; asks nobody yet. Raises CoordinatorError."""
    if terms.backend == "etcd":
        return EtcdStore(terms)
    raise CoordinatorError(f"no backend {terms.backend}")
