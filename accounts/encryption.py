"""What is kept for us alone to read: encrypted with a key that is made of the secret key and of what it is for."""

import base64
import hashlib

from cryptography.fernet import Fernet
from django.conf import settings


def cipher(purpose: str, *names: str) -> Fernet:
    """``names`` tell apart what serves the same purpose: what one has encrypted no other reads."""
    secret = hashlib.sha256(":".join((purpose, settings.SECRET_KEY, *names)).encode()).digest()
    return Fernet(base64.urlsafe_b64encode(secret))
