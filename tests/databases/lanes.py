"""Choosing the lane by which rows are loaded."""

from __future__ import annotations

from framework.databases.mysql.target import MySQLTarget


def take_safe_lane(mysql: MySQLTarget) -> None:
    """Load as if the server forbade ``local_infile``: the setting itself is the whole server's, other tests need it."""
    version, _, packet = mysql._server
    mysql.__dict__["_server"] = (version, False, packet)
    mysql.__dict__.pop("capabilities", None)
