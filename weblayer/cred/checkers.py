"""All checkers under one roof, by the name that the field's programs import from."""

from weblayer.cred.certificates import CertificateChecker
from weblayer.cred.checking import Account, PasswordChecker
from weblayer.cred.database import DatabaseChecker
from weblayer.cred.filedb import FilePasswordDB
from weblayer.cred.htpasswd import HtdigestFile, HtpasswdFile
from weblayer.cred.memory import (
    ANONYMOUS,
    AllowAnonymousAccess,
    InMemoryPasswords,
    InMemoryUsernamePasswordDatabaseDontUse,
)
from weblayer.cred.portal import ICredentialsChecker
from weblayer.cred.tokens import Token, TokenChecker, hashToken, newToken
from weblayer.cred.unix import UnixChecker

__all__ = [
    "ANONYMOUS",
    "Account",
    "AllowAnonymousAccess",
    "CertificateChecker",
    "DatabaseChecker",
    "FilePasswordDB",
    "HtdigestFile",
    "HtpasswdFile",
    "ICredentialsChecker",
    "InMemoryPasswords",
    "InMemoryUsernamePasswordDatabaseDontUse",
    "PasswordChecker",
    "Token",
    "TokenChecker",
    "UnixChecker",
    "hashToken",
    "newToken",
]
