"""Who a client is to the network."""

import ipaddress

from flask import request


def client_name() -> str:
    """Name the client that asks: by its address, or by its /64, the least that IPv6 gives to one household."""
    told = request.remote_addr or ""
    try:
        address = ipaddress.ip_address(told.partition("%")[0])
    except ValueError:
        return told
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        # A listener for both kinds tells of IPv4 in this way.
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
