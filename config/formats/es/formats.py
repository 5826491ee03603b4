"""Spanish: 1.234,5 as most people write it, not with Django's space that breaks no line."""

THOUSAND_SEPARATOR = "."
