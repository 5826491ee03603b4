"""Ids as people read them."""


def short(pk: str) -> str:
    """The end of an id, which is where ids of one source differ; short ones as they are."""
    return f"…{pk[-6:]}" if len(pk) > 12 else pk
