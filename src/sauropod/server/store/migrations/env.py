"""What alembic runs to migrate: on the connection that it is given, within its transaction."""

from alembic import context

from sauropod.server.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
