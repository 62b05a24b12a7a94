"""A local TWS or IB Gateway that real clients of the TWS API connect to."""

from logos.simulators.ib.book import Execution, GatewayOrder
from logos.simulators.ib.contracts import APPLE, TESLA, Listing
from logos.simulators.ib.gateway import TwsGateway

__all__ = ["APPLE", "TESLA", "Execution", "GatewayOrder", "Listing", "TwsGateway"]
