"""The MongoDB store: django-mongodb-backend with two corrections, and the contrib apps' migrations for it."""
