"""What was acknowledged is not lost: measured on real servers, whose processes are killed under load.

``python -m tests.durability`` runs the full forms and prints what it found; the tests beside it are their small forms.
"""
