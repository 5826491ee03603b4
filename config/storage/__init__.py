"""Everything that knows which store it runs on: SQLite, PostgreSQL or MongoDB. Nothing outside this package asks."""
