"""How the tables came to be as they are: alembic's steps, which are run whenever a database is opened."""
