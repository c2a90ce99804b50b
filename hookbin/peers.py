"""What counts as one peer: an address, or of IPv6 the network that one customer has."""

from __future__ import annotations

import ipaddress


def peer_of(address: str) -> str:
    """The address, or of IPv6 its network of 64 bits (RFC 4291, 2.5.1); what is no address as it is."""
    if ":" not in address:
        return address[:64]
    try:
        ip = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
